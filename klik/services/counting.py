"""How many tasks each of several questions finds, and how many each choice of a filter would.

Across municipalities a number is the sum over them, and each one's share is kept under its own stamp: after a
change in Køge only Køge is counted again.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)

from klik.domain.deadlines import Colour
from klik.models import DataStamp, MunicipalTask, Project
from klik.models.stamps import EVERYONE
from klik.services import access
from klik.services.filtering import Selection
from klik.services.filters import NOBODY, ROLE, has_colour
from klik.services.keeping import Keep
from klik.services.work import Work

# What is kept of one question: for each municipality its stamp and its number.
Shares = dict[int, tuple[int, int]]
_SHARES, _CHOICES = 12_000, 20_000  # bytes, about
# Counting more municipalities than these one by one costs more than counting all of them together.
_FEW = 30


@dataclass(frozen=True, slots=True)
class Question:
    """A condition on tasks, and the key under which its number may be kept; None: it is counted each time."""

    where: ColumnElement[bool]
    key: Hashable | None


Questions = Mapping[Hashable, Question]


def numbers(work: Work, questions: Questions) -> Mapping[Hashable, int]:
    """How many tasks each condition finds, by the caller's names; the condition says whose.

    One statement at most; across municipalities two: what has changed, and the shares that are not kept.
    """
    if work.kept.store is not None and work.actor and work.actor.municipality_id is None:
        return _by_municipality(work, work.kept.store, questions)
    keys = {name: each.key and ("number", each.key) for name, each in questions.items()}
    return work.kept.each(keys, lambda missing: _together(work, questions, missing))


def _together(work: Work, questions: Questions, names: Sequence[Hashable]) -> Mapping[Hashable, int]:
    def asked() -> Select[Any]:
        return select(*(_number_of(questions[name].where) for name in names))

    keys = [questions[name].key for name in names]
    found = work.session.execute(work.kept.statement("numbers", keys, asked)).one()
    return dict(zip(names, found, strict=True))


def _by_municipality(work: Work, store: Keep, questions: Questions) -> Mapping[Hashable, int]:
    everyone, raised = _stamps(work)
    held: dict[Hashable, Shares] = {
        name: (each.key and store.get(("shares", each.key), None)) or {} for name, each in questions.items()
    }
    stale = {name: _stale(shares, everyone, raised) for name, shares in held.items()}
    # Those never counted, or long ago, everywhere; the others together wherever anything changed for one of them.
    everywhere = [name for name, places in stale.items() if places is None]
    places = set[int]().union(*(each for each in stale.values() if each))
    some = [name for name, each in stale.items() if each is not None and places]
    for names, where in ((everywhere, None), (some, places)):
        if not names:
            continue
        counted = _shares(work, questions, names, where)
        for name in names:
            touched = where if where is not None else raised.keys() | {place for _name, place in counted}
            held[name] = held[name] | {
                place: (raised.get(place, 0) + everyone, counted.get((name, place), 0)) for place in touched
            }
            if key := questions[name].key:
                store.put(("shares", key), None, held[name], _SHARES)
    return {name: sum(number for _stamp, number in shares.values()) for name, shares in held.items()}


def _stale(shares: Shares, everyone: int, raised: Mapping[int, int]) -> set[int] | None:
    """The municipalities that must be counted again; None: all of them."""
    if not shares:
        return None
    places = {
        place
        for place in shares.keys() | raised.keys()
        if shares.get(place, (None, 0))[0] != raised.get(place, 0) + everyone
    }
    return places if len(places) <= _FEW else None


_STAMPS = select(DataStamp.municipality_id, func.sum(DataStamp.stamp)).group_by(DataStamp.municipality_id)


def _stamps(work: Work) -> tuple[int, Mapping[int, int]]:
    """Everyone's, and those of the municipalities where anything ever changed.

    Read before anything is counted: what is counted then is at least as new.
    """
    raised = {place: int(stamp) for place, stamp in work.session.execute(_STAMPS)}
    return raised.pop(EVERYONE, 0), raised


def _shares(
    work: Work, questions: Questions, names: Sequence[Hashable], places: set[int] | None
) -> Mapping[tuple[Hashable, int], int]:
    """Each question's number in each municipality, or only in some; what is not there is none."""
    within = (
        [] if places is None else [MunicipalTask.municipality_id.in_(bindparam("places", expanding=True))]
    )

    def asked() -> CompoundSelect[Any]:
        return union_all(
            *(
                select(literal(number), MunicipalTask.municipality_id, func.count())
                .where(questions[name].where, *within)
                .group_by(MunicipalTask.municipality_id)
                for number, name in enumerate(names)
            )
        )

    statement = work.kept.statement("shares", [bool(within), *(questions[name].key for name in names)], asked)
    rows = work.session.execute(statement, {} if places is None else {"places": sorted(places)})
    return {(names[number], place): found for number, place, found in rows}


