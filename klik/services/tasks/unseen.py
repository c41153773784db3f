"""What exactly is new to a person on a task's page: each changed field, passage, comment, file and line to tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from klik.domain.passages import Passage, is_same, passages
from klik.domain.rights import Level
from klik.models import ChecklistItem, MunicipalTask, Person, Question, ReadMark, TaskChange, TaskVersion
from klik.services import access
from klik.services.tasks import read_marks
from klik.services.tasks.details import TaskDetails
from klik.services.tasks.history import CORRECTION
from klik.services.tasks.words import NOTHING, TEXTS, field_word
from klik.services.work import Work

# Fields with a place of their own on the page: their news stand there and not beside a word.
_ELSEWHERE = frozenset({"file", "kombit_file", "checklist", "created", "local_text", "version", "withdrawn"})


@dataclass(frozen=True, slots=True)
class FieldNews:
    """A field that others changed after the mark: what it was then, and who changed it last."""

    label: str
    before: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """What is new to the actor. ``never``: the task as a whole, so that nothing in it is marked by itself.

    ``drawn_at`` and ``version_id`` go back with "Set". ``texts`` are by heading, and hold only texts that changed;
    ``files`` are (whether KOMBIT's, id), ``answers`` questions with a new or corrected answer.
    """

    never: bool
    drawn_at: datetime
    version_id: int | None
    since: datetime | None = None
    fields: Mapping[str, FieldNews] = field(default_factory=dict)
    texts: Mapping[str, tuple[Passage, ...]] = field(default_factory=dict)
    comments: frozenset[int] = frozenset()
    files: frozenset[tuple[bool, int]] = frozenset()
    items: frozenset[int] = frozenset()
    answers: frozenset[int] = frozenset()
    others: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many places on the page have a bar, and what is gone besides."""
        return sum(map(len, self._places))

    @property
    def _places(self) -> tuple[Sized, ...]:
        bars = (self.fields, self.texts, self.comments, self.files, self.items, self.answers)
        return (*bars, self.others)

    @property
    def any(self) -> bool:
        """Whether there is something to say "Set" to."""
        return self.never or self.count > 0


def load(work: Work, details: TaskDetails) -> Unseen:
    """What is new to the actor on this page."""
    task = details.task
    mark = read_marks.of(work, task)
    now = {"drawn_at": work.now, "version_id": task.task_version_id}
    if work.actor is None or mark is None:
        return Unseen(never=work.actor is not None, **now)
    if not read_marks.is_unread(work, task):
        return Unseen(never=False, since=mark.seen_at, **now)
    changes = _changes(work, details, mark)
    fields = _fields(work, details, changes)
    return Unseen(
        never=False,
        since=mark.seen_at,
        fields=fields,
        texts=_texts(work, details, mark, changes),
        comments=frozenset(
            each.id
            for each in details.comments
            if not each.mine and (each.edited_at or each.at) > mark.seen_at
        ),
        files=frozenset(
            (each.kombit, each.id)
            for each in details.files
            if each.added_at > mark.seen_at and each.added_by_id != mark.person_id
        ),
        items=_items(work, task, mark) if details.own else frozenset(),
        answers=_answers(work, task, mark),
        others=(*_corrections(work, task, mark), *_others(details, mark, changes)),
        **now,
    )


def _changes(work: Work, details: TaskDetails, mark: ReadMark) -> Sequence[tuple[TaskChange, str | None]]:
    """Others' changes after the mark that the actor may see, oldest first."""
    statement = (
        select(TaskChange, Person.name)
        .outerjoin(Person, Person.id == TaskChange.person_id)
        .where(
            TaskChange.municipal_task_id == details.task.id,
            TaskChange.municipality_id == details.task.municipality_id,
            TaskChange.at > mark.seen_at,
            TaskChange.person_id.is_distinct_from(mark.person_id),
        )
        .order_by(TaskChange.at, TaskChange.id)
    )
    if work.actor is not None and work.actor.level is Level.SUPPLIER:
        statement = statement.where(TaskChange.field.in_(read_marks.SUPPLIER_FIELDS))
    elif not details.own:
        statement = statement.where(TaskChange.field.not_in(read_marks.AT_HOME_FIELDS))
    return [(row, name) for row, name in work.session.execute(statement)]


def _fields(
    work: Work, details: TaskDetails, changes: Sequence[tuple[TaskChange, str | None]]
) -> dict[str, FieldNews]:
    named = access.sees_people(work)
    found: dict[str, FieldNews] = {}
    for row, name in changes:
        if row.field in _ELSEWHERE:
            continue
        earlier = found.get(row.field)
        found[row.field] = FieldNews(
            label=field_word(work.registry, row.field),
            before=earlier.before if earlier else row.old or NOTHING,
            who=_who(row, name, named),
            at=row.at,
        )
    return found


def _who(row: TaskChange, name: str | None, named: bool) -> str:
    if row.via.startswith(f"{CORRECTION}/"):
        return "KOMBIT"
    return (name or "klik") if named else "Kommunen"


def _texts(
    work: Work,
    details: TaskDetails,
    mark: ReadMark,
    changes: Sequence[tuple[TaskChange, str | None]],
) -> dict[str, tuple[Passage, ...]]:
    task = details.task
    if details.local:
        first = next((row for row, _name in changes if row.field == "local_text"), None)
        was = {"Beskrivelse": ("" if first.old == NOTHING else first.old or "")} if first else {}
    else:
        was = _seen_texts(work, task, mark)
    shown = dict(details.texts)
    found: dict[str, tuple[Passage, ...]] = {}
    for heading, old in was.items():
        new = shown.get(heading, "")
        if not is_same(old, new):
            found[heading] = passages(old, new)
    return found


def _seen_texts(work: Work, task: MunicipalTask, mark: ReadMark) -> dict[str, str]:
    """KOMBIT's texts as the person last saw them, by heading; nothing when that is what stands there now."""
    if mark.task_version_id in (None, task.task_version_id) or task.task_version is None:
        return {}
    seen = work.session.get(TaskVersion, mark.task_version_id)
    current = task.task_version
    if seen is None or seen.task_id != task.task_id or current.created_by == mark.person_id:
        return {}
    return {heading: getattr(seen, name) for name, heading in TEXTS}


def _corrections(work: Work, task: MunicipalTask, mark: ReadMark) -> list[str]:
    """What KOMBIT wrote of each version that others made and that came onto the task after the one seen."""
    if mark.task_version_id in (None, task.task_version_id) or task.task_version is None:
        return []
    seen = select(TaskVersion.number).where(
        TaskVersion.id == mark.task_version_id, TaskVersion.task_id == task.task_id
    )
    notes = work.session.scalars(
        select(TaskVersion.change_note)
        .where(
            TaskVersion.task_id == task.task_id,
            TaskVersion.number > seen.scalar_subquery(),
            TaskVersion.number <= task.task_version.number,
            TaskVersion.created_by.is_distinct_from(mark.person_id),
        )
        .order_by(TaskVersion.number)
    )
    return [f"KOMBIT har rettet opgaven{f': {note}' if note else ''}" for note in notes]


def _items(work: Work, task: MunicipalTask, mark: ReadMark) -> frozenset[int]:
    return frozenset(
        work.session.scalars(
            select(ChecklistItem.id).where(
                ChecklistItem.municipal_task_id == task.id,
                ChecklistItem.municipality_id == task.municipality_id,
                ChecklistItem.changed_at > mark.seen_at,
                ChecklistItem.changed_by.is_distinct_from(mark.person_id),
            )
        )
    )


def _answers(work: Work, task: MunicipalTask, mark: ReadMark) -> frozenset[int]:
    if task.task_id is None:
        return frozenset()
    told = func.coalesce(Question.edited_at, Question.answered_at)
    return frozenset(
        work.session.scalars(
            select(Question.id).where(
                Question.task_id == task.task_id,
                told > mark.seen_at,
                Question.answered_by.is_distinct_from(mark.person_id),
                access.visible_questions(work),
            )
        )
    )


def _others(
    details: TaskDetails, mark: ReadMark, changes: Sequence[tuple[TaskChange, str | None]]
) -> list[str]:
    """What is new and has no place on the page any more, in words."""
    found = [
        f"Filen “{row.old}” er fjernet"
        for row, _name in changes
        if row.field in ("file", "kombit_file") and not row.new
    ]
    found += [
        f"Linjen “{row.old}” er fjernet fra tjeklisten"
        for row, _name in changes
        if row.field == "checklist" and not row.new
    ]
    if details.withdrawn_at is not None and details.withdrawn_at > mark.seen_at:
        found.append("KOMBIT har trukket opgaven tilbage")
    return list(dict.fromkeys(found))
