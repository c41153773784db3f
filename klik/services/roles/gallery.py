"""The role gallery: who holds which role in a municipality, what is vacant, and how fresh that knowledge is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, exists, func, or_, select

from klik.content.roles import Holders, RoleDescription, RoleScope
from klik.domain.deadlines import danish_today
from klik.domain.rights import Level, Right
from klik.domain.texts import sort_key
from klik.models import (
    BouncedAddress,
    Membership,
    Municipality,
    MunicipalSystem,
    Person,
    RoleHolding,
    System,
)
from klik.services import access
from klik.services.errors import NotFoundError
from klik.services.holders import HOLDER, MEMBER, SUBSTITUTE, first_in_line
from klik.services.people import leaving, privacy
from klik.services.roles import editions, rounds, vacancies
from klik.services.roles.vacancies import ACROSS, Held, Needs, Standing
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Holding:
    """One holder of a role as pages show it; the primary one gets what is sent to a single person.

    ``active`` is false for somebody who may no longer sign in in the municipality.
    """

    id: int
    version: int
    role: str
    system: str | None
    person_id: int | None
    name: str
    address: str
    phone: str | None
    kind: str
    is_primary: bool
    valid_from: date
    valid_to: date | None
    confirmed_at: datetime | None
    note: str | None
    active: bool
    reachable: bool
    membership_id: int | None
    returned: BouncedAddress | None
    level: Level | None

    @property
    def primary(self) -> bool:
        """The same word as of ``Holder``."""
        return self.is_primary

    @property
    def is_mailbox(self) -> bool:
        """Whether a functional mailbox holds the role, and no person."""
        return self.person_id is None

    def confirmed_on(self) -> date | None:
        """The Danish day on which somebody last said that this is still right."""
        return danish_today(self.confirmed_at) if self.confirmed_at else None

    def is_stale(self, now: datetime) -> bool:
        """Whether the round of that day waits for somebody to confirm it; of substitutes it asks nothing."""
        return self.kind == HOLDER and rounds.of(danish_today(now)).asks(self)


@dataclass(frozen=True, slots=True)
class Slot:
    """One role to be held in a municipality, for one system or across them."""

    role: RoleDescription
    system: str | None
    system_name: str | None
    holders: tuple[Holding, ...] = ()
    substitutes: tuple[Holding, ...] = ()
    coming: tuple[Holding, ...] = ()
    phases_now: tuple[str, ...] = ()
    standing: Standing = Standing.VACANT
    required_now: bool = False

    @property
    def vacant(self) -> bool:
        """Whether nobody holds the role today; a substitute does not fill it."""
        return self.standing in (Standing.VACANT, Standing.MISSING)

    @property
    def lacks_primary(self) -> bool:
        """Whether several hold a role that wants one of them to be primary, and none is."""
        return self.standing is Standing.WITHOUT_PRIMARY

    def lacks_right(self, holding: Holding) -> bool:
        """Whether the holder should be plusbruger to be told of new tasks, and is not (seed 003)."""
        told = (Level.PLUS_USER, Level.ADMINISTRATOR)
        return self.role.plus_user and not holding.is_mailbox and holding.level not in told


@dataclass(frozen=True, slots=True)
class SystemRoles:
    """The roles of one system."""

    code: str
    name: str
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Gallery:
    """A municipality's roles: across systems first, then system by system."""

    municipality_id: int
    municipality: str
    across: tuple[Slot, ...]
    systems: tuple[SystemRoles, ...]

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Every slot there is."""
        return (*self.across, *(slot for system in self.systems for slot in system.slots))

    @property
    def vacant(self) -> int:
        """How many roles nobody holds."""
        return sum(slot.vacant for slot in self.slots)

    @property
    def filled(self) -> int:
        """How many roles somebody holds."""
        return sum(not slot.vacant for slot in self.slots)

    @property
    def urgent(self) -> int:
        """How many roles nobody holds that the open tasks need now."""
        return sum(slot.vacant and slot.required_now for slot in self.slots)


def of(work: Work, municipality_id: int, day: date | None = None) -> Gallery:
    """The gallery of one municipality, today or as of another day; four statements.

    Another day's shows who held the roles then, by what is written down now; it says nothing of which roles the
    tasks needed, and of a primary only where the day had one holder. Raises NotFoundError for a municipality not
    the actor's to see.
    """
    day = day or work.today
    is_today = day == work.today
    municipality = _municipality(work, municipality_id)
    needs = vacancies.needs(work, municipality_id).get(municipality_id, Needs())
    period = _not_over(day) if is_today else and_(RoleHolding.valid_from <= day, _not_over(day))
    found = holdings(work, RoleHolding.municipality_id == municipality_id, period)
    held = {(each.role, each.system) for each in found}
    systems = _systems(
        work, municipality_id, set(needs.systems) | {system for _role, system in held if system}
    )
    content = work.registry.content
    known = {role.slug for role in content.roles}
    retired = sorted({role for role, _system in held} - known)
    described = [*content.roles, *(editions.remembered(work, slug) for slug in retired)]
    by_slot: dict[tuple[str, str | None], list[Holding]] = defaultdict(list)
    held_of: dict[str, list[Holding]] = defaultdict(list)
    for each in found:
        by_slot[each.role, each.system].append(each)
        if each.active and each.kind == HOLDER and each.valid_from <= work.today:
            held_of[each.role].append(each)

    def slot(role: RoleDescription, system: str | None) -> Slot:
        phases = needs.phases_of(role, system or ACROSS) if is_today else frozenset()
        shown = tuple(phase.slug for phase in content.phases if phase.slug in phases)
        name = systems.get(system, system) if system else None
        made = _slot(day, role, system, name, by_slot[role.slug, system], shown, chosen=is_today)
        if is_today:
            return replace(made, **_standing(role, system or ACROSS, needs, held_of[role.slug]))
        return replace(made, standing=Standing.FILLED if made.holders else Standing.VACANT)

    return Gallery(
        municipality.id,
        municipality.name,
        tuple(
            slot(role, None)
            for role in described
            if role.scope is RoleScope.MUNICIPALITY or (role.slug, None) in held
        ),
        tuple(
            SystemRoles(
                code,
                name,
                tuple(
                    slot(role, code)
                    for role in described
                    if (role.is_for(code) and not role.is_retired) or (role.slug, code) in held
                ),
            )
            for code, name in systems.items()
        ),
    )


def _municipality(work: Work, municipality_id: int) -> Municipality:
    access.require(work, Right.READ_ROLES)
    found = work.session.scalar(
        select(Municipality).where(Municipality.id == municipality_id, access.municipalities(work))
    )
    if found is None:
        raise NotFoundError
    return found


def _not_over(today: date) -> object:
    return or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to >= today)


def holdings(work: Work, *which: object) -> list[Holding]:
    """Holdings the actor may see, as pages show them; one statement."""
    rows = work.session.execute(
        select(RoleHolding, Person, Membership, BouncedAddress)
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .outerjoin(Membership, MEMBER)
        .outerjoin(
            BouncedAddress,
            BouncedAddress.address_key == func.coalesce(Person.email_key, func.lower(RoleHolding.mailbox)),
        )
        .where(access.holdings(work), *which)  # type: ignore[arg-type]
        # The order in which others look for whom to tell, so that both find the same person first.
        .order_by(RoleHolding.is_primary.desc(), RoleHolding.id)
    )
    return [_holding(work, row, person, member, mark) for row, person, member, mark in rows]


def _holding(
    work: Work,
    row: RoleHolding,
    person: Person | None,
    member: Membership | None,
    mark: BouncedAddress | None,
) -> Holding:
    if member is not None and leaving.is_forgotten(member, work.today):
        return _forgotten(row)
    active = person is None or (person.active and member is not None and member.active)
    return Holding(
        id=row.id,
        version=row.version,
        role=row.role,
        system=row.system_code,
        person_id=row.person_id,
        name=person.name if person else row.mailbox or "",
        address=person.email if person else row.mailbox or "",
        phone=person.phone if person else None,
        kind=row.kind,
        is_primary=row.is_primary,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        confirmed_at=row.confirmed_at,
        note=row.note,
        membership_id=member.id if member else None,
        active=active,
        reachable=active and (mark is None or mark.state != "haard"),
        returned=mark,
        level=Level(member.level) if member else None,
    )


def _forgotten(row: RoleHolding) -> Holding:
    """A holding of somebody whom this municipality no longer knows by name, though others may (decision 0017)."""
    return Holding(
        id=row.id,
        version=row.version,
        role=row.role,
        system=row.system_code,
        person_id=row.person_id,
        name=privacy.NAME,
        address="",
        phone=None,
        kind=row.kind,
        is_primary=row.is_primary,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        confirmed_at=row.confirmed_at,
        note=None,
        membership_id=None,
        active=False,
        reachable=False,
        returned=None,
        level=None,
    )


def _standing(role: RoleDescription, system: str, needs: Needs, held: Iterable[Holding]) -> dict[str, Any]:
    """How it stands with a slot, by the rule that all pages share."""
    everyone = Held(
        tuple(each.system or ACROSS for each in held),
        tuple(each.system or ACROSS for each in held if each.primary),
    )
    found = vacancies.places(role, {system}, needs, everyone)
    needed = vacancies.places(role, {system}, needs, vacancies.NOBODY).missing
    return {"standing": found.standing(system), "required_now": bool(needed)}


def _systems(work: Work, municipality_id: int, others: set[str]) -> dict[str, str]:
    """Code → name of the systems the municipality has, has tasks for, or has roles for; by name."""
    has = exists().where(
        MunicipalSystem.system_code == System.code, MunicipalSystem.municipality_id == municipality_id
    )
    rows = work.session.execute(select(System.code, System.name, has))
    shown = [(code, name) for code, name, there in rows if there or code in others]
    return dict(sorted(shown, key=lambda system: sort_key(system[1])))


def _slot(
    day: date,
    role: RoleDescription,
    system: str | None,
    system_name: str | None,
    found: Sequence[Holding],
    phases_now: tuple[str, ...],
    *,
    chosen: bool,
) -> Slot:
    there = [each for each in found if each.valid_from <= day]
    return Slot(
        role=role,
        system=system,
        system_name=system_name,
        holders=_with_primary(role, [each for each in there if each.kind == HOLDER], chosen=chosen),
        substitutes=tuple(each for each in there if each.kind == SUBSTITUTE),
        coming=tuple(
            sorted((each for each in found if each.valid_from > day), key=lambda each: each.valid_from)
        ),
        phases_now=phases_now,
    )


def _with_primary(role: RoleDescription, held: Sequence[Holding], *, chosen: bool) -> tuple[Holding, ...]:
    """The holders with the primary one first; without knowing who was chosen, only somebody alone is it.

    Somebody who can no longer sign in stands last: nobody is told through them.
    """
    known = [each for each in held if each.active] or list(held)
    first = None
    if chosen:
        first = first_in_line(role.holders, known)
    elif len(known) == 1 and role.holders is not Holders.SEVERAL:
        first = known[0]
    marked = [replace(each, is_primary=each is first) for each in held]
    return tuple(sorted(marked, key=lambda each: (not each.is_primary, not each.active)))
