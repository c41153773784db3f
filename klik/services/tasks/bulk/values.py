"""The raw values of a task's fields, as they are kept for an undo."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from klik.domain.status import Status
from klik.models import MunicipalTask, MunicipalTaskField
from klik.services.tasks import assigning
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.steps import Asked, Step, local_word
from klik.services.tasks.words import NOTHING, choice_word, day_word
from klik.services.work import Work

# A deadline that follows KOMBIT's is restored only while the task's version is the one it came from.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "status": ("status", "completed_on"),
    "not_relevant_reason": ("not_relevant_reason",),
    "responsible": ("responsible_id", "responsible_role"),
    "executor": ("executor_id", "executor_role"),
    "deadline": ("deadline", "deadline_is_own", "for_information", "task_version_id"),
    "phase": ("phase",),
    "theme": ("theme",),
    "priority": ("priority",),
    "start_date": ("start_date",),
}
_DAYS = frozenset({"completed_on", "deadline", "start_date"})
_VALUE = "value"
Raw = Mapping[str, Any]


def raw(work: Work, task: MunicipalTask, field: str, asked: Asked) -> dict[str, Any]:
    """The columns behind a field, dates as text; a plug-in's field has the one column ``value``."""
    if field not in COLUMNS:
        row = asked.field(work, task, field)
        return {_VALUE: row.value if row else ""}
    return {column: _plain(getattr(task, column)) for column in COLUMNS[field]}


def step_back(work: Work, task: MunicipalTask, field: str, now: Raw, before: Raw, asked: Asked) -> Step:
    """The step that puts ``before`` where ``now`` stands."""

    def store() -> None:
        if field not in COLUMNS:
            _store_extra(work, task, field, before[_VALUE], asked)
            return
        for column in COLUMNS[field]:
            value = before[column]
            setattr(task, column, date.fromisoformat(value) if column in _DAYS and value else value)
        if field == "deadline":
            # Reminders are kept apart by this number: it only ever rises.
            task.deadline_version += 1

    return Step(field, word(work, field, now), word(work, field, before), store)


def word(work: Work, field: str, columns: Raw) -> str:
    """The raw value as people read it."""
    value = columns[COLUMNS[field][0] if field in COLUMNS else _VALUE]
    if field == "status":
        return Status(value).label
    if field in ("responsible", "executor"):
        return assigning.word(work, Assignee(value, columns[f"{field}_role"] if value is None else None))
    if field in ("deadline", "start_date"):
        return day_word(date.fromisoformat(value) if value else None)
    if field in ("phase", "theme", "priority"):
        return local_word(work, field, value)
    extra = work.registry.extra_fields.get(field)
    return (choice_word(extra, value) if extra else value) or NOTHING


def _store_extra(work: Work, task: MunicipalTask, field: str, value: str, asked: Asked) -> None:
    row = asked.field(work, task, field)
    if row is None:
        if value:
            work.session.add(
                MunicipalTaskField(
                    municipality_id=task.municipality_id, municipal_task_id=task.id, field=field, value=value
                )
            )
    elif value:
        row.value = value
    else:
        work.session.delete(row)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
