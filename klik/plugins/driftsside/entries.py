"""A driftsside's entries in the plug-in's store: read, searched, saved and removed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Table, case, delete, func, insert, or_, select, update

from klik.plugins import InputError, PluginContext, PluginStore, search_key, sort_key
from klik.plugins.driftsside.nouns import CRITICALITIES, ERROR, OPEN, RELEASE, SOLVED, STATES, Noun
from klik.plugins.driftsside.values import Releases, searched

Tables = Mapping[str, Table]
MOST_WORDS = 12
LONGEST_WORD = 60
LABELS = {each.value: each.label for each in (*STATES, *CRITICALITIES)}


class OvertakenError(Exception):
    """Somebody else changed or removed the entry since it was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as it is shown; what its noun does not have is None. ``release`` is the release's name."""

    id: int
    title: str
    component: str
    text: str
    version: int
    created_at: datetime
    changed_at: datetime
    number: str | None = None
    criticality: str | None = None
    solve_on: date | None = None
    state: str | None = None
    workaround: str | None = None
    until_release: int | None = None
    ended_on: date | None = None
    released_on: date | None = None
    month: int | None = None
    link: str | None = None
    release: str | None = None
    release_on: date | None = None

    @property
    def state_label(self) -> str:
        """I gang or Løst."""
        return LABELS.get(self.state or "", "")

    @property
    def criticality_label(self) -> str:
        """ "B · Høj", empty where nobody has judged."""
        return LABELS.get(self.criticality or "", "")

    def is_overdue(self, today: date) -> bool:
        """Whether it should have been solved before today and is not."""
        return self.state == OPEN and self.solve_on is not None and self.solve_on < today


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries are asked for; what is empty asks for all. ``overdue_on``: only what is overdue on that day."""

    words: str = ""
    state: str = ""
    component: str = ""
    criticality: str = ""
    overdue_on: date | None = None


def read(store: PluginStore, tables: Tables, noun: Noun, wanted: Wanted | None = None) -> tuple[Entry, ...]:
    """The noun's entries, in the order its list has; every word that is asked for must be there."""
    wanted = wanted or Wanted()
    table = tables[noun.slug]
    statement = _selected(tables, noun)
    for word in search_key(wanted.words).split()[:MOST_WORDS]:
        statement = statement.where(table.c.searched.contains(word[:LONGEST_WORD], autoescape=True))
    for column in ("state", "component", "criticality"):
        if value := getattr(wanted, column):
            statement = statement.where(table.c[column] == value)
    if wanted.overdue_on is not None:
        statement = statement.where(table.c.state == OPEN, table.c.solve_on < wanted.overdue_on)
    return tuple(sorted(_entries(store, statement), key=_place(noun)))


def one(store: PluginStore, tables: Tables, noun: Noun, entry_id: int) -> Entry | None:
    """The entry with this id."""
    statement = _selected(tables, noun).where(tables[noun.slug].c.id == entry_id)
    return next(_entries(store, statement), None)


def alike(
    store: PluginStore, tables: Tables, words: str, *, most: int, solved: bool = True
) -> tuple[Entry, ...]:
    """Known errors that have some of the words, those with the most first; words under three letters are left out."""
    table = tables[ERROR.slug]
    # Two letters of a long word are left off: "brevet" and "brevene" are about "brev" too.
    typed = {word for word in re.findall(r"\w+", search_key(words)) if LONGEST_WORD >= len(word) >= 3}
    wanted = sorted({word[: max(4, len(word) - 2)] for word in typed}, key=len, reverse=True)[:MOST_WORDS]
    if not wanted:
        return ()
    hits = [table.c.searched.contains(word, autoescape=True) for word in wanted]
    score: Any = sum((case((hit, 1), else_=0) for hit in hits[1:]), case((hits[0], 1), else_=0))
    statement = _selected(tables, ERROR).where(or_(*hits))
    if not solved:
        statement = statement.where(table.c.state == OPEN)
    return tuple(
        _entries(store, statement.order_by(score.desc(), table.c.changed_at.desc(), table.c.id).limit(most))
    )


def components(store: PluginStore, tables: Tables, noun: Noun) -> tuple[str, ...]:
    """The components that the noun's entries name, by the alphabet."""
    column = tables[noun.slug].c.component
    found = store.execute(select(column).where(column != "").distinct()).scalars()
    return tuple(sorted(found, key=sort_key))


def releases(store: PluginStore, tables: Tables) -> Mapping[str, int]:
    """The releases' ids by name, the latest first."""
    table = tables[RELEASE.slug]
    rows = store.execute(
        select(table.c.title, table.c.id).order_by(table.c.released_on.desc(), table.c.id.desc())
    )
    return {row.title: row.id for row in rows}


