"""The address book: municipalities, the phase each of their systems is in, and who holds which role today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, select

from klik.content.phases import Phase
from klik.content.roles import RoleDescription
from klik.domain.deadlines import danish_today
from klik.domain.rights import Right
from klik.models import (
    BouncedAddress,
    Membership,
    Municipality,
    MunicipalSystem,
    MunicipalTask,
    Person,
    Project,
    RoleHolding,
    System,
    Wave,
)
from klik.services import access, holders
from klik.services.errors import NotFoundError
from klik.services.holders import Holder
from klik.services.overview import IN_FORCE, count_of, is_open
from klik.services.roles import rounds
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who holds a role, and how to reach them; a functional mailbox has no ``person_id``."""

    municipality_id: int
    municipality: str
    role: RoleDescription
    system: str | None
    person_id: int | None
    membership_id: int | None
    name: str
    address: str
    phone: str | None
    primary: bool
    substitute: bool
    valid_from: date
    confirmed_at: datetime | None
    returned: bool

    @property
    def is_mailbox(self) -> bool:
        """Whether a functional mailbox holds the role, and no person."""
        return self.person_id is None

    def confirmed_on(self) -> date | None:
        """The Danish day on which somebody last said that this is still right."""
        return danish_today(self.confirmed_at) if self.confirmed_at else None

    def is_stale(self, now: datetime) -> bool:
        """Whether the round of that day waits for somebody to confirm it; of substitutes it asks nothing."""
        return not self.substitute and rounds.of(danish_today(now)).asks(self)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a municipality stands with a system: the slug of its phase, and its wave."""

    phase: str
    wave: str | None
    wave_name: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality and its systems by code."""

    code: int
    name: str
    region: str
    systems: Mapping[str, Standing]


@dataclass(frozen=True, slots=True)
class Slot:
    """A role in a municipality with those who hold it today, the one to turn to first."""

    place: Place
    role: RoleDescription
    system: str | None
    holders: tuple[Contact, ...]
    substitutes: tuple[Contact, ...]

    @property
    def vacant(self) -> bool:
        """Whether nobody holds the role; a substitute does not fill it."""
        return not self.holders

    @property
    def first(self) -> Contact | None:
        """The one who is written to when only one is."""
        return self.holders[0] if self.holders else None


@dataclass(frozen=True, slots=True)
class Book:
    """What the actor may see; ``places`` in Danish order, ``system_names`` by code in Danish order."""

    places: tuple[Place, ...]
    system_names: Mapping[str, str]
    _contacts: Mapping[tuple[int, str], Sequence[Contact]]

    def slot(self, place: Place, role: RoleDescription, system: str | None) -> Slot:
        """Who holds the role for the system or across all of them; without a system across them only."""
        fitting = [
            each for each in self._contacts.get((place.code, role.slug), ()) if each.system in (None, system)
        ]
        # The system's own primary goes before one for all systems, as when a task is given to a role.
        fitting.sort(key=lambda each: (not each.primary, each.system is None))
        return Slot(
            place,
            role,
            system,
            tuple(each for each in fitting if not each.substitute),
            tuple(each for each in fitting if each.substitute),
        )

    def contacts(self) -> Iterable[Contact]:
        """Everybody who holds a role of the book."""
        return (each for found in self._contacts.values() for each in found)


def read(work: Work, roles: Iterable[RoleDescription], municipality_id: int | None = None) -> Book:
    """The book of these roles, of one municipality or of all the actor sees; eight statements for any number.

    Raises NotFoundError for a municipality that is not the actor's to see, ForbiddenError for suppliers.
    """
    access.require(work, Right.READ_ROLES)
    known = {role.slug: role for role in roles}
    rows = _municipalities(work, municipality_id)
    codes = [code for code, _name, _region in rows]
    held = holders.of_roles(work, codes, known.keys())
    systems = _standings(work, codes)
    for (code, _role), everybody in held.items():
        for each in everybody:
            if each.system and each.system not in systems[code]:
                systems[code][each.system] = Standing(work.registry.content.phases[0].slug, None, None)
    places = tuple(Place(code, name, region, systems[code]) for code, name, region in rows)
    return Book(places, _system_names(work), _contacts(work, places, known, held))


def _municipalities(work: Work, municipality_id: int | None) -> Sequence[tuple[int, str, str]]:
    asked = () if municipality_id is None else (Municipality.id == municipality_id,)
    rows = work.session.execute(
        select(Municipality.id, Municipality.name, Municipality.region)
        .where(access.municipalities(work), Municipality.active.is_(True), *asked)
        .order_by(Municipality.name_key)
    ).all()
    if municipality_id is not None and not rows:
        raise NotFoundError
    return [(code, name, region) for code, name, region in rows]


def _system_names(work: Work) -> Mapping[str, str]:
    rows = work.session.execute(select(System.code, System.name).order_by(System.name))
    return {code: name for code, name in rows}


