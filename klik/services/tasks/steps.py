"""The steps a change of a task consists of: each field that really changes, before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from klik.domain.calendar import long_date
from klik.domain.errors import InputError
from klik.domain.markdown import check_markdown
from klik.domain.status import Status, may_change
from klik.models import MunicipalTask, MunicipalTaskField
from klik.models.task import PRIORITIES as PRIORITY_WORDS
from klik.plugins.contributions import ExtraField
from klik.services import deadlines, free_text, views
from klik.services.errors import RefusedError
from klik.services.filters import PRIORITIES
from klik.services.tasks import assigning
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.words import FIELDS, LOCAL_TEXT_LIMIT, NOTHING, choice_word, day_word
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


class Asked:
    """What the steps ask the database, a task at a time; whoever changes many at once asks ahead."""

    def check(self, work: Work, task: MunicipalTask, field: str, wanted: Assignee, now: Assignee) -> None:
        """Refuse an assignee the task cannot be given to; see ``assigning.check``."""
        assigning.check(work, task, field, wanted, now)

    def field(self, work: Work, task: MunicipalTask, key: str) -> MunicipalTaskField | None:
        """The row of a plug-in's field."""
        return work.session.get(MunicipalTaskField, (task.id, key))


@dataclass(frozen=True, slots=True)
class Step:
    """One field that really changes: its shown words before and after, and how it is stored."""

    field: str
    old_word: str | None
    new_word: str | None
    store: Callable[[], None]


def assignee(task: MunicipalTask, field: str) -> Assignee:
    """Who is ``responsible`` or ``executor`` of the task now."""
    person = getattr(task, f"{field}_id")
    return Assignee(person_id=person, role=None if person else getattr(task, f"{field}_role"))


def steps_of(work: Work, task: MunicipalTask, changes: Changes, asked: Asked | None = None) -> list[Step]:
    """What the changes mean for this task, in the order of its history; raises RefusedError for every wrong field."""
    asked = asked or Asked()
    problems: dict[str, str] = {}
    steps: list[Step | None] = []
    makers: list[Callable[[], list[Step | None]]] = [
        lambda: _status_steps(work, task, changes),
        lambda: [_assignee_step(work, task, "responsible", changes.responsible, asked)],
        lambda: [_assignee_step(work, task, "executor", changes.executor, asked)],
        *[_local_maker(work, task, changes, name) for name in LOCAL_ONLY],
        lambda: [_deadline_step(work, task, changes)],
        *[_field_maker(work, task, key, value, asked) for key, value in changes.fields.items()],
    ]
    for make in makers:
        try:
            steps += make()
        except RefusedError as error:
            problems |= error.problems
    if problems:
        raise RefusedError(problems)
    return [step for step in steps if step is not None]


def _status_steps(work: Work, task: MunicipalTask, changes: Changes) -> list[Step | None]:
    old = Status(task.status)
    new = old if changes.status is KEPT else changes.status
    given = changes.not_relevant_reason
    stored_before = free_text.confirmed(task.not_relevant_reason or "")
    reason = stored_before if given is KEPT or given == stored_before else given or ""
    try:
        reason = free_text.clean(reason, field=FIELDS["not_relevant_reason"], limit=FIELD_LIMIT, lines=True)
        may_change(old, new, reason)
    except InputError as error:
        raise RefusedError({"not_relevant_reason": str(error)}) from error
    stored = reason if new is Status.NOT_RELEVANT else None

    def store_status() -> None:
        task.status = new.value
        task.completed_on = work.today if new is Status.COMPLETED else None

    def store_reason() -> None:
        task.not_relevant_reason = stored

    steps: list[Step | None] = []
    if new is not old:
        steps.append(Step("status", old.label, new.label, store_status))
    if stored != task.not_relevant_reason:
        was = task.not_relevant_reason
        steps.append(Step("not_relevant_reason", was or NOTHING, stored or NOTHING, store_reason))
    return steps


def _assignee_step(
    work: Work, task: MunicipalTask, name: str, wanted: Assignee | Kept, asked: Asked
) -> Step | None:
    now = assignee(task, name)
    if wanted is KEPT or wanted == now:
        return None
    asked.check(work, task, name, wanted, now)

    def store() -> None:
        setattr(task, f"{name}_id", wanted.person_id)
        setattr(task, f"{name}_role", wanted.role)

    return Step(name, assigning.word(work, now), assigning.word(work, wanted), store)


def _deadline_step(work: Work, task: MunicipalTask, changes: Changes) -> Step | None:
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
        task.for_information = False

    return Step("deadline", day_word(task.deadline), day_word(wanted), store)


def _rule_deadline(work: Work, task: MunicipalTask) -> date | None:
    version, published = task.task_version, task.task
    assert version is not None and published is not None
    return deadlines.deadlines_for(
        work.registry,
        version.deadline_rule,
        version.deadline_parameter,
        views.task_view(published, version, task.project, deadlines.given_on(task)),
        views.municipality_views(work, [task.municipality_id], task.system_code),
        working_day=version.working_day,
    )[task.municipality_id]


def _local_maker(
    work: Work, task: MunicipalTask, changes: Changes, name: str
) -> Callable[[], list[Step | None]]:
    def make() -> list[Step | None]:
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

        old_word, new_word = (local_word(work, name, value) for value in (now, wanted))
        return [Step(name, old_word, new_word, store)]

    return make


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
            return free_text.clean(value, field=FIELDS[name], limit=TITLE_LIMIT, required=True)
        if name == "local_text":
            value = free_text.clean(value, field=FIELDS[name], limit=LOCAL_TEXT_LIMIT, lines=True)
            check_markdown(value, FIELDS[name])
    except InputError as error:
        raise RefusedError({name: str(error)}) from error
    return value


def local_word(work: Work, name: str, value: Any) -> str:
    """A value of a local task's field as people read it."""
    if name == "phase":
        return work.registry.content.phase(value).name
    if name == "theme":
        return work.registry.content.theme(value).name
    if name == "priority":
        return PRIORITIES[value]
    if name == "start_date":
        return day_word(value)
    return value or NOTHING


def _field_maker(
    work: Work, task: MunicipalTask, key: str, value: str, asked: Asked
) -> Callable[[], list[Step | None]]:
    def make() -> list[Step | None]:
        extra = work.registry.extra_fields.get(key)
        if extra is None or not extra.municipal or extra.system != task.system_code:
            raise RefusedError({key: f"Feltet {key} findes ikke på denne opgave."})
        wanted = _checked_field(extra, value)
        row = asked.field(work, task, key)
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

        old_word, new_word = (choice_word(extra, value) or NOTHING for value in (now, wanted))
        return [Step(key, old_word, new_word, store)]

    return make


def _checked_field(extra: ExtraField, value: str) -> str:
    try:
        wanted = free_text.clean(value, field=extra.label, limit=FIELD_LIMIT)
    except InputError as error:
        raise RefusedError({extra.key: str(error)}) from error
    if wanted and extra.choices and wanted not in {choice.value for choice in extra.choices}:
        raise RefusedError({extra.key: f"{extra.label}: vælg en af mulighederne på listen."})
    return wanted
