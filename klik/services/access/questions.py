"""The door to questions: who asks on which task, who sees what was asked, and who answers."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_, select, true

from klik.domain.rights import Right
from klik.models import MunicipalTask, Question
from klik.services.access.actor import require
from klik.services.access.tasks import municipal_task
from klik.services.errors import NotFoundError
from klik.services.work import Work


def may_ask(work: Work, task: MunicipalTask) -> bool:
    """Whether the actor may ask KOMBIT about this task, which is the actor's own municipality's."""
    actor = work.actor
    if actor is None or not actor.has(Right.COMMENT) or actor.municipality_id != task.municipality_id:
        return False
    return task.withdrawn_at is None


def visible_questions(work: Work) -> ColumnElement[bool]:
    """A municipality sees its own and all that is answered; KOMBIT all; suppliers none."""
    actor = work.actor
    if actor is None:
        return true()
    if actor.kombit:
        return true()
    answered_or_own = or_(
        Question.answered_at.is_not(None), Question.municipality_id == actor.municipality_id
    )
    return answered_or_own if actor.municipality_id is not None else false()


def own_question(work: Work, task_id: int, question_id: int) -> Question:
    """A question on this task that the actor asked; raises NotFoundError."""
    task = municipal_task(work, task_id)
    actor = require(work, Right.COMMENT)
    question = work.session.scalar(
        select(Question).where(
            Question.id == question_id,
            Question.municipal_task_id == task.id,
            Question.asked_by == actor.person_id,
        )
    )
    if question is None:
        raise NotFoundError
    return question


def question_to_answer(work: Work, question_id: int) -> Question:
    """A question as KOMBIT answers it; raises NotFoundError, ForbiddenError."""
    require(work, Right.PUBLISH)
    question = work.session.get(Question, question_id)
    if question is None:
        raise NotFoundError
    return question
