"""What a departure does: the one reckoning that the page shows before the button and the act carries out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from klik.domain.deadlines import Colour
from klik.domain.rights import Level
from klik.models import (
    FilterUse,
    Membership,
    MembershipSystem,
    MunicipalTask,
    Person,
    RoleHolding,
    SavedFilter,
    System,
)
from klik.services import access, holders
from klik.services.departures import belongings
from klik.services.departures.belongings import FILTERS, TASKS, Belongings, role_key, shade
from klik.services.holders import HOLDER, SUBSTITUTE
from klik.services.work import Work

Heirs = Mapping[str, int | None]
RESPONSIBLE, EXECUTOR = "responsible", "executor"


@dataclass(frozen=True, slots=True)
class RoleStep:
    """A role that ends, its name with the system, who takes over (None: nobody) and who has it besides."""

    holding: RoleHolding
    key: str
    name: str
    heir_id: int | None
    others: tuple[str, ...]

    @property
    def falls_vacant(self) -> bool:
        """Whether nobody holds the role afterwards."""
        return self.heir_id is None and not self.others and self.holding.kind == HOLDER


@dataclass(frozen=True, slots=True)
class TaskStep:
    """A task, what the leaver is for it, who takes over (None: nobody, or the role it is given to), its colour."""

    task: MunicipalTask
    fields: tuple[str, ...]
    heir_id: int | None
    colour: Colour | None


@dataclass(frozen=True, slots=True)
class Share:
    """What one heir takes over; ``person`` is None for what nobody takes over."""

    person: Person | None
    roles: tuple[RoleStep, ...]
    tasks: tuple[TaskStep, ...]
    filters: tuple[SavedFilter, ...] = ()
    uses: tuple[FilterUse, ...] = ()
    systems: tuple[str, ...] = ()

    @property
    def red(self) -> int:
        """How many of the tasks are red."""
        return sum(step.colour is Colour.RED for step in self.tasks)

    @property
    def yellow(self) -> int:
        """How many of the tasks are yellow."""
        return sum(step.colour is Colour.YELLOW for step in self.tasks)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who takes over what when ``member`` leaves after ``last_day``; ``lost`` are heirs who are gone themselves."""

    member: Membership
    last_day: date
    roles: tuple[RoleStep, ...]
    tasks: tuple[TaskStep, ...]
    shares: tuple[Share, ...]
    lost: frozenset[int]

    @property
    def red(self) -> int:
        """How many of the tasks are red."""
        return sum(share.red for share in self.shares)

    @property
    def yellow(self) -> int:
        """How many of the tasks are yellow."""
        return sum(share.yellow for share in self.shares)


def plan(work: Work, member: Membership, last_day: date, heirs: Heirs, *, lock: bool = False) -> Plan:
    """Reckon what happens now, with these heirs; an heir who is no active member any longer takes over nothing."""
    owned = belongings.of(work, member, last_day, lock=lock)
    people = _people(work, member, heirs.values())
    lost = frozenset(each for each in heirs.values() if each is not None and each not in people)

    def heir(*keys: str) -> int | None:
        for key in keys:
            if key in heirs:
                return heirs[key] if heirs[key] in people else None
        return None

    names = system_names(work)
    besides = _besides(work, member, owned.holdings)
    roles = tuple(
        RoleStep(
            holding,
            role_key(holding),
            role_words(work, holding, names),
            heir(role_key(holding)),
            besides.get(holding.id, ()),
        )
        for holding in owned.holdings
    )
    tasks = tuple(
        TaskStep(
            task,
            _fields(task, member.person_id),
            heir(f"{TASKS}/{task.project_id}", TASKS),
            shade(task, work.today),
        )
        for task in owned.tasks
    )
    return Plan(
        member, last_day, roles, tasks, _shares(work, owned, people, roles, tasks, heir(FILTERS)), lost
    )


def members(work: Work, member: Membership) -> list[Person]:
    """Who may take over: the other active people of the municipality, by name."""
    return list(
        work.session.scalars(
            select(Person)
            .join(Membership, Membership.person_id == Person.id)
            .where(
                Membership.municipality_id == member.municipality_id,
                Membership.active.is_(True),
                Person.active.is_(True),
                Person.id != member.person_id,
            )
            .order_by(Person.name_key, Person.id)
        )
    )


