"""Changing a municipality's task: every field at once or none, with history, audit, event and notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from sqlalchemy import select

from klik.domain import texts
from klik.domain.calendar import long_date
from klik.domain.deadlines import danish_today
from klik.domain.errors import InputError
from klik.domain.markdown import check_markdown
from klik.domain.status import Status, may_change
from klik.models import MunicipalTask, MunicipalTaskField, Person, TaskChange
from klik.models.task import PRIORITIES as PRIORITY_WORDS
from klik.plugins.contributions import ExtraField
from klik.plugins.views import ChangeView
from klik.services import access, auditing, deadlines, events, views
from klik.services.errors import ConflictError, Difference, RefusedError
from klik.services.filters import PRIORITIES
from klik.services.notices.assigned import tell_assigned
from klik.services.tasks import assigning, read_marks
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.words import (
    FIELDS,
    LOCAL_TEXT_LIMIT,
    NOTHING,
    choice_word,
    day_word,
    field_word,
)
from klik.services.work import Work

FIELD_LIMIT = 500
TITLE_LIMIT = 200


class Kept(Enum):
    """A field that is to stay as it is (None would mean: emptied)."""

    KEPT = "kept"


KEPT = Kept.KEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is wanted of a task; what is KEPT stays.

    ``deadline`` is the municipality's own; None goes back to the one the task's rule gives. ``fields`` are the
    plug-ins' municipal fields by key, empty for "not filled in". The last six are for local tasks only.
    """

    status: Status | Kept = KEPT
    not_relevant_reason: str | Kept | None = KEPT
    responsible: Assignee | Kept = KEPT
    executor: Assignee | Kept = KEPT
    deadline: date | Kept | None = KEPT
    fields: Mapping[str, str] = field(default_factory=dict)
    title: str | Kept = KEPT
    local_text: str | Kept = KEPT
    phase: str | Kept = KEPT
    theme: str | Kept = KEPT
    priority: str | Kept = KEPT
    start_date: date | Kept | None = KEPT


LOCAL_ONLY = ("title", "local_text", "phase", "theme", "priority", "start_date")


@dataclass(frozen=True, slots=True)
class _Step:
    """One field that really changes: its shown words before and after, its raw values, and how it is stored."""

    field: str
    old_word: str | None
    new_word: str | None
    old: str | None
    new: str | None
    store: Callable[[], None]


def change(work: Work, task_id: int, version: int, changes: Changes) -> MunicipalTask:
    """Store the changes in one go and return the task; nothing is written when nothing differs.

    ``version`` is the one the form was drawn with. Raises ConflictError with both sides when somebody stored
    first, RefusedError naming each wrong field, ForbiddenError, NotFoundError.
    """
    task = access.task_to_change(work, task_id)
    # Whoever comes second waits here and is then told what the first one wrote.
    work.session.refresh(task, with_for_update=True)
    steps = _steps(work, task, changes)
    if task.version != version:
        raise ConflictError(task.version, _differences(work, steps), _last_changer(work, task))
    if not steps:
        return task
    before = {"responsible": _assignee(task, "responsible"), "executor": _assignee(task, "executor")}
    # One flush for all fields: the version counts acts, not fields.
    with work.session.no_autoflush:
        for step in steps:
            step.store()
        task.changed_at = work.now
        _refresh_derived(work, task, {step.field for step in steps})
    work.session.flush()
    _write_down(work, task, steps)
    tell_assigned(work, task, before)
    if work.actor is not None:
        read_marks.mark(work, task)
    return task


def assignee(task: MunicipalTask, field: str) -> Assignee:
    """Who is ``responsible`` or ``executor`` of the task now."""
    return _assignee(task, field)


def _assignee(task: MunicipalTask, field: str) -> Assignee:
    person = getattr(task, f"{field}_id")
    return Assignee(person_id=person, role=None if person else getattr(task, f"{field}_role"))


