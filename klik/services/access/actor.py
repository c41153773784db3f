"""Who asks: the actor, with the right or not at all."""

from __future__ import annotations

from klik.domain.rights import Right
from klik.services.errors import ForbiddenError
from klik.services.work import Actor, Work


def require(work: Work, right: Right) -> Actor:
    """The actor, when the level carries the right; raises ForbiddenError. The system itself is no actor."""
    if work.actor is None or not work.actor.has(right):
        raise ForbiddenError(right)
    return work.actor
