"""Who holds a role today, for everything that tells somebody through a role."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, or_, select

from klik.models import Membership, Person, RoleHolding
from klik.services.work import Work

SUBSTITUTE = "stedfortraeder"


@dataclass(frozen=True, slots=True)
class Holder:
    """A person, or a functional mailbox (then without ``person_id``), that holds a role for a system or across."""

    person_id: int | None
    name: str
    address: str
    system: str | None
    primary: bool
    substitute: bool

    @property
    def who(self) -> int | str:
        """What makes two holdings the same recipient."""
        return self.person_id or self.address.casefold()


Holdings = Mapping[tuple[int, str], list[Holder]]


def of_roles(work: Work, municipalities: Collection[int], roles: Collection[str]) -> Holdings:
    """Those who hold the roles today, by municipality and role, the primary one first; one statement.

    People who may no longer sign in, or who left the municipality, hold nothing.
    """
    rows = work.session.execute(
        select(RoleHolding, Person.name, Person.email)
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .outerjoin(
            Membership,
            and_(
                Membership.person_id == RoleHolding.person_id,
                Membership.municipality_id == RoleHolding.municipality_id,
            ),
        )
        .where(
            RoleHolding.role.in_(sorted(roles)),
            RoleHolding.municipality_id.in_(sorted(municipalities)),
            RoleHolding.valid_from <= work.today,
            or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to >= work.today),
            or_(
                RoleHolding.person_id.is_(None),
                and_(Person.active.is_(True), Membership.active.is_(True)),
            ),
        )
        .order_by(RoleHolding.is_primary.desc(), RoleHolding.id)
    )
    found: dict[tuple[int, str], list[Holder]] = defaultdict(list)
    for holding, name, email in rows:
        address = email or holding.mailbox
        found[holding.municipality_id, holding.role].append(
            Holder(
                holding.person_id,
                name or address,
                address,
                holding.system_code,
                holding.is_primary,
                holding.kind == SUBSTITUTE,
            )
        )
    return found


def fitting(holders: Iterable[Holder], system: str | None) -> list[Holder]:
    """Those who hold it for the system or across all."""
    return [holder for holder in holders if holder.system is None or holder.system == system]


def current(holders: Iterable[Holder], system: str | None) -> list[Holder]:
    """Whom the role stands for: a substitute only where nobody else holds it."""
    found = fitting(holders, system)
    return [holder for holder in found if not holder.substitute] or found


def standing(holder: Holder) -> str:
    """What is added to the role's name: " (primær)", " (stedfortræder)"."""
    if holder.substitute:
        return " (stedfortræder)"
    return " (primær)" if holder.primary else ""


def role_name(work: Work, role: str) -> str:
    """The role's name as it stands in the middle of a sentence."""
    name = work.registry.content.role(role).name
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
