"""What a change of go-live does to the deadlines of the copies that are there already; nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from klik.domain.status import OPEN_STATUSES, Status
from klik.models import MunicipalTask, Project, Task, TaskVersion
from klik.services import views
from klik.services.correcting.deviations import Meeting
from klik.services.deadlines import deadlines_or_none, given_on, yellow_from_days
from klik.services.waves.changes import Standing
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Moved:
    """A copy whose deadline moves; ``now_in_force``: it was for information, and its new deadline has not passed."""

    copy: MunicipalTask
    old: date | None
    new: date | None
    yellow_from: date | None
    now_in_force: bool = False


@dataclass(slots=True)
class Reckoned:
    """Copies by what becomes of them; ``silent`` are tasks whose rule does not answer, so nothing is done to them."""

    moved: list[Moved] = field(default_factory=list)
    own: list[Meeting] = field(default_factory=list)
    own_copies: list[MunicipalTask] = field(default_factory=list)
    closed: list[MunicipalTask] = field(default_factory=list)
    silent: list[MunicipalTask] = field(default_factory=list)
    open: int = 0


def reckon(work: Work, system: str, standings: Sequence[Standing], *, lock: bool) -> Reckoned:
    """Reckon every copy's deadline before and after; the statements do not grow with copies or municipalities.

    ``lock`` holds the copies until the end, so that nobody sets a deadline meanwhile.
    """
    found = Reckoned()
    copies = _copies(work, system, [standing.before.code for standing in standings], lock=lock)
    found.open = sum(Status(copy.status) in OPEN_STATUSES for copy in copies)
    changed = [standing for standing in standings if standing.before != standing.after]
    before = {standing.before.code: standing.before for standing in changed}
    after = {standing.after.code: standing.after for standing in changed}
    parts: dict[tuple[int, date], list[MunicipalTask]] = defaultdict(list)
    for copy in copies:
        if copy.municipality_id in before and copy.task_version_id is not None:
            parts[copy.task_version_id, given_on(copy)].append(copy)
    versions = _versions(work, {version_id for version_id, _day in parts})
    for (version_id, day), group in parts.items():
        version, task, project = versions[version_id]
        here = [copy.municipality_id for copy in group]
        view = views.task_view(task, version, project, day)
        was, will = (
            deadlines_or_none(
                work.registry,
                version.deadline_rule,
                version.deadline_parameter,
                view,
                [by_code[code] for code in here],
                working_day=version.working_day,
            )
            for by_code in (before, after)
        )
        if was is None or will is None:
            found.silent += group
        else:
            _sort(work, found, version, group, was, will)
    return found


def _sort(
    work: Work,
    found: Reckoned,
    version: TaskVersion,
    group: Iterable[MunicipalTask],
    was: Mapping[int, date | None],
    will: Mapping[int, date | None],
) -> None:
    days = {day for day in will.values() if day is not None}
    yellow = yellow_from_days(work.registry, version.deadline_rule, version.start_date, days)
    for copy in group:
        old, new = was[copy.municipality_id], will[copy.municipality_id]
        if old == new:
            continue
        if Status(copy.status) not in OPEN_STATUSES:
            found.closed.append(copy)
        elif copy.deadline_is_own:
            found.own_copies.append(copy)
            # Who has chosen the very day that KOMBIT now comes to differs in nothing.
            if copy.deadline != new:
                found.own.append(_meeting(copy, version, old, new))
        elif copy.for_information:
            if new is not None and new >= work.today:
                found.moved.append(Moved(copy, None, new, yellow[new], now_in_force=True))
        elif copy.deadline != new:
            found.moved.append(Moved(copy, copy.deadline, new, yellow[new] if new else None))


def _meeting(copy: MunicipalTask, version: TaskVersion, old: date | None, new: date | None) -> Meeting:
    stored = [day.isoformat() if day else None for day in (old, new, copy.deadline)]
    return Meeting(
        municipal_task_id=copy.id,
        municipality_id=copy.municipality_id,
        field="deadline",
        task_version_id=version.id,
        central_old=stored[0],
        central_new=stored[1],
        local=stored[2],
    )


def _copies(work: Work, system: str, codes: Sequence[int], *, lock: bool) -> Sequence[MunicipalTask]:
    statement = (
        select(MunicipalTask)
        .where(
            MunicipalTask.system_code == system,
            MunicipalTask.municipality_id.in_(codes),
            MunicipalTask.task_id.is_not(None),
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
        )
        .order_by(MunicipalTask.id)
    )
    if lock:
        statement = statement.with_for_update(of=MunicipalTask).execution_options(populate_existing=True)
    return work.session.scalars(statement).all()


def _versions(work: Work, ids: Iterable[int]) -> Mapping[int, tuple[TaskVersion, Task, Project]]:
    rows = work.session.execute(
        select(TaskVersion, Task, Project)
        .join(Task, Task.id == TaskVersion.task_id)
        .join(Project, Project.id == Task.project_id)
        .where(TaskVersion.id.in_(sorted(ids)))
        .options(selectinload(TaskVersion.fields))
    )
    return {version.id: (version, task, project) for version, task, project in rows}
