"""What a person has seen of a task: the mark that "Set" moves, and whether anything came after it.

Decisions: a person's own acts are never new to themselves, and they do not hide what others did before them: an act
of one's own moves no mark. On a task without a mark it makes one, because nobody changes what they have not seen.
Opening a task moves nothing. "Set" counts from the moment its page was drawn, so that what came in while somebody
read is still new. Only what the person may see counts: KOMBIT is not told that a private comment came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from klik.domain.rights import Level
from klik.models import (
    Comment,
    Membership,
    MunicipalTask,
    Question,
    ReadMark,
    TaskChange,
    TaskFile,
    TaskVersion,
)
from klik.services import access
from klik.services.work import Work

# Fields whose changes only the task's own municipality sees, and those that suppliers see as well.
AT_HOME_FIELDS = ("file", "checklist")
SUPPLIER_FIELDS = ("status", "deadline")
_PORTION = 500
_KOMBIT = tuple(level.value for level in Level if level.scope == "kombit")


def mark_read(
    work: Work, task_id: int, drawn_at: datetime | None = None, version_id: int | None = None
) -> None:
    """The actor has seen the task ("Set") as a page drawn at ``drawn_at`` showed it, in that version.

    A moment in the future or a version of another task counts as not given; a mark never moves back.
    """
    task = access.municipal_task(work, task_id)
    seen_at = min(drawn_at or work.now, work.now)
    version = _version(work, task, version_id)
    found = _mark(work, task)
    if found is None:
        _add(work, task, seen_at, version)
    elif seen_at >= found.seen_at:
        found.seen_at, found.task_version_id = seen_at, version


def mark(work: Work, task: MunicipalTask) -> None:
    """The actor has done something to a task: it is known to them from now on, and an earlier mark stays."""
    mark_all(work, [task])


def mark_all(work: Work, tasks: Sequence[MunicipalTask]) -> None:
    """The same for tasks that are already loaded; one statement for 500."""
    if work.actor is None:
        return
    insert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    # Somebody with two windows open may act in both at once: the first mark stays.
    statement = insert(ReadMark).on_conflict_do_nothing(index_elements=["person_id", "municipal_task_id"])
    rows = [
        {
            "person_id": work.actor.person_id,
            "municipal_task_id": task.id,
            "municipality_id": task.municipality_id,
            "seen_at": work.now,
            "task_version_id": task.task_version_id,
        }
        for task in tasks
    ]
    for start in range(0, len(rows), _PORTION):
        work.session.execute(statement, rows[start : start + _PORTION])


def of(work: Work, task: MunicipalTask) -> ReadMark | None:
    """The actor's mark on a task."""
    return work.session.get(ReadMark, (work.actor.person_id, task.id)) if work.actor else None


def _mark(work: Work, task: MunicipalTask) -> ReadMark | None:
    if work.actor is None:
        return None
    # Somebody with two windows open may press in both at once: the row of the person decides who goes first.
    return work.session.get(ReadMark, (work.actor.person_id, task.id), with_for_update=True)


def _add(work: Work, task: MunicipalTask, seen_at: datetime, version: int | None) -> None:
    if work.actor is None:
        return
    work.session.add(
        ReadMark(
            person_id=work.actor.person_id,
            municipal_task_id=task.id,
            municipality_id=task.municipality_id,
            seen_at=seen_at,
            task_version_id=version,
        )
    )
    work.session.flush()


def _version(work: Work, task: MunicipalTask, version_id: int | None) -> int | None:
    if version_id is None or version_id == task.task_version_id:
        return task.task_version_id
    own = select(TaskVersion.id).where(TaskVersion.id == version_id, TaskVersion.task_id == task.task_id)
    return work.session.scalar(own) or task.task_version_id


def is_unread(work: Work, task: MunicipalTask) -> bool:
    """Whether the task is new to the actor, or others changed it after the mark."""
    if work.actor is None:
        return False
    statement = select(MunicipalTask.id).where(MunicipalTask.id == task.id, is_new_to(work.actor.person_id))
    return work.session.scalar(statement) is not None


