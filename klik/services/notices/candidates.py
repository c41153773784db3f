"""The open tasks that a reminder can be due for, read as columns: most of them turn out to lack nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, or_, select, true

from klik.domain.deadlines import danish_today
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import MunicipalTask, TaskChange
from klik.plugins.contributions import NotificationRule
from klik.plugins.manager import CORE, plugin_of
from klik.services.notices import occurrences, reminders
from klik.services.notices.occurrences import Due
from klik.services.views import municipal_task_views
from klik.services.work import Work

PAGE = 10_000
_COLUMNS = (
    MunicipalTask.id,
    MunicipalTask.municipality_id,
    MunicipalTask.task_id,
    MunicipalTask.project_id,
    MunicipalTask.system_code,
    MunicipalTask.task_number,
    MunicipalTask.title,
    MunicipalTask.phase,
    MunicipalTask.theme,
    MunicipalTask.status,
    MunicipalTask.start_date,
    MunicipalTask.deadline,
    MunicipalTask.yellow_from,
    MunicipalTask.deadline_version,
    MunicipalTask.responsible_id,
    MunicipalTask.responsible_role,
    MunicipalTask.executor_id,
    MunicipalTask.executor_role,
    MunicipalTask.created_at,
)


def page(work: Work, after: int) -> Sequence[MunicipalTask]:
    """The next candidates by id, at most PAGE, as rows that have the task's columns and nothing else."""
    statement = (
        select(*_COLUMNS)
        .where(
            MunicipalTask.id > after,
            MunicipalTask.status.in_(sorted(OPEN_STATUSES)),
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
            or_(_by_date(work.today), *(_of_rule(rule) for rule in _plugin_rules(work))),
        )
        .order_by(MunicipalTask.id)
        .limit(PAGE)
    )
    return work.session.execute(statement).all()  # type: ignore[return-value]


def dues(work: Work, tasks: Sequence[MunicipalTask]) -> Mapping[int, tuple[Due, ...]]:
    """The reminders due for each task, oldest first; tasks without any are left out.

    The core's rules look at a task's days only, so they are asked once for all tasks with the same.
    """
    today, rules = work.today, work.registry.notification_rules.values()
    own: dict[int, list[Due]] = defaultdict(list)
    for rule in _plugin_rules(work):
        asked = municipal_task_views(work, _possible(rule, tasks))
        for task_id, first in occurrences.first_days(work, rule, asked).items():
            if first is not None:
                own[task_id] += occurrences.ripe(rule, first, today)
    core = [rule for rule in rules if plugin_of(rule.key) == CORE]
    of_days: dict[tuple[date | None, date | None], tuple[Due, ...]] = {}
    found = {}
    for task in tasks:
        days = task.deadline, task.yellow_from
        if days not in of_days:
            of_days[days] = occurrences.ripe_of_days(core, task, today)
        due = of_days[days]
        if task.id in own:
            due = occurrences.in_order((*due, *own[task.id]))
        if due:
            found[task.id] = due
    return found


def deadline_days(work: Work, tasks: Sequence[MunicipalTask]) -> Mapping[int, date]:
    """The day each task got the deadline it has; nothing can have been late before it."""
    moved: Mapping[int, date] = {}
    again = [task.id for task in tasks if task.deadline_version > 1]
    if again:
        moved = {
            task_id: danish_today(at)
            for task_id, at in work.session.execute(
                select(TaskChange.municipal_task_id, func.max(TaskChange.at))
                .where(TaskChange.municipal_task_id.in_(again), TaskChange.field == "deadline")
                .group_by(TaskChange.municipal_task_id)
            )
        }
    return {task.id: moved.get(task.id, danish_today(task.created_at)) for task in tasks}


def reopened_days(work: Work, tasks: Sequence[MunicipalTask]) -> Mapping[int, date]:
    """The day each task that had been closed was last opened again."""
    closed = [status.label for status in Status if status not in OPEN_STATUSES]
    return {
        task_id: danish_today(at)
        for task_id, at in work.session.execute(
            select(TaskChange.municipal_task_id, func.max(TaskChange.at))
            .where(
                TaskChange.municipal_task_id.in_([task.id for task in tasks]),
                TaskChange.field == "status",
                TaskChange.old.in_(closed),
            )
            .group_by(TaskChange.municipal_task_id)
        )
    }


def _plugin_rules(work: Work) -> list[NotificationRule]:
    return [rule for rule in work.registry.notification_rules.values() if plugin_of(rule.key) != CORE]


def _by_date(today: date) -> ColumnElement[bool]:
    """What the core's rules can speak of: from the first of them on, as long as the task is open."""
    return or_(
        MunicipalTask.yellow_from <= today,
        MunicipalTask.deadline <= today + timedelta(days=reminders.FIRST_BEFORE),
    )


def _of_rule(rule: NotificationRule) -> ColumnElement[bool]:
    return MunicipalTask.system_code.in_(rule.systems) if rule.systems else true()


def _possible(rule: NotificationRule, tasks: Sequence[MunicipalTask]) -> Sequence[MunicipalTask]:
    return [task for task in tasks if not rule.systems or task.system_code in rule.systems]