def proposed(work: Work, member: Membership, last_day: date) -> dict[str, int | None]:
    """Who would take over, as the page is prefilled: for each role the substitute, else another holder, else who
    has the same role in another system, else nobody; the tasks and filters go with the first role."""
    owned = belongings.of(work, member, last_day)
    allowed = {person.id for person in members(work, member)}
    roles = {holding.role for holding in owned.holdings}
    held = holders.of_roles(work, [member.municipality_id or 0], roles) if roles else {}
    found: dict[str, int | None] = {}
    by_system: dict[str | None, int] = {}
    for holding in owned.holdings:
        others = [
            each
            for each in held.get((holding.municipality_id, holding.role), ())
            if each.person_id in allowed
        ]
        ranked = sorted(
            others,
            key=lambda each: (each.system != holding.system_code, not each.substitute),
        )
        heir = ranked[0].person_id if ranked and holding.kind == HOLDER else None
        found[role_key(holding)] = heir
        if heir is not None:
            by_system.setdefault(holding.system_code, heir)
    first = next((each for each in found.values() if each is not None), None)
    found[TASKS] = found[FILTERS] = first
    for project in owned.projects:
        own = by_system.get(project.system_code)
        if own is not None and own != first:
            found[f"{TASKS}/{project.id}"] = own
    return found


def system_names(work: Work) -> Mapping[str, str]:
    """The systems' names by code."""
    return dict(work.session.execute(select(System.code, System.name)).all())


def role_words(work: Work, holding: RoleHolding, names: Mapping[str, str]) -> str:
    """ "Systemansvarlig for KY", "Stedfortræder som systemansvarlig for KY"."""
    name = work.registry.content.role(holding.role).name
    if holding.kind == SUBSTITUTE:
        name = f"Stedfortræder som {holders.role_name(work, holding.role)}"
    system = holding.system_code
    return f"{name} for {names.get(system, system)}" if system else name


def _people(work: Work, member: Membership, ids: Iterable[int | None]) -> Mapping[int, Person]:
    wanted = {each for each in ids if each is not None and each != member.person_id}
    found = {}
    for each in sorted(wanted):
        person = access.member(work, each, member.municipality_id or 0)
        if person is not None:
            found[each] = person
    return found


def _besides(
    work: Work, member: Membership, holdings: Iterable[RoleHolding]
) -> Mapping[int, tuple[str, ...]]:
    """By holding, the names of those who hold the same role for the same system today."""
    held = list(holdings)
    found = (
        holders.of_roles(work, [member.municipality_id or 0], {each.role for each in held}) if held else {}
    )
    return {
        each.id: tuple(
            other.name
            for other in found.get((each.municipality_id, each.role), ())
            if other.system == each.system_code
            and not other.substitute
            and other.person_id != member.person_id
        )
        for each in held
    }


def _fields(task: MunicipalTask, person_id: int) -> tuple[str, ...]:
    return tuple(field for field in (RESPONSIBLE, EXECUTOR) if getattr(task, f"{field}_id") == person_id)


def _shares(
    work: Work,
    owned: Belongings,
    people: Mapping[int, Person],
    roles: Iterable[RoleStep],
    tasks: Iterable[TaskStep],
    filter_heir: int | None,
) -> tuple[Share, ...]:
    by_heir: dict[int | None, tuple[list[RoleStep], list[TaskStep]]] = defaultdict(lambda: ([], []))
    for role in roles:
        by_heir[role.heir_id][0].append(role)
    for task in tasks:
        by_heir[task.heir_id][1].append(task)
    if filter_heir is not None and (owned.filters or owned.uses or owned.systems):
        by_heir.setdefault(filter_heir, ([], []))
    shares = []
    for heir_id, (theirs, given) in by_heir.items():
        passed = heir_id is not None and heir_id == filter_heir
        shares.append(
            Share(
                people[heir_id] if heir_id is not None else None,
                tuple(theirs),
                tuple(sorted(given, key=_urgency)),
                tuple(owned.filters) if passed else (),
                tuple(owned.uses) if passed else (),
                _followed(work, people[heir_id], owned) if passed and heir_id is not None else (),
            )
        )
    shares.sort(key=lambda share: (share.person is None, share.person.name_key if share.person else ""))
    return tuple(shares)


def _followed(work: Work, heir: Person, owned: Belongings) -> tuple[str, ...]:
    """The systems the heir follows from now on: only a plus user with systems follows some and not others."""
    rows = work.session.execute(
        select(Membership.level, MembershipSystem.system_code)
        .join(MembershipSystem, MembershipSystem.membership_id == Membership.id)
        .where(Membership.person_id == heir.id, Membership.municipality_id == owned.municipality_id)
    ).all()
    if not rows or rows[0].level != Level.PLUS_USER.value:
        return ()
    return tuple(code for code in owned.systems if code not in {row.system_code for row in rows})


def _urgency(step: TaskStep) -> tuple[int, date, int]:
    rank = {Colour.RED: 0, Colour.YELLOW: 1}.get(step.colour, 2) if step.colour else 3
    return rank, step.task.deadline or date.max, step.task.id
