"""The role gallery: who holds which role in a municipality, what is vacant, and how fresh that knowledge is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

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
    MunicipalTask,
    Person,
    RoleHolding,
    System,
)
from klik.services import access
from klik.services.errors import NotFoundError
from klik.services.holders import HOLDER, SUBSTITUTE
from klik.services.overview import IN_FORCE, is_open
from klik.services.people import leaving, privacy
from klik.services.work import Work

# Half a year: KOMBIT's newsletters ask municipalities that often whether their registrations still hold.
CONFIRMED_FOR = timedelta(days=182)


@dataclass(frozen=True, slots=True)
class Holding:
    """One holder of a role as pages show it; ``primary`` is the one that mail for a single person goes to."""

    id: int
    version: int
    role: str
    system: str | None
    person_id: int | None
    name: str
    address: str
    phone: str | None
    kind: str
    primary: bool
    valid_from: date
    valid_to: date | None
    confirmed_at: datetime | None
    note: str | None
    reachable: bool
    membership_id: int | None
    returned: BouncedAddress | None
    level: Level | None

    @property
    def is_mailbox(self) -> bool:
        """Whether a functional mailbox holds the role, and no person."""
        return self.person_id is None

    def confirmed_on(self) -> date | None:
        """The Danish day on which somebody last said that this is still right."""
        return danish_today(self.confirmed_at) if self.confirmed_at else None

    def is_stale(self, now: datetime) -> bool:
        """Whether nobody has confirmed it for half a year."""
        return self.confirmed_at is None or now - self.confirmed_at > CONFIRMED_FOR


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

    @property
    def vacant(self) -> bool:
        """Whether nobody holds the role today; a substitute does not fill it."""
        return not self.holders

    @property
    def required_now(self) -> bool:
        """Whether the municipality has open tasks in a phase in which the role should be filled."""
        return bool(self.phases_now)

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
    def urgent(self) -> int:
        """How many roles nobody holds that the open tasks need now."""
        return sum(slot.vacant and slot.required_now for slot in self.slots)


def of(work: Work, municipality_id: int) -> Gallery:
    """The gallery of one municipality; four statements. Raises NotFoundError for one not the actor's to see."""
    municipality = _municipality(work, municipality_id)
    open_phases, with_tasks = _tasks(work, municipality_id)
    holdings = _holdings(work, RoleHolding.municipality_id == municipality_id, _not_over(work.today))
    held = {(each.role, each.system) for each in holdings}
    systems = _systems(work, municipality_id, with_tasks | {system for _role, system in held if system})
    content = work.registry.content
    known = {role.slug for role in content.roles}
    described = [*content.roles, *(content.role(slug) for slug in sorted({role for role, _ in held} - known))]
    by_slot: dict[tuple[str, str | None], list[Holding]] = defaultdict(list)
    for each in holdings:
        by_slot[each.role, each.system].append(each)

    def slot(role: RoleDescription, system: str | None) -> Slot:
        phases = open_phases[system] if system else set().union(*open_phases.values())
        shown = [phase.slug for phase in content.phases if phase.slug in phases and phase.slug in role.phases]
        name = systems.get(system, system) if system else None
        return _slot(work.today, role, system, name, by_slot[role.slug, system], tuple(shown))

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


def history(work: Work, municipality_id: int, role: str) -> tuple[Holding, ...]:
    """Who held the role before today, latest first."""
    over = RoleHolding.valid_to < work.today
    found = _holdings(work, RoleHolding.municipality_id == municipality_id, RoleHolding.role == role, over)
    left = leaving.left_people(work, municipality_id)
    shown = [
        replace(each, name=privacy.NAME, address="", phone=None, note=None, membership_id=None)
        if each.person_id in left
        else each
        for each in found
    ]
    return tuple(sorted(shown, key=lambda each: (each.valid_to or date.max, each.id), reverse=True))


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


def _holdings(work: Work, *which: object) -> list[Holding]:
    rows = work.session.execute(
        select(RoleHolding, Person, Membership, BouncedAddress)
        .outerjoin(Person, Person.id == RoleHolding.person_id)
        .outerjoin(
            Membership,
            and_(
                Membership.person_id == RoleHolding.person_id,
                Membership.municipality_id == RoleHolding.municipality_id,
            ),
        )
        .outerjoin(
            BouncedAddress,
            BouncedAddress.address_key == func.coalesce(Person.email_key, func.lower(RoleHolding.mailbox)),
        )
        .where(access.holdings(work), *which)  # type: ignore[arg-type]
        # The order in which others look for whom to tell, so that both find the same person first.
        .order_by(RoleHolding.is_primary.desc(), RoleHolding.id)
    )
    return [_holding(row, person, member, mark) for row, person, member, mark in rows]


def _holding(
    row: RoleHolding, person: Person | None, member: Membership | None, mark: BouncedAddress | None
) -> Holding:
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
        primary=row.is_primary,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        confirmed_at=row.confirmed_at,
        note=row.note,
        membership_id=member.id if member else None,
        reachable=active and (mark is None or mark.state != "haard"),
        returned=mark,
        level=Level(member.level) if member else None,
    )


def _tasks(work: Work, municipality_id: int) -> tuple[Mapping[str | None, set[str]], set[str]]:
    """Phases with open tasks by system, and the systems with any task; one statement."""
    open_phases: dict[str | None, set[str]] = defaultdict(set)
    with_tasks = set()
    for system, phase, count in work.session.execute(
        select(MunicipalTask.system_code, MunicipalTask.phase, func.count().filter(is_open()))
        .where(MunicipalTask.municipality_id == municipality_id, access.visible(work), IN_FORCE)
        .group_by(MunicipalTask.system_code, MunicipalTask.phase)
    ):
        if system:
            with_tasks.add(system)
        if count:
            open_phases[system].add(phase)
    return open_phases, with_tasks


def _systems(work: Work, municipality_id: int, others: set[str]) -> dict[str, str]:
    """Code → name of the systems the municipality has, has tasks for, or has roles for; by name."""
    has = exists().where(
        MunicipalSystem.system_code == System.code, MunicipalSystem.municipality_id == municipality_id
    )
    rows = work.session.execute(select(System.code, System.name, has))
    shown = [(code, name) for code, name, there in rows if there or code in others]
    return dict(sorted(shown, key=lambda system: sort_key(system[1])))


def _slot(
    today: date,
    role: RoleDescription,
    system: str | None,
    system_name: str | None,
    holdings: Sequence[Holding],
    phases_now: tuple[str, ...],
) -> Slot:
    now = [each for each in holdings if each.valid_from <= today]
    holders = [each for each in now if each.kind == HOLDER]
    return Slot(
        role=role,
        system=system,
        system_name=system_name,
        holders=tuple(_with_primary(role, holders)),
        substitutes=tuple(each for each in now if each.kind == SUBSTITUTE),
        coming=tuple(each for each in holdings if each.valid_from > today),
        phases_now=phases_now,
    )


def _with_primary(role: RoleDescription, holders: Iterable[Holding]) -> Iterable[Holding]:
    """Exactly one primary wherever the role wants one: when the primary's time ran out, the next in line."""
    for place, each in enumerate(holders):
        alone = role.holders is not Holders.SEVERAL
        yield replace(each, primary=place == 0) if alone else each
