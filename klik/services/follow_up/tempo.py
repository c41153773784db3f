"""How fast it goes: completed and red week by week for what is chosen, and when each municipality would be done.

It is made of when tasks were completed and of their deadlines as they are now; a task that was opened again
counts as it stands today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Label, case, func, select, text

from klik.domain.calendar import days, week
from klik.domain.deadlines import danish_today
from klik.domain.forecast import Forecast, Point, forecast
from klik.models import MunicipalTask, Task
from klik.services.filters import is_open
from klik.services.follow_up.heat_map import HeatMap, relevant
from klik.services.pace import days_shown
from klik.services.work import Work

TOO_LITTLE = "for lidt at regne på"
_SIZE = 1_000_000  # bytes, about: 98 municipalities, twelve weeks and as many weeks of deadlines


@dataclass(frozen=True, slots=True)
class Week:
    """A week up to and including ``last_day``: how many were completed in it, and how many were red at its end."""

    last_day: date
    completed: int
    red: int

    @property
    def name(self) -> str:
        """ "uge 47"."""
        return week(self.last_day)


@dataclass(frozen=True, slots=True)
class Promise:
    """When a municipality would be done at its own pace; None where there is too little to judge."""

    forecast: Forecast | None
    done: bool

    @property
    def words(self) -> str:
        """ "klar ca. uge 7", "12 dage for sent", "færdig" or that there is too little to judge."""
        if self.done:
            return "færdig"
        if self.forecast is None:
            return TOO_LITTLE
        late = self.forecast.late
        ready = f"klar ca. {week(self.forecast.ready_on)}"
        if self.forecast.ready_on.year > (self.forecast.target or self.forecast.ready_on).year + 1:
            ready = f"klar i {self.forecast.ready_on.year}"
        return f"{ready}, {days(late)} for sent" if late is not None and late > 0 else ready


def weeks(work: Work, drawn: HeatMap) -> Sequence[Week]:
    """The last twelve weeks of what is chosen, oldest first; at most two statements."""
    shown = days_shown(work.today)
    finished = [each for found in _finished(work, drawn).values() for each in found]
    late = _late(work, drawn)
    return [
        Week(
            day,
            sum(each.number for each in finished if each.week == place),
            sum(number for since, number in late.items() if since <= place)
            + sum(each.number for each in finished if each.red_since <= place < each.week),
        )
        for place, day in enumerate(shown)
        if place
    ]


def promises(work: Work, drawn: HeatMap) -> Mapping[int, Promise]:
    """Each municipality's forecast; at most two statements however many there are."""
    shown = days_shown(work.today)
    begun = work.session.scalar(
        select(func.min(Task.published_at)).where(Task.project_id.in_(drawn.scope.project_ids))
    )
    since = danish_today(begun) if begun else work.today
    finished = _finished(work, drawn)
    found = {}
    for row in drawn.rows:
        whole = row.sum
        after = finished.get(row.place.code, ())
        points = [
            Point(
                day,
                whole.total if day >= since else 0,
                whole.completed - sum(each.number for each in after if each.week > place),
            )
            for place, day in enumerate(shown)
        ]
        live = row.place.go_live
        target = live if live and live >= work.today else whole.last_deadline
        done = bool(whole.total) and whole.completed == whole.total
        found[row.place.code] = Promise(forecast(points, target), done)
    return found


@dataclass(frozen=True, slots=True)
class _Finished:
    """So many tasks completed in the same week, and overdue since the end of the same one, by their places."""

    week: int
    red_since: int
    number: int


def _finished(work: Work, drawn: HeatMap) -> Mapping[int, Sequence[_Finished]]:
    """What each municipality completed in the weeks shown; one statement, answered by an index alone, and kept."""
    shown = days_shown(work.today)
    task = MunicipalTask
    ended = case(
        *((task.completed_on <= day, place) for place, day in enumerate(shown) if place), else_=len(shown)
    )
    # SQLite would rather find the project by its index, and then read each of its tasks.
    asked = relevant(drawn.selection, drawn.scope, task.project_id + 0)

    def found() -> Mapping[int, Sequence[_Finished]]:
        rows = work.session.execute(
            select(task.municipality_id, ended.label("ended"), _red_since(shown), func.count())
            .where(asked, ~is_open(), task.completed_on > shown[0])
            .group_by(task.municipality_id, text("ended"), text("red_since"))
        )
        by_place: dict[int, list[_Finished]] = {}
        for code, week_ended, red_since, number in rows:
            by_place.setdefault(code, []).append(_Finished(week_ended, red_since, number))
        return by_place

    key = drawn.selection.key and ("finished", drawn.selection.key)
    return work.kept.once(key, found, size=_SIZE)


def _late(work: Work, drawn: HeatMap) -> Mapping[int, int]:
    """How many of the open tasks are overdue since the end of each week shown; one statement, and kept."""
    shown = days_shown(work.today)

    def found() -> Mapping[int, int]:
        rows = work.session.execute(
            select(_red_since(shown), func.count())
            .where(relevant(drawn.selection, drawn.scope), is_open(), MunicipalTask.deadline < work.today)
            .group_by(text("red_since"))
        )
        return {since: number for since, number in rows}

    key = drawn.selection.key and ("late", drawn.selection.key)
    return work.kept.once(key, found)


def _red_since(shown: Sequence[date]) -> Label[int]:
    """The place of the first week shown at whose end a task's deadline had passed."""
    passed = ((MunicipalTask.deadline < day, place) for place, day in enumerate(shown))
    return case(*passed, else_=len(shown)).label("red_since")