def _standings(work: Work, codes: Collection[int]) -> dict[int, dict[str, Standing]]:
    """The systems of each municipality: those it has, and those it has tasks for."""
    found: dict[int, dict[str, Standing]] = defaultdict(dict)
    tasks = _open_by_phase(work, codes)
    rows = work.session.execute(
        select(
            MunicipalSystem.municipality_id,
            MunicipalSystem.system_code,
            func.coalesce(MunicipalSystem.go_live, Wave.go_live),
            Wave.slug,
            Wave.name,
        )
        .outerjoin(Wave, Wave.id == MunicipalSystem.wave_id)
        .where(MunicipalSystem.municipality_id.in_(codes))
    )
    phases = work.registry.content.phases
    for code, system, live, wave, wave_name in rows:
        phase = phase_of(phases, tasks.get((code, system)), live, work.today)
        found[code][system] = Standing(phase, wave, wave_name)
    for (code, system), counted in tasks.items():
        if system not in found[code]:
            found[code][system] = Standing(phase_of(phases, counted, None, work.today), None, None)
    return found


def phase_of(
    phases: Sequence[Phase], counted: Mapping[str, int] | None, go_live: date | None, today: date
) -> str:
    """The slug of the phase a system is in, from KOMBIT's tasks: the earliest one with any still open.

    ``counted`` are open tasks by phase, with a 0 where all are closed. With nothing open the system is at rest in the
    last phase (seed 003: phases 1–3 are closed when the systemansvarlig takes over). Without tasks its day decides.
    """
    in_order = sorted(phases, key=lambda phase: phase.number)
    if counted:
        still = (phase.slug for phase in in_order if counted.get(phase.slug))
        return next(still, in_order[-1].slug)
    return in_order[-1 if go_live is not None and go_live <= today else 0].slug


def _open_by_phase(work: Work, codes: Collection[int]) -> Mapping[tuple[int, str], Mapping[str, int]]:
    """KOMBIT's tasks of each project's present round: what is local keeps nobody back in a phase. One statement."""
    found: dict[tuple[int, str], dict[str, int]] = defaultdict(dict)
    for code, system, phase, count in work.session.execute(
        select(
            MunicipalTask.municipality_id,
            MunicipalTask.system_code,
            MunicipalTask.phase,
            count_of(is_open()),
        )
        .join(Project, and_(Project.id == MunicipalTask.project_id, Project.round == MunicipalTask.round))
        .where(
            MunicipalTask.municipality_id.in_(codes),
            MunicipalTask.system_code.is_not(None),
            MunicipalTask.task_id.is_not(None),
            Project.active.is_(True),
            access.visible(work),
            IN_FORCE,
        )
        .group_by(MunicipalTask.municipality_id, MunicipalTask.system_code, MunicipalTask.phase)
    ):
        found[code, system][phase] = int(count)
    return found


def _contacts(
    work: Work,
    places: Iterable[Place],
    roles: Mapping[str, RoleDescription],
    held: holders.Holdings,
) -> Mapping[tuple[int, str], Sequence[Contact]]:
    names = {place.code: place.name for place in places}
    people = _people(work, names)
    periods = _periods(work, names, roles)
    returned = set(
        work.session.scalars(select(BouncedAddress.address_key).where(BouncedAddress.state == "haard"))
    )

    def contact(code: int, role: str, each: Holder) -> Contact:
        membership, phone = people.get((code, each.person_id), (None, None))
        valid_from, confirmed_at = periods.get((code, role, each.system, each.who), (work.today, None))
        return Contact(
            municipality_id=code,
            municipality=names[code],
            role=roles[role],
            system=each.system,
            person_id=each.person_id,
            membership_id=membership,
            name=each.name,
            address=each.address,
            phone=phone,
            primary=each.primary,
            substitute=each.substitute,
            valid_from=valid_from,
            confirmed_at=confirmed_at,
            returned=each.address.casefold() in returned,
        )

    return {
        (code, role): [contact(code, role, each) for each in everybody]
        for (code, role), everybody in held.items()
    }


def _people(work: Work, codes: Collection[int]) -> Mapping[tuple[int, int | None], tuple[int, str | None]]:
    """Membership and phone of everybody who may sign in, by municipality and person; one statement."""
    rows = work.session.execute(
        select(Membership.municipality_id, Membership.person_id, Membership.id, Person.phone)
        .join(Person, Person.id == Membership.person_id)
        .where(access.memberships(work), Membership.municipality_id.in_(codes), Membership.active.is_(True))
    )
    return {(code, person): (membership, phone) for code, person, membership, phone in rows}


def _periods(
    work: Work, codes: Collection[int], roles: Collection[str]
) -> Mapping[tuple[int, str, str | None, int | str], tuple[date, datetime | None]]:
    """Since when each of today's holdings stands, and when it was last confirmed; one statement."""
    rows = work.session.execute(
        select(
            RoleHolding.municipality_id,
            RoleHolding.role,
            RoleHolding.system_code,
            RoleHolding.person_id,
            RoleHolding.mailbox,
            RoleHolding.valid_from,
            RoleHolding.confirmed_at,
        ).where(
            access.holdings(work),
            RoleHolding.municipality_id.in_(codes),
            RoleHolding.role.in_(sorted(roles)),
            holders.today(work),
        )
    )
    return {
        (code, role, system, person or (mailbox or "").casefold()): (valid_from, confirmed_at)
        for code, role, system, person, mailbox, valid_from, confirmed_at in rows
    }
