"""Who is responsible for a new copy by default: the primary holder of the task's role in the municipality."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, or_, select

from klik.models import Membership, Person, RoleHolding
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Holders:
    """Primary holders by (municipality, role): a person's id, or None where a functional mailbox holds it."""

    held: Mapping[tuple[int, str], int | None]

    def person(self, municipality: int, role: str) -> int | None:
        """The person who holds the role, or None."""
        return self.held.get((municipality, role))

    def lacks(self, municipality: int, role: str) -> bool:
        """Whether nobody at all holds the role."""
        return (municipality, role) not in self.held


def holders_of(
    work: Work, municipalities: Iterable[int], system: str | None, roles: Iterable[str]
) -> Holders:
    """The primary holders today, for the system first, else cross-cutting; one statement for all.

    People who may no longer sign in, or who left the municipality, hold nothing.
    """
    rows = work.session.execute(
        select(RoleHolding.municipality_id, RoleHolding.role, RoleHolding.person_id)
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .outerjoin(
            Membership,
            and_(
                Membership.person_id == RoleHolding.person_id,
                Membership.municipality_id == RoleHolding.municipality_id,
            ),
        )
        .where(
            RoleHolding.municipality_id.in_(list(municipalities)),
            RoleHolding.role.in_(list(roles)),
            RoleHolding.is_primary.is_(True),
            or_(RoleHolding.system_code == system, RoleHolding.system_code.is_(None)),
            RoleHolding.valid_from <= work.today,
            or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to >= work.today),
            or_(RoleHolding.person_id.is_(None), and_(Person.active.is_(True), Membership.active.is_(True))),
        )
        # The system's own holder comes last and so stays.
        .order_by(RoleHolding.system_code.is_not(None), RoleHolding.id)
    )
    return Holders({(code, role): person for code, role, person in rows})