def _steps(work: Work, task: MunicipalTask, changes: Changes) -> list[_Step]:
    problems: dict[str, str] = {}
    steps: list[_Step | None] = []
    makers: list[Callable[[], list[_Step | None]]] = [
        lambda: _status_steps(work, task, changes),
        lambda: [_assignee_step(work, task, "responsible", changes.responsible)],
        lambda: [_assignee_step(work, task, "executor", changes.executor)],
        *[_local_maker(work, task, changes, name) for name in LOCAL_ONLY],
        lambda: [_deadline_step(work, task, changes)],
        *[_field_maker(work, task, key, value) for key, value in changes.fields.items()],
    ]
    for make in makers:
        try:
            steps += make()
        except RefusedError as error:
            problems |= error.problems
    if problems:
        raise RefusedError(problems)
    return [step for step in steps if step is not None]


def _status_steps(work: Work, task: MunicipalTask, changes: Changes) -> list[_Step | None]:
    old = Status(task.status)
    new = old if changes.status is KEPT else changes.status
    given = changes.not_relevant_reason
    reason = (task.not_relevant_reason if given is KEPT else given) or ""
    try:
        reason = texts.clean(reason, field=FIELDS["not_relevant_reason"], limit=FIELD_LIMIT, lines=True)
        may_change(old, new, reason)
    except InputError as error:
        raise RefusedError({"not_relevant_reason": str(error)}) from error
    stored = reason if new is Status.NOT_RELEVANT else None

    def store_status() -> None:
        task.status = new.value
        task.completed_on = work.today if new is Status.COMPLETED else None

    def store_reason() -> None:
        task.not_relevant_reason = stored

    steps: list[_Step | None] = []
    if new is not old:
        steps.append(_Step("status", old.label, new.label, old.value, new.value, store_status))
    if stored != task.not_relevant_reason:
        was = task.not_relevant_reason
        steps.append(
            _Step("not_relevant_reason", was or NOTHING, stored or NOTHING, was, stored, store_reason)
        )
    return steps


def _assignee_step(work: Work, task: MunicipalTask, name: str, wanted: Assignee | Kept) -> _Step | None:
    now = _assignee(task, name)
    if wanted is KEPT or wanted == now:
        return None
    assigning.check(work, task, name, wanted, now)

    def store() -> None:
        setattr(task, f"{name}_id", wanted.person_id)
        setattr(task, f"{name}_role", wanted.role)

    return _Step(
        name,
        assigning.word(work, now),
        assigning.word(work, wanted),
        now.key or None,
        wanted.key or None,
        store,
    )


def _deadline_step(work: Work, task: MunicipalTask, changes: Changes) -> _Step | None:
    start = task.start_date if changes.start_date is KEPT else changes.start_date
    wanted = task.deadline if changes.deadline is KEPT else changes.deadline
    moved = (start, wanted) != (task.start_date, task.deadline)
    if moved and wanted is not None and start is not None and wanted < start:
        said = "start_date" if changes.deadline is KEPT else "deadline"
        raise RefusedError(
            {said: f"Deadline ({long_date(wanted)}) må ikke ligge før startdatoen ({long_date(start)})."}
        )
    if changes.deadline is KEPT:
        return None
    own = wanted is not None or task.task_id is None
    if wanted is None and task.task_id is not None:
        wanted = _rule_deadline(work, task) if task.deadline_is_own else task.deadline
    if wanted == task.deadline:
        return None

    def store() -> None:
        task.deadline = wanted
        task.deadline_is_own = own
        task.deadline_version += 1

    return _Step(
        "deadline",
        day_word(task.deadline),
        day_word(wanted),
        task.deadline.isoformat() if task.deadline else None,
        wanted.isoformat() if wanted else None,
        store,
    )


def _rule_deadline(work: Work, task: MunicipalTask) -> date | None:
    version, published = task.task_version, task.task
    assert version is not None and published is not None
    published_on = danish_today(published.published_at or task.created_at)
    return deadlines.deadlines_for(
        work.registry,
        version.deadline_rule,
        version.deadline_parameter,
        views.task_view(published, version, task.project, published_on),
        views.municipality_views(work, [task.municipality_id], task.system_code),
    )[task.municipality_id]


