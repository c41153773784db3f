"""What somebody wants to see of the municipalities: the list's own filters, and how the rows are arranged.

The filters are the list's, so that what a cell counts and what its list shows are one condition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from klik.domain.status import Status
from klik.plugins.manager import Registry
from klik.services import filtering
from klik.services.criteria import LONGEST_QUERY, Criteria, QueryTooLongError, unknown

NAME, MOST_RED, LEAST_FAR = "navn", "roede", "mindst"
ORDERS: Mapping[str, str] = {NAME: "Navn", MOST_RED: "Flest røde", LEAST_FAR: "Mindst langt"}
REGION, WAVE = "region", "bolge"
GROUPINGS: Mapping[str, str] = {REGION: "Region", WAVE: "Bølge"}
SILENT, RED = "stille", "roede"
ONLY: Mapping[str, str] = {SILENT: "Kun stille kommuner", RED: "Kun kommuner med røde opgaver"}
# Which of the list's filters the map can be narrowed by; a colour or a status would make the cells say something else.
FILTERS = (
    "projekt",
    "system",
    "region",
    "bolge",
    "tema",
    "ansvarlig",
    "runde",
    "kommune",
    "fase",
    "prioritet",
    "infrastruktur",
)
COUNTED = tuple(status.value for status in Status if status is not Status.NOT_RELEVANT)
_OWN: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "sorter": ("Rækkefølgen", ORDERS),
    "grupper": ("Grupperingen", GROUPINGS),
    "kun": ("Visningen", ONLY),
    "tempo": ("Tempo", {"ja": "Ja"}),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """``criteria`` are the filters as they were asked for; the others are words of the maps above, or empty."""

    criteria: Criteria
    order: str = NAME
    grouped_by: str = ""
    only: str = ""
    pace: bool = False
    remarks: tuple[str, ...] = ()

    def pairs(self) -> Sequence[tuple[str, str]]:
        """Everything that was asked for, as an address says it."""
        return [
            *self.criteria.pairs(),
            *([("sorter", self.order)] if self.order != NAME else []),
            *([("grupper", self.grouped_by)] if self.grouped_by else []),
            *([("kun", self.only)] if self.only else []),
            *([("tempo", "ja")] if self.pace else []),
        ]

    def query(self, **changes: object) -> str:
        """The query string of the same with some fields changed; "" for nothing."""
        return urlencode(replace(self, **changes).pairs(), safe=":,")  # type: ignore[arg-type]

    def of_municipality(self, code: int) -> Wanted:
        """The same of one municipality."""
        return replace(self, criteria=self.criteria.with_values("kommune", [str(code)]), only="")


def read(registry: Registry, query: str) -> Wanted:
    """What a query string asks of the map; what it cannot use is remarked. Raises QueryTooLongError."""
    if len(query) > LONGEST_QUERY:
        raise QueryTooLongError(f"Filteret er for langt: højst {LONGEST_QUERY} tegn.")
    own: dict[str, str] = {}
    passed, remarks = [], []
    for name, typed in parse_qsl(query):
        if name in _OWN:
            what, words = _OWN[name]
            if typed in words:
                own[name] = typed
            else:
                remarks.append(unknown(what, typed, words))
        elif name in registry.filters and name not in FILTERS:
            remarks.append(f"Filteret “{registry.filters[name].label}” kan ikke bruges her.")
        else:
            passed.append((name, typed))
    criteria = filtering.read(registry, urlencode(passed)).filters_only()
    return Wanted(
        criteria=replace(criteria, page=1, remarks=()),
        order=own.get("sorter", NAME),
        grouped_by=own.get("grupper", ""),
        only=own.get("kun", ""),
        pace="tempo" in own,
        remarks=(*remarks, *filtering.read(registry, urlencode(passed)).remarks),
    )


def whole(criteria: Criteria) -> Criteria:
    """The tasks a cell counts: open and completed ones, without those that are not relevant."""
    return criteria.with_values("status", COUNTED)
