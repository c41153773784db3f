"""A copy that its municipality opens again gets the deadline its rule gives now; what was closed did not move."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import selectinload

from klik.models import MunicipalTask, Project, Task, TaskChange, TaskVersion
from klik.plugins.views import ChangeView, MunicipalityView
from klik.services import events, views
from klik.services.deadlines import deadlines_or_none, given_on, yellow_from_days
from klik.services.tasks.words import day_word
from klik.services.work import Work

# What the change of the deadline says it came by in the task's history.
VIA = "genaabnet"


@dataclass(frozen=True, slots=True)
class _Moved:
    copy: MunicipalTask
    new: date | None
    yellow_from: date | None


@dataclass(frozen=True, slots=True)
class _Group:
    """Copies of one version that came on the same day: the rule is asked once for them."""

    version: TaskVersion
    task: Task
    project: Project
    day: date
    copies: list[MunicipalTask]


def date_anew(work: Work, ids: Collection[int]) -> list[int]:
    """Set the deadlines of these copies to their rule's, and give the ids of those that moved.

    A municipality's own deadline stays, and so does what is there for information, and what a rule that does not
    answer once gave. The statements grow with the systems, not with the copies.
    """
    groups = _groups(work, ids)
    places = _places(work, groups)
    moved = [each for group in groups for each in _moved(work, group, places[group.project.system_code])]
    if moved:
        _write(work, moved)
    return [each.copy.id for each in moved]


def _groups(work: Work, ids: Collection[int]) -> list[_Group]:
    rows = work.session.execute(
        select(MunicipalTask, TaskVersion, Task, Project)
        .join(TaskVersion, TaskVersion.id == MunicipalTask.task_version_id)
        .join(Task, Task.id == TaskVersion.task_id)
        .join(Project, Project.id == Task.project_id)
        .where(
            MunicipalTask.id.in_(ids),
            MunicipalTask.deadline_is_own.is_(False),
            MunicipalTask.for_information.is_(False),
        )
        .order_by(MunicipalTask.id)
        .options(selectinload(TaskVersion.fields))
    )
    found: dict[tuple[int, date], _Group] = {}
    for copy, version, task, project in rows:
        day = given_on(copy)
        group = found.setdefault((version.id, day), _Group(version, task, project, day, []))
        group.copies.append(copy)
    return list(found.values())


def _places(work: Work, groups: Iterable[_Group]) -> Mapping[str | None, Mapping[int, MunicipalityView]]:
    codes: dict[str | None, set[int]] = defaultdict(set)
    for group in groups:
        codes[group.project.system_code] |= {copy.municipality_id for copy in group.copies}
    return {
        system: {place.code: place for place in views.municipality_views(work, here, system)}
        for system, here in codes.items()
    }


def _moved(work: Work, group: _Group, places: Mapping[int, MunicipalityView]) -> Iterator[_Moved]:
    version = group.version
    found = deadlines_or_none(
        work.registry,
        version.deadline_rule,
        version.deadline_parameter,
        views.task_view(group.task, version, group.project, group.day),
        [places[code] for code in sorted({copy.municipality_id for copy in group.copies})],
        working_day=version.working_day,
    )
    if found is None:
        return
    wanted = {day for day in found.values() if day is not None}
    yellow = yellow_from_days(work.registry, version.deadline_rule, version.start_date, wanted)
    for copy in group.copies:
        new = found[copy.municipality_id]
        if new != copy.deadline:
            yield _Moved(copy, new, yellow[new] if new else None)


def _write(work: Work, moved: Sequence[_Moved]) -> None:
    table = MunicipalTask.__table__
    work.session.connection().execute(
        update(table)  # type: ignore[arg-type]
        .where(table.c.id == bindparam("copy"))
        .values(
            deadline=bindparam("new"),
            yellow_from=bindparam("yellow"),
            deadline_version=table.c.deadline_version + 1,
            version=table.c.version + 1,
            changed_at=work.now,
        ),
        [{"copy": each.copy.id, "new": each.new, "yellow": each.yellow_from} for each in moved],
    )
    seen = [
        ChangeView(
            task=each.copy.id,
            municipality=each.copy.municipality_id,
            system=each.copy.system_code,
            field="deadline",
            old=day_word(each.copy.deadline),
            new=day_word(each.new),
            at=work.now,
        )
        for each in moved
    ]
    work.session.connection().execute(
        insert(TaskChange.__table__),  # type: ignore[arg-type]
        [
            {
                "municipality_id": each.municipality,
                "municipal_task_id": each.task,
                "at": work.now,
                "person_id": work.actor.person_id if work.actor else None,
                "field": each.field,
                "old": each.old,
                "new": each.new,
                "via": VIA,
            }
            for each in seen
        ],
    )
    events.note_all(work, events.CHANGED, seen)
