"""The board's numbers: what is unsolved by class and type, by age, and by month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from klik.plugins.ksd.ages import LABELS, age_of, month_in_words
from klik.plugins.ksd.catalogue import CLASSES, title_key, types_named
from klik.plugins.ksd.reports import Sum


@dataclass(frozen=True, slots=True)
class Line:
    """One task type on the board; ``ids`` is "2 eller 49" where the title does not tell them apart.

    ``oldest`` is the month in which the oldest were due, in words, or empty.
    """

    ids: str
    title: str
    count: int
    oldest: str


@dataclass(frozen=True, slots=True)
class Group:
    """One class on the board, the largest counts first."""

    blocks: str
    title: str
    total: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Across:
    """An age or a month, and how many are unsolved in each class of the table."""

    value: str
    label: str
    counts: Mapping[str, int]
    total: int


def groups(sums: Iterable[Sum]) -> tuple[Group, ...]:
    """What is unsolved, class by class; titles that differ in a slip of the pen are one line."""
    found: dict[str, dict[str, list[Sum]]] = {}
    for each in sums:
        if each.count:
            found.setdefault(each.blocks, {}).setdefault(title_key(each.title), []).append(each)
    return tuple(_group(blocks, found[blocks].values()) for blocks in CLASSES if blocks in found)


def by_age(sums: Sequence[Sum], today: date) -> tuple[Across, ...]:
    """By step of age, the oldest first."""
    found = [(age_of(each.month, today), each) for each in sums]
    return tuple(
        _across(value, label, [each for age, each in found if age == value])
        for value, label in LABELS.items()
        if any(age == value and each.count for age, each in found)
    )


def by_month(sums: Sequence[Sum]) -> tuple[Across, ...]:
    """By month of the due dates, the oldest first; without those that have none."""
    months = sorted({each.month for each in sums if each.month and each.count})
    return tuple(
        _across(month, month_in_words(month), [each for each in sums if each.month == month])
        for month in months
    )


def classes_in(rows: Iterable[Across]) -> tuple[str, ...]:
    """The classes that a table of ages or months has columns for."""
    shown = {blocks for row in rows for blocks, count in row.counts.items() if count}
    return tuple(blocks for blocks in CLASSES if blocks in shown)


def _group(blocks: str, types: Iterable[list[Sum]]) -> Group:
    lines = [_line(sums) for sums in types]
    lines.sort(key=lambda line: (-line.count, line.title))
    return Group(blocks, CLASSES[blocks], sum(line.count for line in lines), tuple(lines))


def _line(sums: list[Sum]) -> Line:
    title = sums[0].title
    months = sorted(each.month for each in sums if each.month)
    return Line(
        ids=" eller ".join(str(each.id) for each in types_named(title)),
        title=title,
        count=sum(each.count for each in sums),
        oldest=month_in_words(months[0]) if months else "",
    )


def _across(value: str, label: str, sums: Iterable[Sum]) -> Across:
    counts: dict[str, int] = {}
    for each in sums:
        counts[each.blocks] = counts.get(each.blocks, 0) + each.count
    return Across(value, label, counts, sum(counts.values()))
