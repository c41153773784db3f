"""On which days a rule tells of a task, which of them are still to be told, and which a newer one makes superfluous."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from klik.models import MunicipalTask
from klik.plugins.answers import is_day
from klik.plugins.contributions import NotificationRule
from klik.plugins.manager import CORE, plugin_of
from klik.plugins.views import MunicipalTaskView
from klik.services.notices import reminders
from klik.services.work import Work

PLUGIN_PATIENCE = 10.0  # seconds for one rule and a thousand tasks
_OCCURRENCE = re.compile(r"/d=[0-9]{4}-[0-9]{2}-[0-9]{2}(?=/|$)")


@dataclass(frozen=True, slots=True, eq=False)
class Due:
    """A reminder that is due for a task, and the day it became so; tasks with the same days share it."""

    rule: NotificationRule
    day: date

    def about(self, task_id: int, deadline_version: int) -> str:
        """What the reminder is about: the rule, the task, its deadline's version; the day when it repeats."""
        key = f"{self.rule.key}/mt={task_id}/v={deadline_version}"
        return f"{key}/d={self.day.isoformat()}" if self.rule.repeat_days else key


def track(occasion: str, dedupe_key: str) -> str:
    """The same for those notices of one recipient of which only the newest is sent."""
    about = _OCCURRENCE.sub("", dedupe_key)
    return about.partition("/")[2] if occasion in reminders.ORDER else about


def overtakes(rule: NotificationRule) -> bool:
    """Whether the rule's notices overtake others of their track."""
    return rule.key in reminders.ORDER or rule.repeat_days > 0


def in_order(dues: Iterable[Due]) -> tuple[Due, ...]:
    """Oldest first; of the same day the one that counts comes last."""
    return tuple(sorted(dues, key=lambda due: (due.day, reminders.ORDER.get(due.rule.key, 0))))


def days_of(rule: NotificationRule, first: date, earliest: date, latest: date) -> Iterator[date]:
    """The days from ``earliest`` to ``latest``, both included, on which the rule tells; oldest first."""
    if not rule.repeat_days:
        if earliest <= first <= latest:
            yield first
        return
    missed = max(0, -(-(earliest - first).days // rule.repeat_days))
    day = first + timedelta(days=missed * rule.repeat_days)
    while day <= latest:
        yield day
        day += timedelta(days=rule.repeat_days)


def ripe(rule: NotificationRule, first: date, today: date) -> Iterator[Due]:
    """What is due today or was missed within the rule's ``late_days``."""
    for day in days_of(rule, first, today - timedelta(days=rule.late_days), today):
        yield Due(rule, day)


def ripe_of_days(core: Iterable[NotificationRule], task: MunicipalTask, today: date) -> tuple[Due, ...]:
    """What the core's rules have due for a task, which they take as a row: they need no more than its days."""
    firsts = [(rule, rule.due(task)) for rule in core]  # type: ignore[arg-type]
    return in_order(due for rule, first in firsts if first for due in ripe(rule, first, today))


def first_days(
    work: Work, rule: NotificationRule, tasks: Sequence[MunicipalTaskView]
) -> Mapping[int, date | None]:
    """The rule's first day for each task; a plug-in is asked once for all, and one bad task spoils only itself."""
    if plugin_of(rule.key) == CORE:
        return {task.id: rule.due(task) for task in tasks}
    answers: dict[int, date | None] = {}

    def ask() -> None:
        faults = []
        for task in tasks:
            try:
                day = rule.due(task)
            except Exception as fault:
                faults.append(fault)
                continue
            if not is_day(day):
                faults.append(TypeError(f"{rule.key}: {type(day).__name__}"))
                continue
            answers[task.id] = day
        if faults:
            raise faults[0]

    work.registry.guard.ask(f"{rule.key}/dag", ask, None, patience=PLUGIN_PATIENCE)
    return dict(answers)


Judged = tuple[tuple[Due, NotificationRule | None], ...]


def for_somebody(dues: Iterable[Due], days_before: frozenset[int]) -> Judged:
    """Those of a task's reminders that somebody wants, each with the newer one that makes it superfluous, or None.

    ``dues`` are in order.
    """
    wanted = [due for due in dues if reminders.chosen(due.rule.key, days_before)]
    newest: dict[str, Due] = {}
    for due in wanted:
        if overtakes(due.rule):
            newest[_kind(due.rule)] = due
    return tuple((due, _overtaker(due, newest.get(_kind(due.rule)))) for due in wanted)


def _kind(rule: NotificationRule) -> str:
    return CORE if rule.key in reminders.ORDER else rule.key


def _overtaker(due: Due, newest: Due | None) -> NotificationRule | None:
    return newest.rule if newest is not None and newest is not due else None
