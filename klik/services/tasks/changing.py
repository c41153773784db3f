"""Changing a municipality's task: every field at once or none, with history, audit, event and notice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select

from klik.domain import texts
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import MunicipalTask, Person, TaskChange
from klik.plugins.views import ChangeView
from klik.services import access, auditing, deadlines, events
from klik.services.auditing import Act
from klik.services.correcting import deviations, following
from klik.services.errors import ConflictError, Difference
from klik.services.notices.assigned import tell_assigned
from klik.services.tasks import read_marks
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.steps import Changes, Step, assignee, steps_of
from klik.services.tasks.words import NOTHING, field_word
from klik.services.work import Work

_PORTION = 500


def change(work: Work, task_id: int, version: int, changes: Changes, via: str | None = None) -> MunicipalTask:
    """Store the changes in one go and return the task; nothing is written when nothing differs.

    ``version`` is the one the form was drawn with. Raises ConflictError with both sides when somebody stored
    first, RefusedError naming each wrong field, ForbiddenError, NotFoundError. ``via``: what it came by.
    """
    task = access.task_to_change(work, task_id)
    # Whoever comes second waits here and is then told what the first one wrote.
    work.session.refresh(task, with_for_update=True)
    steps = steps_of(work, task, changes)
    if task.version != version:
        raise ConflictError(task.version, _differences(work, steps), _last_changer(work, task))
    if not steps:
        return task
    changed = store(work, task, steps)
    work.session.flush()
    write_down(work, [changed], via)
    return task


@dataclass(frozen=True, slots=True)
class Changed:
    """A task whose new values are set, the steps they came by, and who had it before."""

    task: MunicipalTask
    steps: Sequence[Step]
    before: Mapping[str, Assignee]


def store(work: Work, task: MunicipalTask, steps: Sequence[Step]) -> Changed:
    """Set the new values and what follows from them; flush when all are set, then call ``write_down``."""
    before = {field: assignee(task, field) for field in ("responsible", "executor")}
    # One flush for all fields: the version counts acts, not fields.
    with work.session.no_autoflush:
        for step in steps:
            step.store()
        task.changed_at = work.now
        _refresh_derived(work, task, {step.field for step in steps})
    return Changed(task, steps, before)


def write_down(work: Work, changes: Sequence[Changed], via: str | None = None, *, tell: bool = True) -> int:
    """History, events, audit, notices and read marks of tasks that are changed and flushed.

    No question is asked a task at a time. ``via`` says what the changes are part of; ``tell`` false: whoever
    is given them is told in another way. Gives the id of the newest entry in the history.
    """
    entries = [entry for changed in changes for entry in _entries(work, changed, via)]
    for start in range(0, len(entries), _PORTION):
        work.session.execute(insert(TaskChange), entries[start : start + _PORTION])
    events.note_all(work, events.CHANGED, [view for changed in changes for view in _views(work, changed)])
    auditing.record_all(
        work,
        [
            Act(
                "ret-opgave",
                f"kommuneopgave/{changed.task.id}",
                {"felter": [step.field for step in changed.steps], "version": changed.task.version},
                changed.task.municipality_id,
            )
            for changed in changes
        ],
    )
    if tell:
        tell_assigned(work, [(changed.task, changed.before) for changed in changes])
    read_marks.mark_all(work, [changed.task for changed in changes])
    _meet_corrections(work, changes)
    return work.session.scalar(select(func.max(TaskChange.id))) or 0


def _meet_corrections(work: Work, changes: Sequence[Changed]) -> None:
    """What is opened again gets KOMBIT's newest words; a changed field answers the deviation it had."""
    touched = {
        each.task.id: (each.task, deviations.fields_of(s.field for s in each.steps)) for each in changes
    }
    deviations.settle_changed(work, {key: found for key, found in touched.items() if found[1]})
    following.catch_up(work, [each.task for each in changes if _is_reopened(each)])


def _is_reopened(changed: Changed) -> bool:
    closed = {status.label for status in Status if status not in OPEN_STATUSES}
    return Status(changed.task.status) in OPEN_STATUSES and any(
        step.field == "status" and step.old_word in closed for step in changed.steps
    )


def _differences(work: Work, steps: list[Step]) -> tuple[Difference, ...]:
    return tuple(
        Difference(
            field=field_word(work.registry, step.field),
            mine=step.new_word or NOTHING,
            theirs=step.old_word or NOTHING,
        )
        for step in steps
    )


def _last_changer(work: Work, task: MunicipalTask) -> str | None:
    return work.session.scalar(
        select(Person.name)
        .join(TaskChange, TaskChange.person_id == Person.id)
        .where(TaskChange.municipal_task_id == task.id)
        .order_by(TaskChange.id.desc())
        .limit(1)
    )


def _refresh_derived(work: Work, task: MunicipalTask, changed: set[str]) -> None:
    if changed & {"title", "local_text"}:
        task.title_key = texts.sort_key(task.title)
        task.search_key = texts.search_key(f"{task.title} {task.local_text}")
    if task.deadline is None:
        task.yellow_from = None
    elif changed & {"deadline", "start_date"}:
        rule = task.task_version.deadline_rule if task.task_version else ""
        task.yellow_from = deadlines.yellow_from_for(work.registry, rule, task.start_date, task.deadline)


def _entries(work: Work, changed: Changed, via: str | None) -> Iterator[dict[str, Any]]:
    task = changed.task
    for step in changed.steps:
        yield {
            "municipality_id": task.municipality_id,
            "municipal_task_id": task.id,
            "at": work.now,
            "person_id": work.actor.person_id if work.actor else None,
            "field": step.field[:60],
            "old": step.old_word,
            "new": step.new_word,
            "via": via or "klik",
        }


def _views(work: Work, changed: Changed) -> Iterator[ChangeView]:
    task = changed.task
    for step in changed.steps:
        yield ChangeView(
            task=task.id,
            municipality=task.municipality_id,
            system=task.system_code,
            field=step.field,
            old=step.old_word,
            new=step.new_word,
            at=work.now,
        )
