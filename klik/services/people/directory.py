"""Who is in klik: the people of a municipality, of KOMBIT and of suppliers, and what hangs on each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from klik.domain.rights import Level, Right
from klik.models import Membership, MunicipalTask, Person, RoleHolding
from klik.services import access
from klik.services.errors import NotFoundError
from klik.services.overview import IN_FORCE, is_open
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Listed:
    """One row of the list of people; ``seen_at`` is empty for those who may not manage people."""

    membership_id: int
    person_id: int
    name: str
    email: str
    phone: str | None
    level: Level
    organisation: str | None
    systems: tuple[str, ...]
    active: bool
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """What still hangs on somebody in one place: open tasks, and roles held today or to come."""

    tasks: Sequence[MunicipalTask]
    holdings: Sequence[RoleHolding]


def may_manage(work: Work) -> bool:
    """Whether the actor adds, changes and disables people."""
    return work.actor is not None and work.actor.has(Right.MANAGE_PEOPLE)


def reaches(work: Work, municipality_id: int | None) -> bool:
    """Whether the actor may know the people of this municipality (None: of KOMBIT and suppliers)."""
    actor = work.actor
    return actor is None or actor.kombit or actor.municipality_id == municipality_id


def listed(work: Work, municipality_id: int | None) -> list[Listed]:
    """The people of a municipality, or of KOMBIT and suppliers; by name, those without access last.

    Who may not manage people sees the active ones only. Raises NotFoundError for another municipality.
    """
    access.require(work, Right.READ_ROLES)
    if not reaches(work, municipality_id):
        raise NotFoundError
    manages = may_manage(work)
    where = (
        Membership.municipality_id.is_(None)
        if municipality_id is None
        else Membership.municipality_id == municipality_id
    )
    statement = (
        select(Membership, Person)
        .join(Person, Person.id == Membership.person_id)
        .where(where, access.memberships(work), Person.anonymised_at.is_(None))
        .options(selectinload(Membership.systems))
        .order_by(Membership.active.desc(), Person.name_key, Person.id)
    )
    if not manages:
        statement = statement.where(Membership.active.is_(True), Person.active.is_(True))
    return [_row(member, person, manages) for member, person in work.session.execute(statement)]


def _row(member: Membership, person: Person, manages: bool) -> Listed:
    return Listed(
        member.id,
        person.id,
        person.name,
        person.email,
        person.phone,
        Level(member.level),
        member.organisation,
        tuple(sorted(link.system_code for link in member.systems)),
        member.active and person.active,
        person.seen_at if manages else None,
    )


def membership(work: Work, membership_id: int) -> Membership:
    """A membership the actor may see, with its person; raises NotFoundError."""
    access.require(work, Right.READ_ROLES)
    found = work.session.scalar(
        select(Membership)
        .join(Person, Person.id == Membership.person_id)
        .where(Membership.id == membership_id, access.memberships(work), Person.anonymised_at.is_(None))
    )
    if found is None or not (may_manage(work) or (found.active and found.person.active)):
        raise NotFoundError
    return found


def left_open(work: Work, member: Membership) -> LeftOpen:
    """The person's open tasks and roles in the membership's municipality."""
    mine = or_(
        MunicipalTask.responsible_id == member.person_id, MunicipalTask.executor_id == member.person_id
    )
    here = MunicipalTask.municipality_id == member.municipality_id
    tasks = work.session.scalars(
        select(MunicipalTask)
        .where(here, mine, access.visible(work), is_open(), IN_FORCE)
        .order_by(MunicipalTask.deadline.is_(None), MunicipalTask.deadline, MunicipalTask.id)
    ).all()
    held = work.session.scalars(
        select(RoleHolding)
        .where(
            RoleHolding.municipality_id == member.municipality_id,
            RoleHolding.person_id == member.person_id,
            access.holdings(work),
            or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to >= work.today),
        )
        .order_by(RoleHolding.id)
    ).all()
    return LeftOpen(tasks, held)


def by_address(work: Work, email: str) -> Person | None:
    """The person with this mail address, however it is written."""
    return work.session.scalar(select(Person).where(Person.email_key == email.strip().casefold()))
