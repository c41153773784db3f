"""The core's own reminders of a deadline, in the same form as a plug-in's.

They follow one task towards its deadline and beyond, so they overtake one another: of those that somebody missed
only the newest is sent. They are worded for the day they are read on, whatever day they were due.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType

from klik.domain.calendar import days, long_date, weekday
from klik.domain.working_days import working_days_after
from klik.plugins.contributions import NotificationRule
from klik.plugins.views import MunicipalTaskView

TURNED_YELLOW = "core.gul"
TURNED_RED = "core.roed"
STILL_RED = "core.roed-ugentlig"
LEADER = "core.roed-leder"
# The days before a deadline that a person may choose between, and the reminder of each.
BEFORE: Mapping[int, str] = MappingProxyType(
    {14: "core.14-dage", 7: "core.7-dage", 3: "core.3-dage", 2: "core.2-dage", 1: "core.1-dag"}
)
WEEK_BEFORE, DAY_BEFORE = BEFORE[7], BEFORE[1]
USUAL_DAYS = frozenset({7, 1})
LATE_DAYS = 30
WEEK = 7
LEADER_DAYS = 5  # working days


def _yellow(task: MunicipalTaskView) -> date | None:
    return task.yellow_from if task.deadline else None


def _days_from(count: int) -> Callable[[MunicipalTaskView], date | None]:
    """So many days after the deadline; before it when below zero."""

    def day(task: MunicipalTaskView) -> date | None:
        return task.deadline + timedelta(days=count) if task.deadline else None

    return day


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


def _leader_sentence(task: MunicipalTaskView, today: date) -> str:
    return f"{_sentence(task, today)} Derfor får også ledelsen besked."


def _before(count: int, key: str) -> NotificationRule:
    return NotificationRule(
        key=key,
        label="Frist i morgen" if count == 1 else f"{days(count)} til frist",
        due=_days_from(-count),
        heading=_heading,
        sentence=_sentence,
        late_days=LATE_DAYS,
    )


def _to_the_leader(leader_days: int) -> NotificationRule:
    return NotificationRule(
        key=LEADER,
        label="Rød opgave til lederen",
        due=lambda task: working_days_after(task.deadline, leader_days) if task.deadline else None,
        heading=_heading,
        sentence=_leader_sentence,
        late_days=LATE_DAYS,
        audience="leader",
    )


# In the order of a task's life: on the same day the later one is the one that counts.
_RULES = (
    NotificationRule(
        key=TURNED_YELLOW,
        label="Opgaven er blevet gul",
        due=_yellow,
        heading=_turned_yellow,
        sentence=_yellow_sentence,
        late_days=LATE_DAYS,
    ),
    *(_before(count, key) for count, key in BEFORE.items()),
    NotificationRule(
        key=TURNED_RED,
        label="Opgaven er blevet rød",
        due=_days_from(1),
        heading=_heading,
        sentence=_sentence,
        late_days=LATE_DAYS,
    ),
    NotificationRule(
        key=STILL_RED,
        label="Opgaven er stadig rød",
        due=_days_from(1 + WEEK),
        heading=_heading,
        sentence=_sentence,
        late_days=LATE_DAYS,
        repeat_days=WEEK,
    ),
)


def rules(leader_days: int = LEADER_DAYS) -> tuple[NotificationRule, ...]:
    """The reminders; the leader is told ``leader_days`` working days after the deadline, never when 0."""
    return (*_RULES, _to_the_leader(leader_days)) if leader_days else _RULES


RULES = rules()
ORDER = {rule.key: place for place, rule in enumerate(RULES)}
FIRST_BEFORE = max(BEFORE)  # days before the deadline at which, or at yellow_from, the first of them is due
_DAYS = {key: count for count, key in BEFORE.items()}


def chosen(rule_key: str, days_before: frozenset[int]) -> bool:
    """Whether somebody who wants to be reminded so many days before is told of this rule."""
    return rule_key not in _DAYS or _DAYS[rule_key] in days_before


def since_in(words: str | None) -> Mapping[str, date]:
    """Since which day somebody wants which rule, as it is stored: "14=2026-11-22"; the others always."""
    pairs = (word.split("=") for word in (words or "").split(",") if word)
    return {BEFORE[int(days)]: date.fromisoformat(day) for days, day in pairs if int(days) in BEFORE}


def days_in(words: str) -> frozenset[int]:
    """The days in a stored choice: "14,7,1"; those that no reminder has are left out."""
    return frozenset(int(word) for word in words.split(",") if word.strip().isdigit()).intersection(BEFORE)