def _local_maker(
    work: Work, task: MunicipalTask, changes: Changes, name: str
) -> Callable[[], list[_Step | None]]:
    def make() -> list[_Step | None]:
        wanted = getattr(changes, name)
        if wanted is KEPT:
            return []
        if task.task_id is not None:
            raise RefusedError({name: f"{FIELDS[name]} hører til KOMBITs opgave og kan ikke ændres her."})
        wanted = checked_local_value(work, name, wanted)
        now = getattr(task, name)
        if wanted == now:
            return []

        def store() -> None:
            setattr(task, name, wanted)

        old_word, new_word = (_local_word(work, name, value) for value in (now, wanted))
        return [_Step(name, old_word, new_word, _raw(now), _raw(wanted), store)]

    return make


def _raw(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date) else value


def checked_local_value(work: Work, name: str, value: Any) -> Any:
    """A local task's field as it is stored; raises RefusedError naming the field."""
    content = work.registry.content
    known = {
        "phase": {phase.slug for phase in content.phases},
        "theme": {theme.slug for theme in content.themes},
        "priority": set(PRIORITY_WORDS),
    }
    try:
        if name in known and value not in known[name]:
            raise RefusedError({name: f"{FIELDS[name]}: vælg en af mulighederne på listen."})
        if name == "title":
            return texts.clean(value, field=FIELDS[name], limit=TITLE_LIMIT, required=True)
        if name == "local_text":
            value = texts.clean(value, field=FIELDS[name], limit=LOCAL_TEXT_LIMIT, lines=True)
            check_markdown(value, FIELDS[name])
    except InputError as error:
        raise RefusedError({name: str(error)}) from error
    return value


def _local_word(work: Work, name: str, value: Any) -> str:
    if name == "phase":
        return work.registry.content.phase(value).name
    if name == "theme":
        return work.registry.content.theme(value).name
    if name == "priority":
        return PRIORITIES[value]
    if name == "start_date":
        return day_word(value)
    return value or NOTHING


def _field_maker(work: Work, task: MunicipalTask, key: str, value: str) -> Callable[[], list[_Step | None]]:
    def make() -> list[_Step | None]:
        extra = work.registry.extra_fields.get(key)
        if extra is None or not extra.municipal or extra.system != task.system_code:
            raise RefusedError({key: f"Feltet {key} findes ikke på denne opgave."})
        wanted = _checked_field(extra, value)
        row = work.session.get(MunicipalTaskField, (task.id, key))
        now = row.value if row else ""
        if wanted == now:
            return []

        def store() -> None:
            if row is None:
                work.session.add(
                    MunicipalTaskField(
                        municipality_id=task.municipality_id,
                        municipal_task_id=task.id,
                        field=key,
                        value=wanted,
                    )
                )
            elif wanted:
                row.value = wanted
            else:
                work.session.delete(row)

        return [
            _Step(
                key,
                choice_word(extra, now) or NOTHING,
                choice_word(extra, wanted) or NOTHING,
                now or None,
                wanted or None,
                store,
            )
        ]

    return make


def _checked_field(extra: ExtraField, value: str) -> str:
    try:
        wanted = texts.clean(value, field=extra.label, limit=FIELD_LIMIT)
    except InputError as error:
        raise RefusedError({extra.key: str(error)}) from error
    if wanted and extra.choices and wanted not in {choice.value for choice in extra.choices}:
        raise RefusedError({extra.key: f"{extra.label}: vælg en af mulighederne på listen."})
    return wanted


def _differences(work: Work, steps: list[_Step]) -> tuple[Difference, ...]:
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


def _write_down(work: Work, task: MunicipalTask, steps: list[_Step]) -> None:
    for step in steps:
        work.session.add(
            TaskChange(
                municipality_id=task.municipality_id,
                municipal_task_id=task.id,
                at=work.now,
                person_id=work.actor.person_id if work.actor else None,
                field=step.field[:60],
                old=step.old_word,
                new=step.new_word,
            )
        )
        events.note(
            work,
            events.CHANGED,
            ChangeView(
                task=task.id,
                municipality=task.municipality_id,
                system=task.system_code,
                field=step.field,
                old=step.old_word,
                new=step.new_word,
                at=work.now,
            ),
        )
    auditing.record(
        work,
        "ret-opgave",
        f"kommuneopgave/{task.id}",
        {"felter": [step.field for step in steps], "version": task.version},
        task.municipality_id,
    )