def news(work: Work, task_ids: Iterable[int]) -> Mapping[int, bool]:
    """Of these tasks, those that the filter aendret=ja counts, and whether the actor had seen them before.

    One statement. The ids are those of tasks already shown.
    """
    if work.actor is None:
        return {}
    person_id = work.actor.person_id
    seen = and_(ReadMark.person_id == person_id, ReadMark.municipal_task_id == MunicipalTask.id)
    statement = (
        select(MunicipalTask.id, ReadMark.seen_at.is_not(None))
        .outerjoin(ReadMark, seen)
        .where(MunicipalTask.id.in_(list(task_ids)), is_new_to(person_id))
    )
    return {task_id: bool(before) for task_id, before in work.session.execute(statement)}


def is_new_to(person_id: int) -> ColumnElement[bool]:
    """Whether a municipal task is new to a person, or others changed what the person sees of it after the mark.

    ``changed_at`` and the version seen decide for nearly every row; only where the task changed after the mark are
    its changes looked at.
    """
    mine = and_(ReadMark.person_id == person_id, ReadMark.municipal_task_id == MunicipalTask.id)
    never = ~select(ReadMark.person_id).where(mine).correlate(MunicipalTask).exists()
    news = and_(ReadMark.seen_at < MunicipalTask.changed_at, or_(*_news(person_id)))
    later = (
        select(ReadMark.person_id)
        .where(mine, or_(_other_text(person_id), news))
        .correlate(MunicipalTask)
        .exists()
    )
    return or_(never, later)


def _news(person_id: int) -> tuple[ColumnElement[bool], ...]:
    at_home = _membership(person_id, Membership.municipality_id == MunicipalTask.municipality_id)
    kombit = _membership(person_id, Membership.level.in_(_KOMBIT))
    change = select(TaskChange.id).where(
        TaskChange.municipal_task_id == MunicipalTask.id,
        TaskChange.at > ReadMark.seen_at,
        TaskChange.person_id.is_distinct_from(person_id),
        or_(
            TaskChange.field.in_(SUPPLIER_FIELDS),
            and_(TaskChange.field.not_in(AT_HOME_FIELDS), kombit),
            at_home,
        ),
    )
    comment = select(Comment.id).where(
        Comment.municipal_task_id == MunicipalTask.id,
        func.coalesce(Comment.edited_at, Comment.at) > ReadMark.seen_at,
        Comment.author_id != person_id,
        or_(and_(Comment.private.is_(False), kombit), at_home),
    )
    file = select(TaskFile.id).where(
        TaskFile.task_id == MunicipalTask.task_id,
        TaskFile.added_at > ReadMark.seen_at,
        TaskFile.added_by.is_distinct_from(person_id),
    )
    answer = select(Question.id).where(
        Question.task_id == MunicipalTask.task_id,
        func.coalesce(Question.edited_at, Question.answered_at) > ReadMark.seen_at,
        Question.answered_by.is_distinct_from(person_id),
        or_(kombit, at_home),
    )
    exist = (each.correlate(MunicipalTask, ReadMark).exists() for each in (change, comment, file, answer))
    return (*exist, MunicipalTask.withdrawn_at > ReadMark.seen_at)


def _other_text(person_id: int) -> ColumnElement[bool]:
    """Whether KOMBIT's text is another version than the one seen, and not of the person's own writing."""
    others = select(TaskVersion.id).where(
        TaskVersion.id == MunicipalTask.task_version_id, TaskVersion.created_by.is_distinct_from(person_id)
    )
    return and_(
        ReadMark.task_version_id != MunicipalTask.task_version_id,
        others.correlate(MunicipalTask).exists(),
    )


def _membership(person_id: int, where: ColumnElement[bool]) -> ColumnElement[bool]:
    return (
        select(Membership.id)
        .where(Membership.person_id == person_id, Membership.active.is_(True), where)
        .correlate(MunicipalTask)
        .exists()
    )
