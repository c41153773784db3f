"""The columns plug-ins add to the map: how far each municipality is with the one system that is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from klik.plugins.answers import UNKNOWN, is_marks
from klik.plugins.contributions import Mark, Measure
from klik.plugins.manager import plugin_of
from klik.plugins.views import own_copy
from klik.services import for_plugins, views
from klik.services.follow_up.heat_map import HeatMap, Row, may_follow
from klik.services.work import Work

READY, UNDERWAY, NOT_READY = "klar", "paa-vej", "ikke-klar"
WORDS: Mapping[str, str] = {READY: "Klar", UNDERWAY: "På vej", NOT_READY: "Ikke klar", UNKNOWN: "Ukendt"}
NO_ANSWER = Mark(text="ikke oplyst", state=UNKNOWN)


@dataclass(frozen=True, slots=True)
class Column:
    """One plug-in's measure with a mark for each municipality; ``answered`` is False where it gave none it can use."""

    key: str
    label: str
    help: str
    marks: Mapping[int, Mark]
    answered: bool

    @property
    def remark(self) -> str:
        """What is told above the map where the plug-in did not answer, else empty."""
        if self.answered:
            return ""
        plugin = plugin_of(self.key).upper()
        return f"Udvidelsen {plugin} svarede ikke, så “{self.label}” er ukendt lige nu. Resten er, som det skal være."

    def mark(self, row: Row) -> Mark | None:
        """How the row's municipality stands; None where it does not have the system."""
        return None if row.without else self.marks.get(row.place.code, NO_ANSWER)

    def sum(self, rows: Iterable[Row]) -> str:
        """Several municipalities as one: "18 af 23 klar", and how many of them nothing is known of."""
        states = [mark.state for row in rows if (mark := self.mark(row)) is not None]
        unknown = states.count(UNKNOWN)
        if not states or unknown == len(states):
            return "Ukendt" if states else ""
        told = f"{states.count(READY)} af {len(states)} klar"
        return f"{told}, {unknown} ukendt" if unknown else told


def columns(work: Work, drawn: HeatMap) -> tuple[Column, ...]:
    """The measures of the chosen system, for KOMBIT; each plug-in is asked once, for all municipalities together."""
    wanted = [each for each in work.registry.measures.values() if each.system == drawn.scope.system]
    if not wanted or not may_follow(work):
        return ()
    codes = [row.place.code for row in drawn.rows if not row.without]
    municipalities = views.municipality_views(work, codes, drawn.scope.system)
    return tuple(_asked(work, measure, municipalities) for measure in wanted)


def _asked(work: Work, measure: Measure, municipalities: tuple[views.MunicipalityView, ...]) -> Column:
    context = for_plugins.context(work, plugin_of(measure.key))
    own = tuple(map(own_copy, municipalities))
    marks = work.registry.guard.ask(
        f"{measure.key}/maal",
        lambda: measure.values(own, context),
        None,
        is_marks,
        store=context.store,
    )
    return Column(
        measure.key,
        measure.label,
        measure.help,
        dict(marks) if marks is not None else {},
        marks is not None,
    )
