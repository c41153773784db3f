"""How far each project and phase came, week by week, from how tasks stood; and what is left to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, null, select, union_all

from klik.domain.deadlines import Colour, colour, end_of_day
from klik.domain.forecast import Forecast, Point, forecast
from klik.domain.status import Status
from klik.models import EarlierState, MunicipalSystem, MunicipalTask, Project, Wave
from klik.services import overview
from klik.services.filters import is_open
from klik.services.work import Work

WEEKS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task that is not done; ``colour`` is today's."""

    id: int
    number: str | None
    title: str
    deadline: date | None
    colour: Colour | None


@dataclass(frozen=True, slots=True)
class Pace:
    """One project: its weeks, what they promise, and the tasks that decide whether it comes in time.

    ``aim`` is a Danish word for the target: "idriftsættelsen" or "sidste frist". ``deciding`` is empty where
    several municipalities are seen.
    """

    slug: str
    name: str
    points: tuple[Point, ...]
    forecast: Forecast | None
    aim: str
    deciding: tuple[OpenTask, ...]


def days_shown(today: date) -> tuple[date, ...]:
    """The last day of each week that is shown; the last of them is today."""
    return tuple(today - timedelta(weeks=back) for back in range(WEEKS_SHOWN, -1, -1))


def by_project(work: Work, municipality: int | None = None) -> Sequence[Pace]:
    """Every project the actor sees tasks of, those with open tasks first; four statements at most.

    ``municipality`` narrows what is seen to one municipality; one's own needs no narrowing.
    """
    home = work.actor.municipality_id if work.actor else None
    municipality = home if municipality is None else municipality
    weeks = _weeks(work, municipality)
    targets = _targets(work, municipality)
    left = _open_tasks(work, municipality) if municipality is not None else {}
    found = []
    for project_id, (slug, name, points) in weeks.items():
        target, aim = targets.get(project_id, (None, ""))
        promised = forecast(points, target)
        unreached = promised.unreached if promised else 0
        # Worked through in the order of deadlines, the last ones are those that are not reached.
        deciding = left.get(project_id, [])[-unreached:] if unreached else []
        found.append(Pace(slug, name, points, promised, aim, tuple(deciding)))
    return sorted(found, key=lambda one: (one.points[-1].completed == one.points[-1].total, one.name))


def _weeks(work: Work, municipality: int | None) -> Mapping[int, tuple[str, str, tuple[Point, ...]]]:
    """The points of each project. What is not relevant or withdrawn on a day is no part of that day.

    Each state lasted from one change to the next. The database groups them by the first and the last of the
    shown days that they cover, so hardly any rows come back, however many tasks there are.
    """
    days = days_shown(work.today)
    moments = [end_of_day(day) for day in days]
    states = _states(work, municipality).subquery("states")

    def first_day_after(moment: ColumnElement[datetime]) -> ColumnElement[int]:
        return case(*((moment < shown, place) for place, shown in enumerate(moments)), else_=len(moments))

    born, gone = first_day_after(states.c.since), first_day_after(states.c.until)
    gone = case((states.c.until.is_(None), len(moments)), else_=gone)
    rows = work.session.execute(
        select(Project.id, Project.slug, Project.name, states.c.done, born, gone, func.count())
        .join(states, states.c.project_id == Project.id)
        .group_by(Project.id, Project.slug, Project.name, states.c.done, born, gone)
    )
    totals: dict[int, list[list[int]]] = {}
    names: dict[int, tuple[str, str]] = {}
    for project_id, slug, name, done, first, end, count in rows:
        names[project_id] = (slug, name)
        numbers = totals.setdefault(project_id, [[0, 0] for _day in days])
        for place in range(first, end):
            numbers[place][0] += count
            numbers[place][1] += count if done else 0
    return {
        project_id: (
            *names[project_id],
            tuple(Point(day, *pair) for day, pair in zip(days, numbers, strict=True)),
        )
        for project_id, numbers in totals.items()
    }


def _states(work: Work, municipality: int | None) -> Select[Any]:
    """Every state of every visible task that counts: since when, until when, and whether it was done."""
    task, earlier = MunicipalTask, EarlierState
    before = func.lag(earlier.until).over(partition_by=earlier.municipal_task_id, order_by=earlier.until)
    last = (
        select(func.max(earlier.until))
        .where(earlier.municipal_task_id == task.id)
        .correlate(task)
        .scalar_subquery()
    )
    past_states = (
        select(
            task.project_id,
            func.coalesce(before, task.created_at).label("since"),
            earlier.until.label("until"),
            earlier.status.label("status"),
            earlier.withdrawn_at.label("withdrawn_at"),
        )
        .join(task, task.id == earlier.municipal_task_id)
        .where(overview.seen(work, municipality))
    )
    present = select(
        task.project_id,
        func.coalesce(last, task.created_at).label("since"),
        null().label("until"),
        task.status.label("status"),
        task.withdrawn_at.label("withdrawn_at"),
    ).where(overview.seen(work, municipality))
    both = union_all(past_states, present).subquery("every_state")
    return select(
        both.c.project_id,
        both.c.since,
        both.c.until,
        case((both.c.status == Status.COMPLETED.value, literal(1)), else_=literal(0)).label("done"),
    ).where(both.c.withdrawn_at.is_(None), both.c.status != Status.NOT_RELEVANT.value)


def _targets(work: Work, municipality: int | None) -> Mapping[int, tuple[date | None, str]]:
    """What each project is measured against: the municipality's go-live when it lies ahead, else the last deadline."""
    rows = work.session.execute(
        select(MunicipalTask.project_id, Project.system_code, func.max(MunicipalTask.deadline))
        .join(Project, Project.id == MunicipalTask.project_id)
        .where(
            overview.seen(work, municipality),
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.status != Status.NOT_RELEVANT.value,
        )
        .group_by(MunicipalTask.project_id, Project.system_code)
    ).all()
    go_live: dict[str, date | None] = {}
    if municipality is not None:
        day = func.coalesce(MunicipalSystem.go_live, Wave.go_live)
        go_live = dict(
            (system, live)
            for system, live in work.session.execute(
                select(MunicipalSystem.system_code, day)
                .outerjoin(Wave, Wave.id == MunicipalSystem.wave_id)
                .where(MunicipalSystem.municipality_id == municipality, day >= work.today)
            ).all()
        )
    return {
        project_id: (go_live[system], "idriftsættelsen")
        if go_live.get(system)
        else (last, "den sidste frist")
        for project_id, system, last in rows
    }


def _open_tasks(work: Work, municipality: int | None) -> Mapping[int, list[OpenTask]]:
    """The open tasks of each project, the earliest deadline first, those without one last."""
    task = MunicipalTask
    rows = work.session.execute(
        select(
            task.project_id,
            task.id,
            task.task_number,
            task.title,
            task.status,
            task.deadline,
            task.yellow_from,
        )
        .where(overview.seen(work, municipality), task.withdrawn_at.is_(None), is_open())
        .order_by(task.deadline.asc().nulls_last(), task.number_key, task.id)
    )
    found: dict[int, list[OpenTask]] = {}
    for row in rows:
        shade = colour(Status(row.status), row.deadline, row.yellow_from, work.today)
        found.setdefault(row.project_id, []).append(
            OpenTask(row.id, row.task_number, row.title, row.deadline, shade)
        )
    return found
