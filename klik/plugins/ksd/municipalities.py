"""KOMBIT's view over the municipalities: what each has unsolved, and who has not read a report in for a fortnight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from klik.plugins import PluginContext
from klik.plugins.ksd import reports

TOO_OLD = timedelta(days=14)


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
    """Those with a report, the most blocked payments first, and the names of those that never read one in."""

    reported: tuple[Place, ...]
    never: tuple[str, ...]

    @property
    def silent(self) -> int:
        """How many have a report that is too old."""
        return sum(place.silent for place in self.reported)


def is_too_old(day: date, today: date) -> bool:
    """Whether a report's day is more than a fortnight ago."""
    return today - day > TOO_OLD


def all_places(context: PluginContext) -> Places:
    """Every municipality, by its newest report."""
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
    found.sort(key=lambda place: (-place.counts.get("udbetaling", 0), place.name))
    return Places(tuple(found), tuple(name for code, name in names.items() if code not in newest))
