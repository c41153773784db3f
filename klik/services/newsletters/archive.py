"""What was sent, and who may read it: everybody who is signed in, and of public letters anybody."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select, true

from klik.domain.rights import Right
from klik.models import Newsletter
from klik.services.errors import NotFoundError
from klik.services.newsletters.writing import SENT
from klik.services.work import Work

PAGE = 30


def writes(work: Work) -> bool:
    """Whether the actor is one of those who write newsletters; they see drafts too."""
    return work.actor is not None and work.actor.has(Right.PUBLISH)


def readable(work: Work) -> ColumnElement[bool]:
    """The letters the actor may read."""
    if writes(work):
        return true()
    if work.actor is not None:
        return Newsletter.state == SENT
    return (Newsletter.state == SENT) & Newsletter.public.is_(True)


def letter(work: Work, letter_id: int) -> Newsletter:
    """One letter; raises NotFoundError when it is not there or not the actor's to read."""
    row = work.session.scalar(select(Newsletter).where(Newsletter.id == letter_id, readable(work)))
    if row is None:
        raise NotFoundError
    return row


def sent(work: Work, page: int) -> Sequence[Newsletter]:
    """A page of what was sent, the newest first; pages count from 1."""
    return work.session.scalars(
        select(Newsletter)
        .where(Newsletter.state == SENT, readable(work))
        .order_by(Newsletter.sent_at.desc(), Newsletter.id.desc())
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    ).all()


def count_sent(work: Work) -> int:
    """How many letters ``sent`` has in all."""
    query = select(func.count()).select_from(Newsletter).where(Newsletter.state == SENT, readable(work))
    return work.session.scalar(query) or 0


def under_way(work: Work) -> Sequence[Newsletter]:
    """Drafts and planned letters, for those who write them; the newest first."""
    if not writes(work):
        return ()
    return work.session.scalars(
        select(Newsletter).where(Newsletter.state != SENT).order_by(Newsletter.id.desc()).limit(200)
    ).all()
