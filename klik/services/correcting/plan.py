"""What a correction comes to, copy by copy: three ways for each field (KOMBIT's old value, its new one, the local).

The page that shows the impact and the act itself read the same plan.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from klik.domain.deadlines import danish_today
from klik.domain.status import Status
from klik.models import Project, Task, TaskVersion
from klik.plugins.manager import plugin_of
from klik.plugins.views import MunicipalityView
from klik.services import views
from klik.services.correcting.copies import StandingCopy, changed_by_hand, once_primary
from klik.services.deadlines import yellow_from_days
from klik.services.holders import PrimaryHolders, primary_of
from klik.services.publishing import copies as publishing_copies
from klik.services.tasks.assigning import Assignee
from klik.services.work import Work

PLACES = ("responsible", "executor")
_RULE = ("deadline_rule", "deadline_parameter", "working_day")
# What else a plug-in's rule is shown of a task.
_SHOWN = ("title", "phase", "theme", "priority", "infrastructure", "start_date")
_YELLOW = ("deadline_rule", "start_date")


class Fate(StrEnum):
    """What a correction does to a copy."""

    FOLLOWS = "foelger"
    MARKED = "maerkes"
    UNCHANGED = "uaendret"


@dataclass(frozen=True, slots=True)
class Arising:
    """A field where the municipality's own value stays although KOMBIT's changed; values as they are stored."""

    field: str
    central_old: str | None
    central_new: str | None
    local: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPlan:
    """What happens to one copy. ``values`` are the columns of its own that change, by name.

    ``settles`` are the fields whose earlier deviation no longer says what KOMBIT's value is.
    """

    copy: StandingCopy
    fate: Fate
    reopened: bool = False
    values: Mapping[str, object] = field(default_factory=dict)
    deviations: tuple[Arising, ...] = ()
    settles: frozenset[str] = frozenset()

    def value(self, name: str) -> object:
        """A column's value afterwards."""
        return self.values.get(name, getattr(self.copy, name))

    @property
    def follows(self) -> bool:
        """Whether the copy gets the new version."""
        return self.fate is not Fate.UNCHANGED


@dataclass(frozen=True, slots=True)
class Plan:
    """A correction before it is made; the versions are by id."""

    task: Task
    version: TaskVersion
    earlier: Mapping[int, TaskVersion]
    copies: tuple[CopyPlan, ...]

    @property
    def following(self) -> list[CopyPlan]:
        """The copies that get the new version."""
        return [each for each in self.copies if each.follows]

    def count(self, fate: Fate) -> int:
        """How many copies share a fate."""
        return Counter(each.fate for each in self.copies)[fate]


def versions_of(work: Work, task: Task, only: Collection[int] | None = None) -> dict[int, TaskVersion]:
    """Versions of a task with their fields, by id and in their order: all, or the current one and ``only``."""
    statement = (
        select(TaskVersion)
        .where(TaskVersion.task_id == task.id)
        .order_by(TaskVersion.number)
        .options(selectinload(TaskVersion.fields))
    )
    if only is not None:
        statement = statement.where(or_(TaskVersion.id.in_(only), TaskVersion.number == task.current_number))
    return {row.id: row for row in work.session.scalars(statement)}


def make(
    work: Work,
    task: Task,
    project: Project,
    version: TaskVersion,
    earlier: Mapping[int, TaskVersion],
    copies: Sequence[StandingCopy],
    reopen: Collection[int] = (),
) -> Plan:
    """Decide what each copy gets of the version; nothing is written, and the statements do not grow.

    ``reopen`` are ids of completed copies that are opened again; other closed copies stay as they are.
    """
    completed = Status.COMPLETED.value
    reopened = {copy.id for copy in copies if copy.status == completed} & set(reopen)
    taking = [copy for copy in copies if copy.is_open or copy.id in reopened]
    before = {version_id: earlier[version_id] for version_id in sorted({c.task_version_id for c in taking})}
    ways = (
        _Deadlines(work, task, project, version, before, taking, reopened),
        _Roles(work, task, project, version, before, taking),
    )
    plans = []
    for copy in copies:
        if copy.is_open or copy.id in reopened:
            plans.append(_copy_plan(copy, before[copy.task_version_id], ways, copy.id in reopened))
        else:
            plans.append(CopyPlan(copy=copy, fate=Fate.UNCHANGED))
    return Plan(task, version, earlier, tuple(_with_yellow(work, version, before, plans)))


def _copy_plan(
    copy: StandingCopy, before: TaskVersion, ways: tuple[_Deadlines, _Roles], reopened: bool
) -> CopyPlan:
    values: dict[str, object] = {}
    arising: list[Arising] = []
    settles: set[str] = set()
    if reopened:
        values |= {"status": Status.IN_PROGRESS.value, "completed_on": None}
    for way in ways:
        way.take(copy, before, values, arising, settles)
    in_hand = copy.status != Status.NOT_STARTED.value
    return CopyPlan(
        copy=copy,
        fate=Fate.MARKED if arising or in_hand else Fate.FOLLOWS,
        reopened=reopened,
        values=values,
        deviations=tuple(arising),
        settles=frozenset(settles),
    )


