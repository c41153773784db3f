"""Saved filters: those a person can use, and which of them the list opens with (seed 003: personal filters)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select

from klik.domain import municipality_names
from klik.domain.rights import Right
from klik.domain.texts import search_key, sort_key
from klik.models import FilterDefault, FilterUse, SavedFilter
from klik.services import access
from klik.services.work import Actor, Work

OWN, WITH_MUNICIPALITY, WITH_ALL = "selv", "kommune", "alle"
NEVER, DAILY, WEEKLY = "ingen", "dagligt", "ugentligt"
# The names are those of the seed; a person saves them with one press.
SUGGESTIONS = (
    ("Rød/gul ej påbegyndt", "deadline=roed&deadline=gul&status=ikke-paabegyndt"),
    ("Rød status", "deadline=roed"),
    ("Gul status", "deadline=gul"),
)
_KOMBITS, _MUNICIPALITYS = 1, 2
_KEY_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFilter:
    """A filter as the actor meets it: their own or a shared one, and what they use it for.

    ``shared_by`` says whose it is when it is not one's own; ``chosen_by`` who lets the actor's level open
    with it. Both are "Køge Kommune" or "KOMBIT". ``choice`` orders the choosers: the highest wins.
    """

    id: int
    version: int
    name: str
    query: str
    shared: str
    own: bool
    shared_by: str | None
    pinned: bool
    is_default: bool
    subscription: str
    chosen_by: str | None
    choice: int


@dataclass(frozen=True, slots=True)
class Opening:
    """The filter that the bare list opens with, and why: "dit eget valg", "valgt af Køge Kommune" …

    ``own``: it is one of the person's own filters.
    """

    name: str
    query: str
    why: str
    own: bool = False


def place_name(work: Work) -> str:
    """ "Køge Kommune", "KOMBIT" or the supplier's name: where the actor belongs."""
    actor = work.actor
    if actor is None or actor.municipality_id is None:
        return actor.place if actor else ""
    return municipality_names.formal(actor.place)


def listed(work: Work) -> Sequence[ListedFilter]:
    """Every filter the actor can open: pinned ones first, own before shared, then by name; one statement."""
    actor = access.require(work, Right.SAVE_FILTERS)
    rows = work.session.execute(
        work.kept.statement("saved filters", [actor], lambda: _statement(work, actor))
    )
    here = place_name(work)
    found = [
        ListedFilter(
            id=row.id,
            version=row.version,
            name=row.name,
            query=row.query,
            shared=row.shared,
            own=row.person_id == actor.person_id,
            shared_by=None if row.person_id == actor.person_id else _sharer(row.shared, here),
            pinned=bool(row.pinned),
            is_default=bool(row.is_default),
            subscription=row.subscription or NEVER,
            chosen_by={_KOMBITS: "KOMBIT", _MUNICIPALITYS: here}.get(row.choice or 0),
            choice=row.choice or 0,
        )
        for row in rows
    ]
    return sorted(found, key=_place)


def _statement(work: Work, actor: Actor) -> Select[Any]:
    chosen = (
        select(func.max(case((FilterDefault.municipality_id.is_(None), _KOMBITS), else_=_MUNICIPALITYS)))
        .where(
            FilterDefault.saved_filter_id == SavedFilter.id,
            FilterDefault.level == actor.level.value,
            or_(
                FilterDefault.municipality_id.is_(None),
                FilterDefault.municipality_id == actor.municipality_id,
            ),
        )
        .correlate(SavedFilter)
        .scalar_subquery()
    )
    return (
        select(
            SavedFilter.id,
            SavedFilter.version,
            SavedFilter.name,
            SavedFilter.query,
            SavedFilter.shared,
            SavedFilter.person_id,
            FilterUse.pinned,
            FilterUse.is_default,
            FilterUse.subscription,
            chosen.label("choice"),
        )
        .outerjoin(
            FilterUse,
            and_(FilterUse.saved_filter_id == SavedFilter.id, FilterUse.person_id == actor.person_id),
        )
        .where(access.saved_filters(work))
    )


def find(filters: Sequence[ListedFilter], filter_id: int) -> ListedFilter | None:
    """The filter with this id among those listed."""
    return next((each for each in filters if each.id == filter_id), None)


def opening(filters: Sequence[ListedFilter]) -> Opening:
    """What the bare list opens with: one's own choice, else the level's, else "Rød/gul ej påbegyndt".

    A choice of the municipality goes before one of KOMBIT's. A default that is no longer shared is not among
    ``filters``, so the next one steps in.
    """
    mine = next((each for each in filters if each.is_default), None)
    if mine:
        return Opening(mine.name, mine.query, "dit eget valg", mine.own)
    chosen = max((each for each in filters if each.choice), key=lambda each: each.choice, default=None)
    if chosen:
        return Opening(chosen.name, chosen.query, f"valgt af {chosen.chosen_by}", chosen.own)
    return Opening(*SUGGESTIONS[0], "fordi intet andet er valgt")


def suggestions(filters: Sequence[ListedFilter]) -> tuple[tuple[str, str], ...]:
    """Name and query of the ready-named filters that the person has not saved."""
    taken = {name_key(each.name) for each in filters if each.own}
    return tuple((name, query) for name, query in SUGGESTIONS if name_key(name) not in taken)


def name_key(name: str) -> str:
    """What makes two names the same."""
    return search_key(name)[:_KEY_LENGTH]


def _sharer(shared: str, here: str) -> str:
    return here if shared == WITH_MUNICIPALITY else "KOMBIT"


def _place(row: ListedFilter) -> tuple[bool, bool, bool, str, int]:
    return not row.pinned, not row.own, row.shared != WITH_MUNICIPALITY, sort_key(row.name), row.id
