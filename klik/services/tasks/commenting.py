"""Comments on a municipality's task: shared with KOMBIT, or private to the municipality; people can be named."""

from __future__ import annotations

from klik.models import Comment
from klik.services import access, auditing, free_text
from klik.services.errors import ConflictError, Difference, ForbiddenError
from klik.services.tasks import mentioning, touching
from klik.services.work import Work

LIMIT = 5_000
FIELD = "Kommentar"


def add(work: Work, task_id: int, text: str, *, private: bool = False, not_cpr: bool = False) -> Comment:
    """Write a comment and tell whom it names; KOMBIT's are never private.

    Raises RefusedError, ForbiddenError, NotFoundError.
    """
    task = access.municipal_task(work, task_id)
    if work.actor is None or not access.may_comment(work, task):
        raise ForbiddenError("comment")
    private = private and not work.actor.kombit
    comment = Comment(
        municipality_id=task.municipality_id,
        municipal_task_id=task.id,
        author_id=work.actor.person_id,
        at=work.now,
        text=mentioning.stored(
            work,
            task,
            _checked(text, not_cpr),
            private=private,
        ),
        private=private,
    )
    work.session.add(comment)
    work.session.flush()
    mentioning.tell(work, task, comment)
    _touched(work, comment, "kommentér", not_cpr)
    return comment


def edit(
    work: Work, task_id: int, comment_id: int, version: int, text: str, *, not_cpr: bool = False
) -> Comment:
    """Change the words of one's own comment; only those newly named are told.

    Raises ConflictError when another window was first, RefusedError, ForbiddenError, NotFoundError.
    """
    comment = access.own_comment(work, task_id, comment_id)
    task = access.municipal_task(work, task_id)
    work.session.refresh(comment, with_for_update=True)
    before = comment.text
    wanted = mentioning.stored(
        work,
        task,
        _checked(text, not_cpr),
        private=comment.private,
        before=before,
    )
    if comment.version != version:
        theirs = mentioning.written(work, task, before)
        raise ConflictError(
            comment.version, (Difference(FIELD, text, theirs),), work.actor and work.actor.name
        )
    if before != wanted:
        comment.text, comment.edited_at = wanted, work.now
        work.session.flush()
        mentioning.tell(work, task, comment, before)
        _touched(work, comment, "ret-kommentar", not_cpr)
    return comment


def delete(work: Work, task_id: int, comment_id: int) -> None:
    """Remove one's own comment."""
    comment = access.own_comment(work, task_id, comment_id)
    mentioning.take_back(work, comment.id)
    work.session.delete(comment)
    work.session.flush()
    _touched(work, comment, "slet-kommentar", False)


def _touched(work: Work, comment: Comment, action: str, not_cpr: bool) -> None:
    touching.touch(work, comment.municipal_task_id)
    auditing.record(
        work,
        action,
        f"kommuneopgave/{comment.municipal_task_id}",
        {"kommentar": comment.id} | ({"cpr_afvist": True} if not_cpr else {}),
        comment.municipality_id,
    )


def _checked(text: str, not_cpr: bool) -> str:
    return free_text.checked(text, field=FIELD, limit=LIMIT, not_cpr=not_cpr, lines=True)
