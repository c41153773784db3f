"""The core's own reminders of a deadline, in the same form as a plug-in's.

They follow one task towards its deadline, so they overtake one another: when several were missed only the
newest is sent. They are worded for the day they are read on, whatever day they were due.
"""

from __future__ import annotations

from datetime import date, timedelta

from klik.domain.calendar import days, long_date, weekday
from klik.plugins.contributions import NotificationRule
from klik.plugins.views import MunicipalTaskView

TURNED_YELLOW = "core.gul"
WEEK_BEFORE = "core.7-dage"
DAY_BEFORE = "core.1-dag"
TURNED_RED = "core.roed"
LATE_DAYS = 30


def _yellow(task: MunicipalTaskView) -> date | None:
    return task.yellow_from if task.deadline else None


def _before(task: MunicipalTaskView, count: int) -> date | None:
    return task.deadline - timedelta(days=count) if task.deadline else None


def _red(task: MunicipalTaskView) -> date | None:
    return task.deadline + timedelta(days=1) if task.deadline else None


def label(task: MunicipalTaskView) -> str:
    """ "MI 15 Udarbejd jobfunktionsroller": the number, where there is one, and the title."""
    return f"{task.number} {task.title}" if task.number else task.title


def _heading(task: MunicipalTaskView, today: date) -> str:
    if task.deadline is None:
        return label(task)
    left = (task.deadline - today).days
    if left < 0:
        return f"Rød: {label(task)}"
    if left < 2:
        return f"{'Frist i morgen' if left else 'Frist i dag'}: {label(task)}"
    return f"{days(left)} til frist: {label(task)}"


def _sentence(task: MunicipalTaskView, today: date) -> str:
    if task.deadline is None:
        return "Opgaven har ingen frist."
    day = f"{weekday(task.deadline)} den {long_date(task.deadline)}"
    left = (task.deadline - today).days
    if left < 0:
        return f"Fristen var {day}, {days(-left)} siden, og opgaven er ikke fuldført."
    if left == 0:
        return f"Fristen er i dag, {day}. I morgen bliver opgaven rød."
    if left == 1:
        return f"Fristen er i morgen, {day}."
    return f"Fristen er {day}, om {days(left)}."


def _turned_yellow(task: MunicipalTaskView, today: date) -> str:
    if task.deadline is not None and task.deadline < today:
        return _heading(task, today)
    return f"Gul: {label(task)}"


def _yellow_sentence(task: MunicipalTaskView, today: date) -> str:
    sentence = _sentence(task, today)
    if task.deadline is not None and task.deadline >= today:
        return f"Opgaven er gul. {sentence}"
    return sentence


# In the order of a task's life: on the same day the later one is the one that counts.
RULES = (
    NotificationRule(
        key=TURNED_YELLOW,
        label="Opgaven er blevet gul",
        due=_yellow,
        heading=_turned_yellow,
        sentence=_yellow_sentence,
        late_days=LATE_DAYS,
    ),
    NotificationRule(
        key=WEEK_BEFORE,
        label="7 dage til frist",
        due=lambda task: _before(task, 7),
        heading=_heading,
        sentence=_sentence,
        late_days=LATE_DAYS,
    ),
    NotificationRule(
        key=DAY_BEFORE,
        label="Frist i morgen",
        due=lambda task: _before(task, 1),
        heading=_heading,
        sentence=_sentence,
        late_days=LATE_DAYS,
    ),
    NotificationRule(
        key=TURNED_RED,
        label="Opgaven er blevet rød",
        due=_red,
        heading=_heading,
        sentence=_sentence,
        late_days=LATE_DAYS,
    ),
)
ORDER = {rule.key: place for place, rule in enumerate(RULES)}
FIRST_BEFORE = 7  # days before the deadline at which, or at yellow_from, the first of them is due
