"""What plug-ins are told after the commit: a row in the transaction of the cause, told later, at least once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import insert, select

from klik.models import PluginEvent
from klik.plugins.manager import Registry
from klik.plugins.views import ChangeView, PublishedView, TaskView
from klik.services import for_plugins
from klik.services.work import Work

PUBLISHED = "klik_task_published"
CHANGED = "klik_municipal_task_changed"
BATCH = 200
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
# A plug-in that was taken out for good should not leave its events waiting for ever.
GIVEN_UP_AFTER = timedelta(days=30)
_FAILED = object()


class House(Protocol):
    """What telling needs of an installation."""

    @property
    def registry(self) -> Registry:
        """Who listens."""

    def reading(self, now: datetime) -> AbstractContextManager[Work]:
        """A transaction for looking."""

    def writing(self, now: datetime) -> AbstractContextManager[Work]:
        """A transaction that is stored."""


def note(work: Work, event: str, facts: PublishedView | ChangeView) -> None:
    """Write the event down for every plug-in that listens to it."""
    note_all(work, event, [facts])


def note_all(work: Work, event: str, facts: Iterable[PublishedView | ChangeView]) -> None:
    """Write many events down, in their order; the statements do not grow with their number."""
    listeners = work.registry.hooks.listeners(event)
    if not listeners:
        return
    rows = [
        {
            "event": event,
            "plugin": plugin,
            "payload": payload,
            "created_at": work.now,
            "next_attempt_at": work.now,
        }
        for payload in (json.dumps(_plain(each), ensure_ascii=False) for each in facts)
        for plugin in listeners
    ]
    if rows:
        work.session.execute(insert(PluginEvent), rows)


def tell_waiting(house: House, now: datetime) -> int:
    """Tell what is due, each event in a transaction of its own with the plug-in's tables; how many were told.

    An event that fails comes again after 1, 2, 4 … minutes, at most six hours; meanwhile the plug-in's later
    ones wait, and other plug-ins do not notice. At most 200 a call.
    """
    with house.reading(now) as work:
        waiting = [
            (row.id, row.plugin, f"{row.plugin}.{row.event}")
            for row in work.session.execute(
                select(PluginEvent.id, PluginEvent.plugin, PluginEvent.event)
                .where(PluginEvent.done_at.is_(None), PluginEvent.next_attempt_at <= now)
                .order_by(PluginEvent.id)
                .limit(BATCH)
            )
        ]
    told, stuck = 0, set()
    for event_id, plugin, key in waiting:
        if plugin in stuck or house.registry.guard.rests(key):
            continue
        with house.writing(now) as work:
            outcome = _tell(work, event_id, key)
        told += outcome is True
        if outcome is False:
            stuck.add(plugin)
    return told


def _tell(work: Work, event_id: int, key: str) -> bool | None:
    """True when the plug-in was told, False when not, None when another worker was faster."""
    row = work.session.scalar(
        select(PluginEvent)
        .where(PluginEvent.id == event_id, PluginEvent.done_at.is_(None))
        .with_for_update(skip_locked=True)
    )
    if row is None:
        return None
    hooks = work.registry.hooks
    if row.plugin not in hooks.listeners(row.event):
        return _postpone(work, row, "udvidelsen er ikke i brug")
    context = for_plugins.context(work, row.plugin)
    facts = _facts(row)
    answer: object = work.registry.guard.ask(
        key,
        lambda: hooks.tell(row.plugin, row.event, **facts, context=context),
        _FAILED,
        store=context.store,
    )
    if answer is _FAILED:
        return _postpone(work, row, work.registry.guard.faults().get(key, "fejlede"))
    row.attempts += 1
    row.done_at, row.error = work.now, None
    return True


def _postpone(work: Work, row: PluginEvent, fault: str) -> bool:
    row.attempts += 1
    row.error = fault[:500]
    row.next_attempt_at = work.now + min(FIRST_WAIT * 2 ** min(row.attempts - 1, 10), LONGEST_WAIT)
    if work.now - row.created_at > GIVEN_UP_AFTER:
        row.done_at = work.now
    return False


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def _facts(row: PluginEvent) -> dict[str, PublishedView | ChangeView]:
    values = json.loads(row.payload)
    at = datetime.fromisoformat(values.pop("at"))
    if row.event == CHANGED:
        return {"change": ChangeView(**values, at=at)}
    task = values["task"]
    start = date.fromisoformat(task.pop("start")) if task["start"] else task.pop("start")
    published_on = date.fromisoformat(task.pop("published_on"))
    view = TaskView(**task, start=start, published_on=published_on)
    return {
        "published": PublishedView(task=view, municipalities=tuple(values["municipalities"]), at=at),
    }
