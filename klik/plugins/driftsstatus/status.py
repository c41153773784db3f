"""A system's status as it is shown: twelve months of figures with their colours, and the month looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from sqlalchemy import select

from klik.plugins import PluginContext, PluginStore
from klik.plugins.driftsstatus import incidents, months
from klik.plugins.driftsstatus.figures import COLOURS, before, colour, long, reckoned, short, shown, twelve
from klik.plugins.driftsstatus.incidents import Incident
from klik.plugins.driftsstatus.tables import areas, figures

SYSTEMS: Mapping[str, str] = {
    "serviceplatformen": "Serviceplatformen",
    "stoettesystemer": "Støttesystemerne",
}
ABBREVIATIONS: Mapping[str, str] = {
    "serviceplatformen": "SP: Serviceplatformen. STS adm: Støttesystemernes administrationsmodul.",
    "stoettesystemer": "KO: Klassifikation og Organisation. SDY: Sags-, Dokument- og Ydelsesindeks. "
    "BF: Beskedfordeler.",
}


MILLION = 1_000_000
LINE = 17  # characters


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of an area in a month; ``colour`` is "roed", "gul" or empty, ``word`` the same as people read it."""

    month: str
    text: str
    value: int | None
    colour: str

    @property
    def word(self) -> str:
        """Rød, Gul or nothing."""
        return COLOURS.get(self.colour, "")

    @property
    def narrow(self) -> str:
        """The figure where there is little room: "98,30", "91 mio."."""
        if not self.text.endswith("%") and self.value and self.value % MILLION == 0:
            return f"{self.value // MILLION} mio."
        return self.text.removesuffix(" %")

    @property
    def label(self) -> str:
        """ "sep-20"."""
        return short(self.month)


@dataclass(frozen=True, slots=True)
class Area:
    """An area with its goal and twelve months of figures, the last of them the month looked at."""

    id: int
    name: str
    goal: int | None
    cells: tuple[Cell, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """The name in short lines, each fit for a narrow column: "KO", "applikation"."""
        return tuple(
            line
            for part in self.name.split(" - ")
            for line in wrap(part, LINE, break_long_words=False, break_on_hyphens=False)
        )

    @property
    def goal_text(self) -> str:
        """ "99,80 %" or "n.a."."""
        return "n.a." if self.goal is None else shown(self.goal, self.goal)

    @property
    def last(self) -> Cell:
        """The month looked at."""
        return self.cells[-1]

    @property
    def is_below(self) -> bool:
        """Whether the goal of the month looked at is not met."""
        return bool(self.last.colour)


@dataclass(frozen=True, slots=True)
class Status:
    """A system's status, looked back at from a month."""

    system: str
    name: str
    month: str
    areas: tuple[Area, ...]
    words: months.Month
    incidents: tuple[Incident, ...]
    open: tuple[Incident, ...]

    @property
    def month_text(self) -> str:
        """ "september 2020"."""
        return long(self.month)

    @property
    def labels(self) -> tuple[str, ...]:
        """The heads of the twelve columns."""
        return tuple(short(month) for month in twelve(self.month))

    @property
    def abbreviations(self) -> str:
        """What the short words of the areas stand for."""
        return ABBREVIATIONS[self.system]

    @property
    def has_figures(self) -> bool:
        """Whether any of the twelve months has a figure."""
        return any(cell.text for area in self.areas for cell in area.cells)

    @property
    def has_month(self) -> bool:
        """Whether the month looked at has."""
        return any(area.last.text for area in self.areas)

    @property
    def verdict(self) -> str:
        """The month in one sentence."""
        if not self.has_month:
            return f"Tallene for {self.month_text} er ikke kommet endnu."
        below = [area.name for area in self.areas if area.is_below]
        if not below:
            return f"Alle SLA-mål var opfyldt i {self.month_text}."
        return f"{_listed(below)} var under SLA-målet i {self.month_text}."


def of(context: PluginContext, system: str, month: str | None = None) -> Status:
    """The status of a system in a month; without one, the last there is a figure of."""
    store = context.store
    assert store is not None
    month = month or months.newest(store, system) or before(context.today)
    found = incidents.all_of(store, system)
    return Status(
        system=system,
        name=SYSTEMS[system],
        month=month,
        areas=areas_of(store, system, month, found),
        words=months.read(store, system, month),
        incidents=incidents.in_month(found, month),
        open=tuple(each for each in found if each.is_open),
    )


def areas_of(
    store: PluginStore, system: str, month: str, found: Sequence[Incident] | None = None
) -> tuple[Area, ...]:
    """The system's areas with their twelve months."""
    found = incidents.all_of(store, system) if found is None else found
    shown_months = twelve(month)
    values: dict[tuple[int, str], int] = {
        (row.area, row.month): row.value
        for row in store.execute(select(figures).where(figures.c.month.in_(shown_months)))
    }
    by_area: dict[int, list[Incident]] = defaultdict(list)
    for each in found:
        by_area[each.area].append(each)

    def cell(area: int, goal: int | None, at: str) -> Cell:
        value = values.get((area, at))
        colours = [each.colour for each in incidents.in_month(by_area[area], at)]
        return Cell(at, shown(value, goal), value, colour(value, goal, colours))

    rows = store.execute(select(areas).where(areas.c.system == system).order_by(areas.c.position, areas.c.id))
    return tuple(
        Area(row.id, row.name, row.goal, tuple(cell(row.id, row.goal, at) for at in shown_months))
        for row in rows
    )


def of_incidents(status: Status, area: int, context: PluginContext) -> str:
    """What the red incidents of the month leave of an area's whole, in words; empty where there are none."""
    stretches = [
        (each.starts_at, each.ends_at or context.now)
        for each in status.incidents
        if each.area == area and each.colour == "roed"
    ]
    return shown(reckoned(status.month, stretches), 0) if stretches else ""


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} og {names[-1]}"
