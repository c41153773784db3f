"""People who were given a task, named or answered, and whether they heard of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from klik.domain import mentions
from klik.models import Comment, Membership, MunicipalTask, Notice, Person, Question, TaskChange
from klik.services.access import MENTION
from klik.services.control.findings import Untold, since
from klik.services.control.people import CLOSED
from klik.services.notices.assigned import OCCASION as ASSIGNED
from klik.services.notices.assigned import tell_assigned
from klik.services.people import acting
from klik.services.questions import telling as questions
from klik.services.tasks import mentioning
from klik.services.tasks.assigning import NOBODY
from klik.services.work import Actor, Work

OCCASIONS = (ASSIGNED, MENTION, questions.ANSWERED)
# Changes of a correction tell of themselves; so does what klik does on its own.
_BY_HAND = or_(TaskChange.via == "klik", TaskChange.via.like("samlet/%"))


def untold(work: Work) -> Iterable[Untold]:
    """What those it concerned never heard of."""
    yield from _assigned(work)
    yield from _mentioned(work)
    yield from _answered(work)


def _assigned(work: Work) -> Iterable[Untold]:
    """People whom somebody else made responsible or executor of an open task, and who never heard of it."""
    later = aliased(TaskChange)
    for field, column in (
        ("responsible", MunicipalTask.responsible_id),
        ("executor", MunicipalTask.executor_id),
    ):
        overtaken = (
            select(later.id)
            .where(
                later.municipal_task_id == TaskChange.municipal_task_id,
                later.field == field,
                later.id > TaskChange.id,
            )
            .exists()
        )
        told = (
            select(Notice.id)
            .where(
                Notice.municipal_task_id == TaskChange.municipal_task_id,
                Notice.person_id == column,
                Notice.occasion == ASSIGNED,
                Notice.created_at >= TaskChange.at,
            )
            .correlate(TaskChange, MunicipalTask)
            .exists()
        )
        rows = work.session.execute(
            select(MunicipalTask.id, column)
            .join(TaskChange, TaskChange.municipal_task_id == MunicipalTask.id)
            .join(Person, and_(Person.id == column, Person.active.is_(True)))
            .where(
                TaskChange.at >= since(work),
                TaskChange.field == field,
                TaskChange.person_id.is_not(None),
                TaskChange.person_id != column,
                _BY_HAND,
                MunicipalTask.status.not_in(CLOSED),
                MunicipalTask.withdrawn_at.is_(None),
                MunicipalTask.erased_at.is_(None),
                ~overtaken,
                ~told,
            )
        ).all()
        for task_id, person_id in rows:
            yield Untold(ASSIGNED, f"mt={task_id}/p{person_id}", _assignment(task_id, field))


def _assignment(task_id: int, field: str) -> Callable[[Work], int]:
    return lambda work: tell_assigned(work, [(work.session.get_one(MunicipalTask, task_id), {field: NOBODY})])


def _mentioned(work: Work) -> Iterable[Untold]:
    """People named in a comment that they may read, and who never heard of it."""
    rows = work.session.execute(
        select(Comment.id, Comment.municipality_id, Comment.author_id, Comment.text, Comment.private)
        .join(MunicipalTask, MunicipalTask.id == Comment.municipal_task_id)
        .where(
            func.coalesce(Comment.edited_at, Comment.at) >= since(work),
            Comment.text.contains("@"),
            MunicipalTask.erased_at.is_(None),
        )
    ).all()
    named = {
        (comment_id, person)
        for comment_id, _, author, text, _ in rows
        for person in mentions.mentioned(text)
        if person != author
    }
    if not named:
        return
    active = dict(_homes(work, {person for _, person in named}))
    told = set(
        work.session.scalars(
            select(Notice.dedupe_key).where(Notice.occasion == MENTION, Notice.created_at >= since(work))
        )
    )
    for comment_id, code, _author, _, private in rows:
        for person in sorted(person for comment, person in named if comment == comment_id):
            reads = person in active and (not private or code in active[person])
            if reads and f"{MENTION}/comment={comment_id}/p{person}" not in told:
                yield Untold(MENTION, f"comment={comment_id}/p{person}", _mention(comment_id))


def _homes(work: Work, wanted: Iterable[int]) -> Mapping[int, set[int | None]]:
    homes: dict[int, set[int | None]] = defaultdict(set)
    for person_id, code in work.session.execute(
        select(Person.id, Membership.municipality_id)
        .join(Membership, and_(Membership.person_id == Person.id, Membership.active.is_(True)))
        .where(Person.id.in_(sorted(wanted)), Person.active.is_(True))
    ):
        homes[person_id].add(code)
    return homes


def _mention(comment_id: int) -> Callable[[Work], int]:
    def heal(work: Work) -> int:
        comment = work.session.get_one(Comment, comment_id)
        task = work.session.get_one(MunicipalTask, comment.municipal_task_id)
        author = _as_author(work, comment)
        return mentioning.tell(replace(work, actor=author), task, comment) if author else 0

    return heal


def _as_author(work: Work, comment: Comment) -> Actor | None:
    """The comment's author, as the words about it name them."""
    membership = work.session.scalar(
        select(Membership.id)
        .join(Person, and_(Person.id == Membership.person_id, Person.active.is_(True)))
        .where(Membership.person_id == comment.author_id, Membership.active.is_(True))
        .order_by((Membership.municipality_id == comment.municipality_id).desc(), Membership.id)
        .limit(1)
    )
    return acting.actors(work, [membership])[membership] if membership else None


def _answered(work: Work) -> Iterable[Untold]:
    """Questions that were answered or closed, and whose asker never heard of it."""
    told = (
        select(Notice.id)
        .where(
            Notice.occasion == questions.ANSWERED,
            Notice.municipal_task_id == Question.municipal_task_id,
            Notice.person_id == Question.asked_by,
            Notice.created_at >= func.coalesce(Question.answered_at, Question.closed_at),
        )
        .correlate(Question)
        .exists()
    )
    rows = work.session.scalars(
        select(Question.id)
        .join(Person, and_(Person.id == Question.asked_by, Person.active.is_(True)))
        .join(
            Membership,
            and_(
                Membership.person_id == Person.id,
                Membership.municipality_id == Question.municipality_id,
                Membership.active.is_(True),
            ),
        )
        .where(
            or_(
                and_(Question.answered_at >= since(work), Question.answered_by != Question.asked_by),
                and_(Question.closed_at >= since(work), Question.close_reason.is_not(None)),
            ),
            ~told,
        )
    ).all()
    for question_id in rows:
        yield Untold(questions.ANSWERED, f"question={question_id}", _answer(question_id))


def _answer(question_id: int) -> Callable[[Work], int]:
    return lambda work: questions.tell_asker(work, work.session.get_one(Question, question_id))
