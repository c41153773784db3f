"""Week by week: how many tasks were unsolved, in numbers and as a line to draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from klik.plugins import PluginStore
from klik.plugins.ksd import reports

WEEKS = 12
# A report counts for the weeks after it until the next comes, at most this long.
LONGEST_HELD = timedelta(weeks=8)
# The picture is 380 by 150; on the left there is room for "125.921".
LEFT, RIGHT, TOP, BOTTOM = 60, 366, 16, 118


@dataclass(frozen=True, slots=True)
class Week:
    """A week by its last day; ``counts`` by class, ``fresh`` how many reports were read in that week."""

    last_day: date
    label: str
    counts: Mapping[str, int]
    fresh: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A line through the weeks; the upper edge of the picture is y = 0. ``steps`` are the marked heights."""

    points: tuple[tuple[float, float], ...]
    steps: tuple[tuple[float, int], ...]
    first: Week
    last: Week
    first_count: int
    last_count: int

    @property
    def line(self) -> str:
        """As the points of a polyline."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.points)


def weeks(store: PluginStore, today: date, municipality: int | None = None) -> tuple[Week, ...]:
    """The last twelve weeks that there are reports for; each municipality counts with its newest by then."""
    this_sunday = today + timedelta(days=6 - today.weekday())
    first = this_sunday - timedelta(weeks=WEEKS - 1)
    since = first - timedelta(days=6) - LONGEST_HELD
    days = reports.days(store, since, municipality)
    totals = reports.totals(store, municipality, since)
    found = []
    for number in range(WEEKS):
        sunday = first + timedelta(weeks=number)
        held = {place: day for place, day in days if sunday - LONGEST_HELD < day <= sunday}
        if not held:
            continue
        counts: dict[str, int] = {}
        for place, day in held.items():
            for blocks, count in totals.get((place, day), {}).items():
                counts[blocks] = counts.get(blocks, 0) + count
        fresh = sum(sunday - timedelta(days=7) < day <= sunday for _place, day in days)
        found.append(Week(sunday, f"uge {sunday.isocalendar().week}", counts, fresh))
    return tuple(found)


def draw(found: Sequence[Week], blocks: str) -> Chart | None:
    """The line of one class; None with fewer than two weeks."""
    if len(found) < 2:
        return None
    counts = [each.counts.get(blocks, 0) for each in found]
    most = max(1, *counts)
    first, last = found[0].last_day, found[-1].last_day

    def x(day: date) -> float:
        return round(LEFT + (RIGHT - LEFT) * (day - first).days / (last - first).days, 1)

    def y(count: int) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * count / most, 1)

    return Chart(
        points=tuple((x(each.last_day), y(count)) for each, count in zip(found, counts, strict=True)),
        steps=tuple((y(count), count) for count in sorted({0, most // 2, most})),
        first=found[0],
        last=found[-1],
        first_count=counts[0],
        last_count=counts[-1],
    )
