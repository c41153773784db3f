"""How fast it goes: completed and red week by week for what is chosen, and when each municipality would be done.

It is made of when tasks were completed and of their deadlines as they are now; a task that was opened again
counts as it stands today.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, func, or_, select

from klik.domain.calendar import days, week
from klik.domain.deadlines import danish_today
from klik.domain.forecast import Forecast, Point, forecast
from klik.domain.status import Status
from klik.models import MunicipalTask, Task
from klik.services.filtering import Selection
from klik.services.filters import is_open
from klik.services.follow_up.heat_map import HeatMap, relevant
from klik.services.pace import days_shown
from klik.services.work import Work

TOO_LITTLE = "for lidt at regne på"
_COMPLETED = MunicipalTask.status == Status.COMPLETED.value


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


def weeks(work: Work, selection: Selection) -> Sequence[Week]:
    """The last twelve weeks of what is chosen, oldest first; one statement."""
    shown = days_shown(work.today)
    task = MunicipalTask
    rows = work.session.execute(
        select(task.deadline, task.completed_on, is_open(), func.count())
        .where(
            relevant(selection),
            or_(
                and_(is_open(), task.deadline < work.today),
                and_(_COMPLETED, task.completed_on > shown[0]),
            ),
        )
        .group_by(task.deadline, task.completed_on, is_open())
    ).all()
    found = []
    for before, day in itertools.pairwise(shown):
        completed = red = 0
        for deadline, done_on, still_open, number in rows:
            closed = None if still_open else done_on
            if closed and before < closed <= day:
                completed += number
            if deadline and deadline < day and (closed is None or closed > day):
                red += number
        found.append(Week(day, completed, red))
    return found


def promises(work: Work, drawn: HeatMap) -> Mapping[int, Promise]:
    """Each municipality's forecast; two statements however many there are."""
    task = MunicipalTask
    shown = days_shown(work.today)
    begun = work.session.scalar(
        select(func.min(Task.published_at)).where(Task.project_id.in_(drawn.scope.project_ids))
    )
    since = danish_today(begun) if begun else work.today
    finished: dict[int, list[tuple[date | None, int]]] = {}
    targets: dict[int, date] = {}
    for code, done_on, last, number in work.session.execute(
        select(task.municipality_id, task.completed_on, func.max(task.deadline), func.count())
        .where(relevant(drawn.selection))
        .group_by(task.municipality_id, task.completed_on)
    ):
        finished.setdefault(code, []).append((done_on, number))
        if last and last > targets.get(code, date.min):
            targets[code] = last
    found = {}
    for row in drawn.rows:
        total, done = row.sum.total, row.sum.completed
        after = finished.get(row.place.code, [])
        points = [
            Point(
                day,
                total if day >= since else 0,
                done - sum(number for closed, number in after if closed and closed > day),
            )
            for day in shown
        ]
        live = row.place.go_live
        target = live if live and live >= work.today else targets.get(row.place.code)
        found[row.place.code] = Promise(forecast(points, target), bool(total) and done == total)
    return found
