"""Saving, renaming, changing, copying and deleting filters of one's own."""

from __future__ import annotations

from urllib.parse import unquote_plus

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import FilterDefault, FilterUse, SavedFilter
from klik.services import access, auditing, free_text
from klik.services.criteria import Criteria
from klik.services.errors import ConflictError, RefusedError
from klik.services.saved_filters import name_key
from klik.services.work import Work

MOST = 100
NAME_LENGTH = 80
QUERY_LENGTH = 4_000


def save(work: Work, name: str, criteria: Criteria) -> SavedFilter:
    """Save a filter under a name; raises RefusedError for a name in use, no filter at all, or too many."""
    actor = access.require(work, Right.SAVE_FILTERS)
    name = _name(name)
    row = SavedFilter(
        person_id=actor.person_id,
        municipality_id=actor.municipality_id,
        name=name,
        name_key=name_key(name),
        query=_query(criteria),
        created_at=work.now,
    )
    _add(work, row)
    note(work, "save-filter", row)
    return row


def change(work: Work, filter_id: int, version: int, criteria: Criteria) -> SavedFilter:
    """Let a filter ask something else under its old name; raises RefusedError and ConflictError."""
    row = to_change(work, filter_id, version)
    row.query = _query(criteria)
    work.session.flush()
    note(work, "change-filter", row)
    return row


def rename(work: Work, filter_id: int, version: int, name: str) -> SavedFilter:
    """Give a filter another name; raises RefusedError, and ConflictError when it was changed meanwhile."""
    row = to_change(work, filter_id, version)
    name = _name(name)
    row.name, row.name_key = name, name_key(name)
    _store(work, row)
    note(work, "rename-filter", row)
    return row


def copy(work: Work, filter_id: int) -> SavedFilter:
    """Make a filter one may open into one of one's own, under its name or the next free "… (kopi)"."""
    actor = access.require(work, Right.SAVE_FILTERS)
    source = access.saved_filter(work, filter_id)
    taken = set(
        work.session.scalars(select(SavedFilter.name_key).where(SavedFilter.person_id == actor.person_id))
    )
    name, number = source.name, 1
    while name_key(name) in taken:
        ending = " (kopi)" if number == 1 else f" (kopi {number})"
        name, number = f"{source.name[: NAME_LENGTH - len(ending)]}{ending}", number + 1
    row = SavedFilter(
        person_id=actor.person_id,
        municipality_id=actor.municipality_id,
        name=name,
        name_key=name_key(name),
        query=source.query,
        created_at=work.now,
    )
    _add(work, row)
    note(work, "copy-filter", row)
    return row


def remove(work: Work, filter_id: int) -> str:
    """Delete a filter of one's own, for everybody it was shared with too; returns its name."""
    row = access.own_saved_filter(work, filter_id)
    note(work, "delete-filter", row)
    for use in (FilterUse, FilterDefault):
        work.session.execute(delete(use).where(use.saved_filter_id == row.id))
    work.session.delete(row)
    work.session.flush()
    return row.name


def to_change(work: Work, filter_id: int, version: int) -> SavedFilter:
    """A filter of one's own as it was when the page was drawn; raises NotFoundError and ConflictError."""
    row = access.own_saved_filter(work, filter_id)
    if row.version != version:
        raise ConflictError(row.version, ())
    return row


def note(work: Work, act: str, row: SavedFilter) -> None:
    """Write an act on a filter into the audit trail."""
    auditing.record(work, act, f"filter/{row.id}", municipality_id=row.municipality_id)


def _name(typed: str) -> str:
    try:
        return free_text.clean(typed, field="Navn", limit=NAME_LENGTH, required=True, tick=False)
    except InputError as error:
        raise RefusedError({"navn": str(error)}) from error


def _query(criteria: Criteria) -> str:
    query = criteria.as_saved().query()
    try:
        free_text.refuse_cpr(unquote_plus(query), field="Filteret", tick=False)
    except InputError as error:
        raise RefusedError({"navn": str(error)}) from error
    if not query:
        raise RefusedError(
            {"navn": "Der er ikke valgt noget filter. Vælg mindst ét, og vis opgaverne, før du gemmer."}
        )
    if len(query) > QUERY_LENGTH:
        raise RefusedError(
            {"navn": f"Filteret er for langt til at blive gemt ({len(query)} tegn; højst {QUERY_LENGTH})."}
        )
    return query


def _add(work: Work, row: SavedFilter) -> None:
    count = work.session.scalar(select(func.count()).where(SavedFilter.person_id == row.person_id)) or 0
    if count >= MOST:
        raise RefusedError({"navn": f"Du har allerede {MOST} gemte filtre. Slet et, før du gemmer et nyt."})
    _store(work, row)


def _store(work: Work, row: SavedFilter) -> None:
    taken = RefusedError({"navn": f"Du har allerede et filter, der hedder “{row.name}”. Vælg et andet navn."})
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