def by_key(names: Mapping[str, int]) -> Releases:
    """The same by the names folded, as files and forms find them."""
    return {search_key(name): number for name, number in names.items()}


def add(
    context: PluginContext,
    tables: Tables,
    noun: Noun,
    values: Mapping[str, Any],
    created_at: datetime | None = None,
    changed_at: datetime | None = None,
) -> int:
    """Store a new entry; its id. Raises InputError for a release whose name is taken."""
    assert context.store is not None
    _refuse_twin(context.store, tables, noun, values, None)
    created = created_at or context.now
    filled = {column.name: "" for column in tables[noun.slug].c if column.name in ("component", "text")}
    row = filled | dict(values)
    row |= {"searched": searched(values), "version": 1, "created_at": created}
    row["changed_at"] = changed_at or created
    result = context.store.execute(insert(tables[noun.slug]).values(**row).returning(tables[noun.slug].c.id))
    return int(result.scalar_one())


def change(
    context: PluginContext,
    tables: Tables,
    noun: Noun,
    entry: Entry,
    version: int,
    values: Mapping[str, Any],
    changed_at: datetime | None = None,
) -> None:
    """Store what was changed; raises OvertakenError, or InputError for what cannot be."""
    assert context.store is not None
    _refuse_twin(context.store, tables, noun, values, entry.id)
    table = tables[noun.slug]
    own: dict[str, Any] = {}
    if noun is RELEASE and _has_ended(context.store, tables, entry) and values["released_on"] > context.today:
        raise InputError(
            "Dato: releasen er kommet, og abonnenterne har fået besked om, at dens workarounds ophører. "
            "Den kan ikke flyttes frem."
        )
    if noun is ERROR and values["until_release"] != entry.until_release:
        own["ended_on"] = None
    changed = context.store.execute(
        update(table)
        .where(table.c.id == entry.id, table.c.version == version)
        .values(
            **values,
            **own,
            searched=searched(values),
            version=version + 1,
            changed_at=changed_at or context.now,
        )
    )
    if not changed.rowcount:
        raise OvertakenError


def remove(context: PluginContext, tables: Tables, noun: Noun, entry: Entry, version: int) -> None:
    """Take an entry away; raises OvertakenError, or InputError for a release that workarounds hold until."""
    assert context.store is not None
    if noun is RELEASE and _holds(context.store, tables, entry):
        raise InputError(f"Kendte fejl har en workaround, der gælder til {entry.title}. Ret dem først.")
    table = tables[noun.slug]
    gone = context.store.execute(delete(table).where(table.c.id == entry.id, table.c.version == version))
    if not gone.rowcount:
        raise OvertakenError


def _selected(tables: Tables, noun: Noun) -> Any:
    table = tables[noun.slug]
    columns: Sequence[Any] = [column for column in table.c if column.name != "searched"]
    if noun is not ERROR:
        return select(*columns)
    release = tables[RELEASE.slug]
    return select(
        *columns, release.c.title.label("release"), release.c.released_on.label("release_on")
    ).join_from(table, release, release.c.id == table.c.until_release, isouter=True)


def _entries(store: PluginStore, statement: Any) -> Iterable[Any]:
    return (Entry(**row) for row in store.execute(statement).mappings())


def _place(noun: Noun) -> Any:
    newest = {
        "fejl": lambda entry: (entry.state == SOLVED, -entry.changed_at.timestamp(), -entry.id),
        "releases": lambda entry: (entry.released_on, sort_key(entry.title)),
        "aarshjul": lambda entry: (entry.month, sort_key(entry.title), entry.id),
        "vejledninger": lambda entry: (sort_key(entry.title), entry.id),
    }
    return newest.get(noun.slug, lambda entry: (-entry.created_at.timestamp(), -entry.id))


def _refuse_twin(
    store: PluginStore, tables: Tables, noun: Noun, values: Mapping[str, Any], own_id: int | None
) -> None:
    if noun is RELEASE:
        names = by_key(releases(store, tables))
        if names.get(search_key(values["title"]), own_id) != own_id:
            raise InputError(f"Release: “{values['title']}” står allerede i releaseplanen.")


def _holds(store: PluginStore, tables: Tables, release: Entry) -> int:
    table = tables[ERROR.slug]
    counted = select(func.count()).where(table.c.until_release == release.id)
    return int(store.execute(counted).scalar_one())


def _has_ended(store: PluginStore, tables: Tables, release: Entry) -> int:
    table = tables[ERROR.slug]
    counted = select(func.count()).where(table.c.until_release == release.id, table.c.ended_on.is_not(None))
    return int(store.execute(counted).scalar_one())
