"""The door to comments: who may write them, and who reads the private ones."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, select, true

from klik.domain.rights import Right
from klik.models import Comment, MunicipalTask
from klik.services.access.tasks import municipal_task
from klik.services.errors import ForbiddenError, NotFoundError
from klik.services.work import Work


def may_comment(work: Work, task: MunicipalTask) -> bool:
    """Whether the actor may write a comment on this task."""
    return work.actor is not None and work.actor.has(Right.COMMENT) and task.withdrawn_at is None


def visible_comments(work: Work) -> ColumnElement[bool]:
    """Private comments are for the municipality that wrote them; suppliers read none."""
    if work.actor is None:
        return true()
    if work.actor.level.scope == "municipality":
        return Comment.municipality_id == work.actor.municipality_id
    return Comment.private.is_(False) if work.actor.kombit else false()


def own_comment(work: Work, task_id: int, comment_id: int) -> Comment:
    """A comment the actor wrote and may still change; raises NotFoundError, or ForbiddenError on a closed task."""
    task = municipal_task(work, task_id)
    comment = work.session.scalar(
        select(Comment).where(
            Comment.id == comment_id,
            Comment.municipal_task_id == task.id,
            Comment.municipality_id == task.municipality_id,
            Comment.author_id == (work.actor.person_id if work.actor else 0),
            visible_comments(work),
        )
    )
    if comment is None:
        raise NotFoundError
    if not may_comment(work, task):
        raise ForbiddenError("comment")
    return comment
