"""Sharing filters read-only, and choosing which of them a level's list opens with."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from sqlalchemy import delete, select

from klik.domain.rights import Level, Right
from klik.models import FilterDefault, SavedFilter
from klik.services import access
from klik.services.errors import RefusedError
from klik.services.saved_filters import OWN, WITH_ALL, WITH_MUNICIPALITY
from klik.services.saved_filters.saving import note
from klik.services.work import Work


def may_share(work: Work) -> bool:
    """Whether the actor shares filters: a municipality's administrator with it, KOMBIT with everyone."""
    return work.actor is not None and work.actor.has(Right.SHARE_FILTERS)


def share(work: Work, filter_id: int, wanted: bool = True) -> SavedFilter:
    """Share a filter with one's municipality, or as KOMBIT with everyone; or take it back.

    Taken back it stays its owner's. What others made of it (star, default, mail) rests until it is shared again.
    """
    actor = access.require(work, Right.SHARE_FILTERS)
    row = access.filter_to_share(work, filter_id)
    if wanted:
        row.shared = WITH_ALL if actor.kombit else WITH_MUNICIPALITY
        row.municipality_id = actor.municipality_id
    else:
        row.shared = OWN
        work.session.execute(delete(FilterDefault).where(FilterDefault.saved_filter_id == row.id))
    work.session.flush()
    note(work, "share-filter" if wanted else "unshare-filter", row)
    return row


def levels(work: Work) -> tuple[Level, ...]:
    """The levels whose opening filter the actor chooses: the municipality's own, or as KOMBIT all."""
    actor = access.require(work, Right.SHARE_FILTERS)
    return tuple(level for level in Level if actor.kombit or level.scope == "municipality")


def chosen_levels(work: Work) -> Mapping[int, frozenset[Level]]:
    """For each filter the levels that the actor's municipality (or KOMBIT) lets open with it; one statement."""
    actor = access.require(work, Right.SHARE_FILTERS)
    found: dict[int, set[Level]] = defaultdict(set)
    for filter_id, level in work.session.execute(
        select(FilterDefault.saved_filter_id, FilterDefault.level).where(
            FilterDefault.municipality_id == actor.municipality_id
        )
    ):
        found[filter_id].add(Level(level))
    return {key: frozenset(each) for key, each in found.items()}


def open_with(work: Work, filter_id: int, wanted: Collection[str]) -> SavedFilter:
    """Let the lists of these levels open with a shared filter, in place of any other, and no further level's.

    Raises RefusedError for a level that is not the actor's to choose for.
    """
    actor = access.require(work, Right.SHARE_FILTERS)
    row = access.filter_to_open_with(work, filter_id)
    known = {level.value for level in levels(work)}
    if set(wanted) - known:
        raise RefusedError({"niveau": "Vælg kun blandt de niveauer, der står på siden."})
    if actor.kombit and row.shared != WITH_ALL:
        raise RefusedError({"niveau": "Del filteret med alle, før andre åbner med det."})
    here = FilterDefault.municipality_id == actor.municipality_id
    work.session.execute(delete(FilterDefault).where(here, FilterDefault.saved_filter_id == row.id))
    work.session.execute(delete(FilterDefault).where(here, FilterDefault.level.in_(sorted(wanted))))
    for level in sorted(wanted):
        work.session.add(
            FilterDefault(municipality_id=actor.municipality_id, level=level, saved_filter_id=row.id)
        )
    work.session.flush()
    note(work, "default-filter-levels", row)
    return row
