"""KOMBIT's view over the municipalities: what each has unsolved, and who has not read a report in for a fortnight."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from klik.plugins import PluginContext, sort_key
from klik.plugins.ksd import reports

TOO_OLD = timedelta(days=14)
# What the table can be sorted by; a leading "-" puts the largest or latest first.
COUNTED = ("udbetaling", "graensevaerdi", "afgoerelse")
NAME, DAY = "kommune", "rapport"
MOST_BLOCKED_FIRST = "-udbetaling"
ORDERS = tuple(sign + column for column in (NAME, *COUNTED, DAY) for sign in ("", "-"))


@dataclass(frozen=True, slots=True)
class Place:
    """A municipality with a report: its day, the unsolved tasks by class, and whether the report is too old."""

    code: int
    name: str
    day: date
    counts: Mapping[str, int]
    silent: bool


@dataclass(frozen=True, slots=True)
class Places:
    """Those with a report in the wanted ``order``, and the names of those that never read one in."""

    order: str
    reported: tuple[Place, ...]
    never: tuple[str, ...]

    @property
    def silent(self) -> int:
        """How many have a report that is too old."""
        return sum(place.silent for place in self.reported)


def is_too_old(day: date, today: date) -> bool:
    """Whether a report's day is more than a fortnight ago."""
    return today - day > TOO_OLD


def next_order(order: str, column: str) -> str:
    """What a click on the column's heading asks for: names and days begin with the first, counts with the most."""
    first = column if column in (NAME, DAY) else f"-{column}"
    return column if order == first == f"-{column}" else f"-{column}" if order == first else first


def all_places(context: PluginContext, order: str) -> Places:
    """Every municipality by its newest report, in one of ORDERS."""
    assert context.store is not None and context.klik is not None
    newest = reports.newest(context.store)
    totals = reports.totals(context.store)
    names = {each.code: each.name for each in context.klik.municipalities("ksd")}
    found = [
        Place(
            code=code,
            name=names[code],
            day=report.day,
            counts=totals.get((code, report.day), {}),
            silent=is_too_old(report.day, context.today),
        )
        for code, report in newest.items()
        if code in names
    ]
    found.sort(key=lambda place: sort_key(place.name))
    found.sort(key=_measured(order.removeprefix("-")), reverse=order.startswith("-"))
    return Places(order, tuple(found), tuple(name for code, name in names.items() if code not in newest))


def _measured(column: str) -> Callable[[Place], Any]:
    if column == NAME:
        return lambda place: sort_key(place.name)
    if column == DAY:
        return lambda place: place.day
    return lambda place: place.counts.get(column, 0)
