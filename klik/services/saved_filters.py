"""Personal saved filters: a query string under a name (seed 003: "Gem personlige filtre")."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.domain.texts import clean, search_key, sort_key
from klik.models import SavedFilter
from klik.services import access, auditing
from klik.services.criteria import Criteria
from klik.services.errors import ConflictError, RefusedError
from klik.services.work import Work

MOST = 100
NAME_LENGTH = 80
QUERY_LENGTH = 4_000
_KEY_LENGTH = 200
# The names are those of the seed; a person saves them with one press.
SUGGESTIONS = (
    ("Rød/gul ej påbegyndt", "deadline=roed&deadline=gul&status=ikke-paabegyndt"),
    ("Rød status", "deadline=roed"),
    ("Gul status", "deadline=gul"),
)


def own(work: Work) -> Sequence[SavedFilter]:
    """The actor's filters: pinned ones first, then by name; one statement."""
    actor = access.require(work, Right.SAVE_FILTERS)
    rows = work.session.scalars(select(SavedFilter).where(SavedFilter.person_id == actor.person_id)).all()
    return sorted(rows, key=lambda row: (not row.pinned, sort_key(row.name), row.id))


def suggestions(saved: Sequence[SavedFilter]) -> tuple[tuple[str, str], ...]:
    """Name and query of the ready-named filters that the person has not saved."""
    taken = {row.name_key for row in saved}
    return tuple((name, query) for name, query in SUGGESTIONS if _key(name) not in taken)


def save(work: Work, name: str, criteria: Criteria) -> SavedFilter:
    """Save a filter under a name; raises RefusedError for a name in use, no filter at all, or too many."""
    actor = access.require(work, Right.SAVE_FILTERS)
    name = _name(name)
    query = criteria.filters_only().query()
    if not query:
        raise RefusedError(
            {"navn": "Der er ikke valgt noget filter. Vælg mindst ét, og vis opgaverne, før du gemmer."}
        )
    if len(query) > QUERY_LENGTH:
        raise RefusedError(
            {"navn": f"Filteret er for langt til at blive gemt ({len(query)} tegn; højst {QUERY_LENGTH})."}
        )
    count = work.session.scalar(select(func.count()).where(SavedFilter.person_id == actor.person_id)) or 0
    if count >= MOST:
        raise RefusedError({"navn": f"Du har allerede {MOST} gemte filtre. Slet et, før du gemmer et nyt."})
    row = SavedFilter(
        person_id=actor.person_id,
        municipality_id=actor.municipality_id,
        name=name,
        name_key=_key(name),
        query=query,
        created_at=work.now,
    )
    _store(work, row, name)
    auditing.record(work, "save-filter", f"filter/{row.id}", municipality_id=actor.municipality_id)
    return row


def rename(work: Work, filter_id: int, version: int, name: str) -> SavedFilter:
    """Give a filter another name; raises RefusedError, and ConflictError when it was changed meanwhile."""
    row = access.own_saved_filter(work, filter_id)
    if row.version != version:
        raise ConflictError(row.version, ())
    name = _name(name)
    row.name, row.name_key = name, _key(name)
    _store(work, row, name)
    _note(work, "rename-filter", row)
    return row


def remove(work: Work, filter_id: int) -> str:
    """Delete a filter; returns its name."""
    row = access.own_saved_filter(work, filter_id)
    _note(work, "delete-filter", row)
    work.session.delete(row)
    work.session.flush()
    return row.name


def make_default(work: Work, filter_id: int, wanted: bool = True) -> SavedFilter:
    """Let the list open with this filter, in place of any other; or with none."""
    row = access.own_saved_filter(work, filter_id)
    # The old one goes first: the database allows one default a person at any moment.
    for other in work.session.scalars(
        select(SavedFilter).where(SavedFilter.person_id == row.person_id, SavedFilter.is_default)
    ):
        other.is_default = False
    work.session.flush()
    row.is_default = wanted
    work.session.flush()
    _note(work, "default-filter", row)
    return row


def pin(work: Work, filter_id: int, wanted: bool = True) -> SavedFilter:
    """Keep a filter on top of the list, or let it go."""
    row = access.own_saved_filter(work, filter_id)
    row.pinned = wanted
    work.session.flush()
    _note(work, "pin-filter", row)
    return row


def _name(typed: str) -> str:
    try:
        return clean(typed, field="Navn", limit=NAME_LENGTH, required=True)
    except InputError as error:
        raise RefusedError({"navn": str(error)}) from error


def _key(name: str) -> str:
    return search_key(name)[:_KEY_LENGTH]


def _store(work: Work, row: SavedFilter, name: str) -> None:
    taken = RefusedError({"navn": f"Du har allerede et filter, der hedder “{name}”. Vælg et andet navn."})
    with work.session.no_autoflush:
        same = select(SavedFilter.id).where(
            SavedFilter.person_id == row.person_id, SavedFilter.name_key == row.name_key
        )
        if work.session.scalar(same if row.id is None else same.where(SavedFilter.id != row.id)) is not None:
            raise taken
    try:
        with work.session.begin_nested():
            work.session.add(row)
    except IntegrityError:
        # Saved in another window between the question and now.
        raise taken from None


def _note(work: Work, act: str, row: SavedFilter) -> None:
    auditing.record(work, act, f"filter/{row.id}", municipality_id=row.municipality_id)
