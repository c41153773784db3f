"""How many tasks each of several questions finds, and how many each choice of a filter would.

Across municipalities a number is the sum over them, and each one's share is kept under its own stamp: after a
change in Køge only Køge is counted again.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, cast, func, literal, select, union_all

from klik.domain.deadlines import Colour
from klik.models import DataStamp, MunicipalTask, Project
from klik.models.stamps import EVERYONE, Part
from klik.services import access
from klik.services.filtering import Selection
from klik.services.filters import NOBODY, ROLE, has_colour
from klik.services.keeping import Kept
from klik.services.work import Work

Questions = Mapping[Hashable, ColumnElement[bool]]
# What is kept of one question: for each municipality its stamp and its number.
Shares = dict[int, tuple[int, int]]
_SHARES, _STATEMENT, _CHOICES = 12_000, 60_000, 20_000  # bytes, about
# Counting more than these one by one costs more than counting all of them together.
_FEW = 30


def numbers(work: Work, questions: Questions) -> Mapping[Hashable, int]:
    """How many tasks each condition finds among those it may see. The keys must tell the questions apart.

    One statement; across municipalities two: what has changed, and the shares that are not kept.
    """
    if work.kept is None or work.actor is None:
        return _together(work, questions)
    if work.actor.municipality_id is not None:
        key = ("numbers", tuple(questions), work.actor, work.today)
        return work.kept.once(work.session, key, lambda: _together(work, questions), part=Part.TASKS)
    return _by_municipality(work, work.kept, questions)


def _together(work: Work, questions: Questions) -> Mapping[Hashable, int]:
    found = work.session.execute(select(*map(_number_of, questions.values()))).one()
    return dict(zip(questions, found, strict=True))


def _by_municipality(work: Work, kept: Kept, questions: Questions) -> Mapping[Hashable, int]:
    everyone, raised = _stamps(work)
    store, keys = kept.store, {each: ("shares", each, work.actor, work.today) for each in questions}
    held: dict[Hashable, Shares] = {each: store.get(key, work.actor) or {} for each, key in keys.items()}
    stale = _stale(held.values(), everyone, raised)
    if stale != set():
        with kept.watching(work.session) as seen:
            counted = _shares(work, questions, stale)
        for question, key in keys.items():
            places = stale if stale is not None else raised.keys() | {place for each, place in counted}
            fresh = {
                place: (raised.get(place, 0) + everyone, counted.get((question, place), 0))
                for place in places
            }
            held[question] = held[question] | fresh
            if seen.may_be_kept():
                store.put(key, work.actor, held[question], _SHARES)
    return {question: sum(number for _stamp, number in shares.values()) for question, shares in held.items()}


def _stale(held: Iterable[Shares], everyone: int, raised: Mapping[int, int]) -> set[int] | None:
    """The municipalities that must be counted again for one question or another; None: all of them."""
    places: set[int] = set()
    for shares in held:
        if not shares:
            return None
        places |= {
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


def _shares(work: Work, questions: Questions, places: set[int] | None) -> Mapping[tuple[Hashable, int], int]:
    """Each question's number in each municipality, or only in some; what is not there is none."""
    words = list(questions)
    counted = [
        select(literal(number), MunicipalTask.municipality_id, func.count())
        .where(questions[word], *([MunicipalTask.municipality_id.in_(sorted(places))] if places else []))
        .group_by(MunicipalTask.municipality_id)
        for number, word in enumerate(words)
    ]
    rows = work.session.execute(union_all(*counted))
    return {(words[number], place): found for number, place, found in rows}


def _number_of(where: ColumnElement[bool]) -> Any:
    return select(func.count()).select_from(MunicipalTask).where(where).scalar_subquery()


def choices(work: Work, selection: Selection) -> Mapping[str, Mapping[str, int]]:
    """For each filter to tick: how many tasks each value would show beside the other filters; one statement.

    The tasks that pass all filters but those counted here are read once, with which of the counted filters each
    passes; a filter's own values are then counted among those that pass all the others.
    """
    if work.kept is None:
        return _count_choices(work, selection)
    # Neither order nor page changes what a choice would show.
    key = ("counted choices", selection.criteria.filters, selection.criteria.as_of, work.actor, work.today)
    return work.kept.once(
        work.session, key, lambda: _count_choices(work, selection), part=Part.TASKS, size=_CHOICES
    )


def _count_choices(work: Work, selection: Selection) -> Mapping[str, Mapping[str, int]]:
    columns = _counted(work.today, access.sees_people(work))
    found: dict[str, dict[str, int]] = {each.key: {} for each in columns}
    for place, cell, number in work.session.execute(_choices_statement(work, selection, columns)):
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


def _choices_statement(work: Work, selection: Selection, columns: tuple[_Counted, ...]) -> Select[Any]:
    """The same object for the same question: SQLAlchemy then knows it at once."""
    if work.kept is None or selection.key is None:
        return _choices(selection, columns)
    return work.kept.once(
        work.session,
        ("choices", selection.key),
        lambda: _choices(selection, columns),
        part=Part.FRAME,
        size=_STATEMENT,
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
