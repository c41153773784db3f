"""The door to saved filters: own, shared, and whose they are to share."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select, true

from klik.domain.rights import Right
from klik.models import SavedFilter
from klik.services.access.actor import require
from klik.services.errors import NotFoundError
from klik.services.work import Work


def saved_filters(work: Work) -> ColumnElement[bool]:
    """Own filters, those shared with the own municipality, and those KOMBIT shares with everyone."""
    actor = work.actor
    if actor is None:
        return true()
    shared_here = and_(
        SavedFilter.shared == "kommune",
        SavedFilter.municipality_id == actor.municipality_id,
    )
    return or_(SavedFilter.person_id == actor.person_id, shared_here, SavedFilter.shared == "alle")


def saved_filter(work: Work, filter_id: int) -> SavedFilter:
    """A filter the actor may open: an own or a shared one; raises NotFoundError."""
    require(work, Right.SAVE_FILTERS)
    found = work.session.scalar(select(SavedFilter).where(SavedFilter.id == filter_id, saved_filters(work)))
    if found is None:
        raise NotFoundError
    return found


def shared_by_us(work: Work) -> ColumnElement[bool]:
    """Filters shared by the actor's own municipality, or by KOMBIT for its own people."""
    actor = work.actor
    if actor is None:
        return true()
    if actor.kombit:
        return SavedFilter.shared == "alle"
    return and_(
        SavedFilter.shared == "kommune",
        SavedFilter.municipality_id == actor.municipality_id,
    )


def filter_to_share(work: Work, filter_id: int) -> SavedFilter:
    """A filter the actor may share or take back: an own one, or one shared at home whoever made it.

    Raises NotFoundError, and ForbiddenError for those who share none.
    """
    actor = require(work, Right.SHARE_FILTERS)
    found = work.session.scalar(
        select(SavedFilter).where(
            SavedFilter.id == filter_id,
            or_(SavedFilter.person_id == actor.person_id, shared_by_us(work)),
        )
    )
    if found is None:
        raise NotFoundError
    return found


def filter_to_open_with(work: Work, filter_id: int) -> SavedFilter:
    """A shared filter that the actor may let levels open with; raises NotFoundError or ForbiddenError."""
    require(work, Right.SHARE_FILTERS)
    found = work.session.scalar(
        select(SavedFilter).where(
            SavedFilter.id == filter_id, SavedFilter.shared != "selv", saved_filters(work)
        )
    )
    if found is None:
        raise NotFoundError
    return found


def own_saved_filter(work: Work, filter_id: int) -> SavedFilter:
    """A filter of the actor's own; raises NotFoundError."""
    actor = require(work, Right.SAVE_FILTERS)
    found = work.session.scalar(
        select(SavedFilter).where(SavedFilter.id == filter_id, SavedFilter.person_id == actor.person_id)
    )
    if found is None:
        raise NotFoundError
    return found