def _number_of(where: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(MunicipalTask).where(where).scalar_subquery()


def choices(work: Work, selection: Selection) -> Mapping[str, Mapping[str, int]]:
    """For each filter to tick: how many tasks each value would show beside the other filters; one statement.

    The tasks that pass all filters but those counted here are read once, with which of the counted filters each
    passes; a filter's own values are then counted among those that pass all the others.
    """
    key = selection.key and ("choices", selection.key)
    return work.kept.once(key, lambda: _count_choices(work, selection), size=_CHOICES)


def _count_choices(work: Work, selection: Selection) -> Mapping[str, Mapping[str, int]]:
    columns = _counted(work.today, access.sees_people(work))
    statement = work.kept.statement("choices", [selection.key], lambda: _choices(selection, columns))
    found: dict[str, dict[str, int]] = {each.key: {} for each in columns}
    for place, cell, number in work.session.execute(statement):
        each = columns[place]
        if value := each.value(cell):
            found[each.key][value] = found[each.key].get(value, 0) + number
    return found


@dataclass(frozen=True, slots=True)
class _Counted:
    """A column whose values can be ticked under a key; ``empty`` is the value that an empty cell counts for."""

    key: str
    column: Any
    empty: str = ""
    prefix: str = ""

    def value(self, cell: Any) -> str:
        return self.empty if cell is None else f"{self.prefix}{cell}"


# The columns are the same all day: made once, not for each page.
@lru_cache(maxsize=4)
def _counted(today: date, with_people: bool) -> tuple[_Counted, ...]:
    task = MunicipalTask
    colours = case(
        *((has_colour(each, today), each.value) for each in Colour), (task.deadline.is_(None), NOBODY)
    )
    people = (
        _Counted("ansvarlig", task.responsible_id, NOBODY),
        _Counted("ansvarlig", task.responsible_role, prefix=ROLE),
        _Counted("udfoerer", task.executor_id, NOBODY),
        _Counted("udfoerer", task.executor_role, prefix=ROLE),
    )
    return (
        _Counted("projekt", Project.slug),
        _Counted("system", task.system_code),
        _Counted("fase", task.phase),
        _Counted("tema", task.theme),
        _Counted("deadline", colours),
        _Counted("prioritet", task.priority),
        _Counted("status", task.status),
        _Counted("infrastruktur", case((task.infrastructure, "ja"), else_="nej")),
        *(people if with_people else ()),
    )


def _choices(selection: Selection, columns: tuple[_Counted, ...]) -> Select[Any]:
    """Rows of a column's place, a value as text and its number."""
    keys = tuple(dict.fromkeys(each.key for each in columns))
    used = [key for key in keys if key in selection.conditions]
    # Read once by both databases, because it is named more than once.
    read = (
        select(
            *(each.column.label(f"column_{place}") for place, each in enumerate(columns)),
            *(case((selection.conditions[key], 1), else_=0).label(f"passes_{key}") for key in used),
        )
        .join(Project, Project.id == MunicipalTask.project_id)
        .where(selection.where(*keys))
        .cte("read")
    )
    shown = select(read).where(*(read.c[f"passes_{key}"] == 1 for key in used)).cte("shown")
    counted = []
    for place, each in enumerate(columns):
        rows = read if each.key in used else shown
        value = rows.c[f"column_{place}"]
        others = [rows.c[f"passes_{key}"] == 1 for key in used if each.key in used and key != each.key]
        counted.append(
            select(literal(place), cast(value, String).label("value"), func.count())
            .where(*others)
            .group_by(value)
        )
    return union_all(*counted)
