"""Who is in klik: the people of a municipality, of KOMBIT and of suppliers, and what hangs on each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, not_, or_, select
from sqlalchemy.orm import selectinload

from klik.domain.rights import Level, Right
from klik.domain.texts import search_key
from klik.models import Membership, MembershipSystem, Municipality, MunicipalTask, Person, RoleHolding
from klik.services import access, holders
from klik.services.errors import NotFoundError
from klik.services.overview import IN_FORCE, is_open
from klik.services.people import invitations
from klik.services.people.invitations import Invitation
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
    invitation: Invitation | None = None


# What the list may be narrowed to besides name, level and system; all but the first only by those who manage people.
WITHOUT_ROLE, NEVER, INVITED, CLOSED = "uden-rolle", "aldrig", "inviteret", "lukket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What the list of people is narrowed to; empty words narrow nothing."""

    name: str = ""
    level: str = ""
    system: str = ""
    state: str = ""

    @property
    def narrows(self) -> bool:
        """Whether anything is sought."""
        return bool(self.name or self.level or self.system or self.state)


@dataclass(frozen=True, slots=True)
class Watch:
    """A municipality as KOMBIT looks after its people: how many administrators, and how many never signed in."""

    id: int
    name: str
    administrators: int
    waiting: int
    people: int


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


def listed(work: Work, municipality_id: int | None, sought: Sought | None = None) -> list[Listed]:
    """The people of a municipality, or of KOMBIT and suppliers; by name, those without access last.

    Who may not manage people sees the active ones only, and can ask for nothing else. A name is found by any part of
    it or of the mail address. Raises NotFoundError for another municipality.
    """
    sought = sought or Sought()
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
    rows = work.session.execute(_narrowed(work, statement, sought, municipality_id, manages)).all()
    if sought.name:
        wanted = search_key(sought.name)
        rows = [row for row in rows if wanted in search_key(row[1].name) or wanted in row[1].email_key]
    waiting = invitations.of(work, [person.id for _, person in rows]) if manages else {}
    return [_row(member, person, manages, waiting) for member, person in rows]


def _narrowed(
    work: Work, statement: Select[Any], sought: Sought, municipality_id: int | None, manages: bool
) -> Select[Any]:
    if sought.level:
        statement = statement.where(Membership.level == sought.level)
    if sought.system:
        statement = statement.where(Membership.systems.any(MembershipSystem.system_code == sought.system))
    is_in = and_(Membership.active.is_(True), Person.active.is_(True))
    if sought.state == WITHOUT_ROLE:
        held = select(RoleHolding.person_id).where(
            RoleHolding.municipality_id == municipality_id,
            RoleHolding.person_id.is_not(None),
            holders.today(work),
        )
        statement = statement.where(is_in, Person.id.not_in(held))
    elif sought.state == NEVER and manages:
        statement = statement.where(is_in, Person.seen_at.is_(None))
    elif sought.state == INVITED and manages:
        statement = statement.where(is_in, Person.password_hash.is_(None))
    elif sought.state == CLOSED and manages:
        statement = statement.where(not_(is_in))
    return statement


def watched(work: Work) -> list[Watch]:
    """Every municipality for KOMBIT, those without an administrator first; one statement. Raises ForbiddenError."""
    access.require(work, Right.PUBLISH)
    is_in = and_(Membership.active.is_(True), Person.active.is_(True))
    administrator = and_(is_in, Membership.level == Level.ADMINISTRATOR.value)
    rows = work.session.execute(
        select(
            Municipality.id,
            Municipality.name,
            func.sum(case((administrator, 1), else_=0)),
            func.sum(case((and_(administrator, Person.seen_at.is_(None)), 1), else_=0)),
            func.sum(case((is_in, 1), else_=0)),
        )
        .outerjoin(Membership, Membership.municipality_id == Municipality.id)
        .outerjoin(Person, Person.id == Membership.person_id)
        .where(Municipality.active.is_(True))
        .group_by(Municipality.id, Municipality.name, Municipality.name_key)
        .order_by(Municipality.name_key)
    )
    return sorted((Watch(*row) for row in rows), key=lambda each: each.administrators > 0)


def places(work: Work) -> list[tuple[Membership, str]]:
    """Where the actor may go on with an own access: each active membership and the name of its place."""
    actor = access.require(work, Right.SIGNED_IN)
    rows = work.session.execute(
        select(Membership, Municipality.name)
        .outerjoin(Municipality, Municipality.id == Membership.municipality_id)
        .where(Membership.person_id == actor.person_id, Membership.active.is_(True))
        .order_by(Municipality.name_key.is_(None), Municipality.name_key, Membership.id)
    )
    return [(member, name or member.organisation or "KOMBIT") for member, name in rows]


def _row(member: Membership, person: Person, manages: bool, waiting: Mapping[int, Invitation]) -> Listed:
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
        waiting.get(person.id) if member.active else None,
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
