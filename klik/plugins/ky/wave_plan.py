"""The waves as KOMBIT sees them: how far away each is, and how many municipalities are ready for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from klik.plugins import MunicipalityView, PluginContext, days, long_date
from klik.plugins.ky import preparation
from klik.plugins.ky.waves import WAVES


@dataclass(frozen=True, slots=True)
class WaveLine:
    """A wave with its municipalities counted by how they stand; ``value`` narrows the heat map to it."""

    value: str
    name: str
    when: str
    countdown: str
    municipalities: int
    ready: int
    underway: int
    not_ready: int


def countdown(go_live: date | None, today: date) -> str:
    """How far away the day is: "92 dage til KY", "KY tages i brug i dag", "KY blev taget i brug for 3 dage siden"."""
    if go_live is None:
        return "Dagen er ikke fastsat"
    count = (go_live - today).days
    if count == 0:
        return "KY tages i brug i dag"
    return f"{days(count)} til KY" if count > 0 else f"KY blev taget i brug for {days(-count)} siden"


def lines(context: PluginContext, places: tuple[MunicipalityView, ...]) -> tuple[WaveLine, ...]:
    """The waves that have municipalities, in the plan's order."""
    marks = preparation.marks(places, context)
    found = []
    for wave in WAVES:
        here = [place for place in places if place.wave == wave.value]
        if not here:
            continue
        # A municipality may have a day of its own; the wave's is the one most of them have.
        day = Counter(place.go_live for place in here).most_common(1)[0][0]
        states = Counter(marks[place.code].state for place in here)
        found.append(
            WaveLine(
                wave.value,
                wave.label,
                long_date(day) if day else "",
                countdown(day, context.today),
                len(here),
                states["klar"],
                states["paa-vej"],
                states["ikke-klar"],
            )
        )
    return tuple(found)