class _Deadlines:
    """The deadline, three ways."""

    def __init__(
        self,
        work: Work,
        task: Task,
        project: Project,
        version: TaskVersion,
        before: Mapping[int, TaskVersion],
        copies: Sequence[StandingCopy],
        reopened: Collection[int],
    ) -> None:
        self.today = work.today
        self.reopened = reopened
        self.old: dict[int, Mapping[int, date | None]] = {}
        self.new: Mapping[int, date | None] = {}
        # What was closed did not move with its wave: opened again, it gets what the rule gives now.
        opened = {copy.task_version_id for copy in copies if copy.id in reopened}
        asking = {key: old for key, old in before.items() if key in opened or not _dated_alike(old, version)}
        if not asking:
            return
        codes = [copy.municipality_id for copy in copies]
        came = {copy.municipality_id: danish_today(copy.created_at) for copy in copies}
        given: dict[date, list[MunicipalityView]] = defaultdict(list)
        for municipality in views.municipality_views(work, codes, project.system_code):
            given[came[municipality.code]].append(municipality)

        def days(of: TaskVersion) -> Mapping[int, date | None]:
            return {
                each.code: each.deadline
                for day, here in given.items()
                for each in publishing_copies.dates_for(work, task, of, project, here, day)
            }

        self.new = days(version)
        self.old = {key: days(old) for key, old in asking.items()}

    def take(
        self,
        copy: StandingCopy,
        before: TaskVersion,
        values: dict[str, object],
        arising: list[Arising],
        settles: set[str],
    ) -> None:
        """Follow KOMBIT's new deadline, or note that the municipality has its own."""
        if before.id not in self.old:
            return
        old, new = self.old[before.id][copy.municipality_id], self.new[copy.municipality_id]
        if old == new and (copy.deadline_is_own or copy.for_information or copy.id not in self.reopened):
            return
        settles.add("deadline")
        if copy.deadline_is_own:
            if copy.deadline != new:
                arising.append(Arising("deadline", _iso(old), _iso(new), _iso(copy.deadline)))
            return
        if copy.for_information and (new is None or new < self.today):
            return
        if new != copy.deadline:
            values["deadline"] = new
            values["for_information"] = False
            values["deadline_version"] = copy.deadline_version + 1


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _dated_alike(old: TaskVersion, new: TaskVersion) -> bool:
    """Whether two versions ask the same of the same rule, so that no deadline can move."""
    names = _RULE if plugin_of(new.deadline_rule) == "core" else (*_RULE, *_SHOWN)
    alike = all(getattr(old, name) == getattr(new, name) for name in names)
    return alike and (names == _RULE or fields_of(old) == fields_of(new))


def fields_of(version: TaskVersion) -> dict[str, str]:
    """KOMBIT's plug-in fields of a version."""
    return {each.field: each.value for each in version.fields}


class _Roles:
    """Responsible and executor, three ways."""

    def __init__(
        self,
        work: Work,
        task: Task,
        project: Project,
        version: TaskVersion,
        before: Mapping[int, TaskVersion],
        copies: Sequence[StandingCopy],
    ) -> None:
        self.version = version
        self.holders = PrimaryHolders({}, None)
        self.by_hand: frozenset[tuple[int, str]] = frozenset()
        self.primary: frozenset[tuple[int, str, int]] = frozenset()
        names = [f"{place}_role" for place in PLACES]
        old = {getattr(each, name) for each in before.values() for name in names} - {None}
        if not any(
            getattr(each, name) != getattr(version, name) for each in before.values() for name in names
        ):
            return
        new = {getattr(version, name) for name in names} - {None}
        codes = [copy.municipality_id for copy in copies]
        self.holders = primary_of(work, codes, project.system_code, new)
        self.by_hand = changed_by_hand(work, task)
        self.primary = once_primary(work, project.system_code, old)

    def take(
        self,
        copy: StandingCopy,
        before: TaskVersion,
        values: dict[str, object],
        arising: list[Arising],
        settles: set[str],
    ) -> None:
        """Give the copy to who holds the new role, or note that the municipality gave it to somebody itself."""
        for place in PLACES:
            old, new = getattr(before, f"{place}_role"), getattr(self.version, f"{place}_role")
            if old == new:
                continue
            settles.add(place)
            now, wanted = copy.assignee(place), given(self.holders, copy.municipality_id, new)
            if now == wanted or now == Assignee(role=new):
                continue
            if (copy.id, place) in self.by_hand and not self._gave(copy, now, old):
                arising.append(Arising(place, old, new, now.key or None))
                continue
            values[f"{place}_id"], values[f"{place}_role"] = wanted.person_id, wanted.role

    def _gave(self, copy: StandingCopy, now: Assignee, role: str | None) -> bool:
        if now.person_id is None:
            return now.role == role
        return role is not None and (copy.municipality_id, role, now.person_id) in self.primary


def given(holders: PrimaryHolders, municipality: int, role: str | None) -> Assignee:
    """Whom a role gives a copy: its holder, else the role itself; nobody without a role."""
    person = holders.person(municipality, role) if role else None
    return Assignee(person_id=person, role=None if person else role)


def _with_yellow(
    work: Work, version: TaskVersion, before: Mapping[int, TaskVersion], plans: Sequence[CopyPlan]
) -> list[CopyPlan]:
    moved = {
        key for key, old in before.items() if any(getattr(old, n) != getattr(version, n) for n in _YELLOW)
    }
    asking = {
        plan.copy.id: plan.value("deadline")
        for plan in plans
        if plan.follows and ("deadline" in plan.values or plan.copy.task_version_id in moved)
    }
    wanted = {day for day in asking.values() if isinstance(day, date)}
    first = (
        yellow_from_days(work.registry, version.deadline_rule, version.start_date, wanted) if wanted else {}
    )

    def dated(plan: CopyPlan) -> CopyPlan:
        if plan.copy.id not in asking:
            return plan
        day = asking[plan.copy.id]
        yellow = first[day] if isinstance(day, date) else None
        if yellow == plan.copy.yellow_from:
            return plan
        return replace(plan, values={**plan.values, "yellow_from": yellow})

    return [dated(plan) for plan in plans]
