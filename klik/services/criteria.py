"""The filter language: what an address after its question mark asks of the list, and back again.

Nothing here knows the database: whether a value names something that exists is decided in ``filtering``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from klik.domain.errors import InputError
from klik.domain.texts import clean

LONGEST_QUERY = 8_192
MOST_VALUES = 200
LONGEST_VALUE = 200
PAGE_SIZES = (25, 50, 100, 200)
DEFAULT_PAGE_SIZE = 50
LARGEST_PAGE = 200
LAST_PAGE = 1_000_000
COMPLETED = "fuldfoerte"
AS_OF = "vis_som"
SINCE = "siden"
# Keys with one value each that are no filters.
PLAIN = ("sorter", "grupper", "side", "pr_side", AS_OF)
# Says nothing more than an address without filters, but is no empty address: the default filter stays away.
EVERYTHING = "fuldfoerte=nej"
SORTS: Mapping[str, str] = {
    "deadline": "Deadline",
    "nummer": "Nummer",
    "titel": "Titel",
    "status": "Status",
    "ansvarlig": "Ansvarlig",
    "udfoerer": "Udfører",
    "fase": "Fase",
    "tema": "Tema",
    "prioritet": "Prioritet",
    "projekt": "Projekt",
    "kommune": "Kommune",
    "startdato": "Startdato",
    "slutdato": "Slutdato",
    "aendret": "Senest ændret",
    "system": "System",
    "infrastruktur": "STS/Infrastruktur",
}
MOST_SORTS = 3
GROUPINGS: Mapping[str, str] = {
    "fase": "Fase",
    "tema": "Tema",
    "system": "System",
    "ansvarlig": "Ansvarlig",
    "projekt": "Projekt",
    "kommune": "Kommune",
}
UNGROUPED = "ingen"
# The panel has two fields for a period; together they are one value of the language.
_PERIOD_ENDS = {
    f"{key}_{end}": (key, end) for key in ("startdato", "slutdato", "deadline") for end in ("fra", "til")
}


class Sort(NamedTuple):
    """A key to sort by: a word of ``SORTS``, and whether its order is turned round."""

    word: str
    descending: bool = False

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.word}"


DEFAULT_SORTS = (Sort("deadline"),)


class QueryTooLongError(InputError):
    """The query string is longer than klik reads."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is asked of the list: filters in the order of their keys, sorting, grouping and page.

    ``filters`` maps a key to its values ("or" among them, "and" between keys). ``sorts`` are one to three keys,
    the first one foremost. ``size`` and ``grouped_by`` are None where the address says nothing, so that what a
    person usually wants can step in; ``grouped_by`` is "" where no groups are asked for. ``as_of`` is the day the
    list is shown as of (``vis_som``), as it was typed; empty for now. ``remarks`` are Danish
    sentences about what could not be read; they take no part in comparison.
    """

    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sorts: tuple[Sort, ...] = DEFAULT_SORTS
    grouped_by: str | None = None
    page: int = 1
    size: int | None = None
    as_of: str = ""
    remarks: tuple[str, ...] = field(default=(), compare=False)

    def values(self, key: str) -> tuple[str, ...]:
        """The values of a key; empty when it is not used."""
        return next((values for name, values in self.filters if name == key), ())

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every filter as (key, value)."""
        return ((key, value) for key, values in self.filters for value in values)

    @property
    def page_size(self) -> int:
        """How many rows a page holds."""
        return self.size or DEFAULT_PAGE_SIZE

    @property
    def grouping(self) -> str:
        """The word of ``GROUPINGS`` the list is grouped by; "" for none."""
        return self.grouped_by or ""

    @property
    def shows_completed(self) -> bool:
        """Whether "Vis fuldførte" stands on Ja."""
        return self.values(COMPLETED) == ("ja",)

    def with_values(self, key: str, values: Sequence[str]) -> Criteria:
        """The same with other values of one key (none: without it), from the first page."""
        kept = dict(self.filters) | {key: tuple(dict.fromkeys(values))}
        return replace(self, filters=_ordered(kept), page=1)

    def without(self, key: str, value: str) -> Criteria:
        """The same without one value, from the first page."""
        return self.with_values(key, [each for each in self.values(key) if each != value])

    def on_page(self, page: int) -> Criteria:
        """The same on another page."""
        return replace(self, page=page)

    def with_page_size(self, size: int) -> Criteria:
        """The same with another number of rows a page, from the first page."""
        return replace(self, size=size, page=1)

    def sorted_by(self, *sorts: Sort) -> Criteria:
        """The same in another order, from the first page."""
        return replace(self, sorts=sorts, page=1)

    def with_grouping(self, word: str) -> Criteria:
        """The same in other groups ("" for none), from the first page."""
        return replace(self, grouped_by=word, page=1)

    def usually(self, size: int | None, grouped_by: str | None) -> Criteria:
        """The same with what a person usually wants, where the address says nothing of it."""
        return replace(
            self,
            size=size if self.size is None else self.size,
            grouped_by=grouped_by if self.grouped_by is None else self.grouped_by,
        )

    def filters_only(self) -> Criteria:
        """The filters and the order, as of now, ungrouped and from the first page of usual length."""
        return replace(self.as_saved(), grouped_by=None)

    def as_saved(self) -> Criteria:
        """What is saved: filters, order and groups. No groups says nothing, so that what is usual steps in."""
        return replace(self.whole_list(), grouped_by=self.grouped_by or None, as_of="")

    def whole_list(self) -> Criteria:
        """Everything but the page: what a file of the list holds, in its order."""
        return replace(self, page=1, size=None, remarks=())

    def standing(self, as_of: str) -> Criteria:
        """The same as of a day, in the words of the language; empty for now."""
        return replace(self, as_of=as_of, page=1)

    def query(self) -> str:
        """The canonical query string, without what is the default anyway; "" for no filter at all."""
        parts = list(self.pairs())
        if self.sorts != DEFAULT_SORTS:
            parts.append(("sorter", ",".join(map(str, self.sorts))))
        if self.grouped_by is not None:
            parts.append(("grupper", self.grouped_by or UNGROUPED))
        if self.page != 1:
            parts.append(("side", str(self.page)))
        if self.size is not None:
            parts.append(("pr_side", str(self.size)))
        if self.as_of:
            parts.append((AS_OF, self.as_of))
        return urlencode(parts, quote_via=quote, safe=":,")

    def link_query(self) -> str:
        """The query string for a link on a page: never empty, so that no default filter steps in."""
        return self.query() or EVERYTHING


def parse(query: str, keys: Iterable[str]) -> Criteria:
    """Read a query string with the filter keys that exist; what cannot be read is remarked and left out.

    Blank values count as not given. Raises QueryTooLongError above 8.192 characters.
    """
    if len(query) > LONGEST_QUERY:
        raise QueryTooLongError(f"Filteret er for langt: højst {LONGEST_QUERY} tegn.")
    known = tuple(keys)
    remarks: list[str] = []
    filters: dict[str, list[str]] = {}
    plain: dict[str, str] = {}
    sorters: list[str] = []
    periods: dict[str, dict[str, str]] = {}
    given = parse_qsl(query)
    if len(given) > MOST_VALUES:
        remarks.append(f"Filteret har {len(given)} værdier. Kun de første {MOST_VALUES} er brugt.")
    for name, typed in given[:MOST_VALUES]:
        try:
            value = clean(typed, field=f"Filteret {_shown(name)}", limit=LONGEST_VALUE)
        except InputError as error:
            remarks.append(f"{error} Værdien er ikke brugt.")
            continue
        if not value:
            continue
        if name in _PERIOD_ENDS:
            key, end = _PERIOD_ENDS[name]
            periods.setdefault(key, {})[end] = value
        elif name == "sorter":
            sorters += value.split(",")
        elif name in PLAIN:
            plain[name] = value
        elif name in known:
            filters.setdefault(name, []).append(value)
        else:
            remarks.append(unknown("Filteret", name, (*known, *PLAIN)))
    for key, ends in periods.items():
        filters.setdefault(key, []).append(f"{ends.get('fra', '')}..{ends.get('til', '')}")
    _settle_completed(filters, remarks)
    return Criteria(
        filters=_ordered({key: tuple(dict.fromkeys(values)) for key, values in filters.items()}),
        sorts=_sorts(sorters, remarks),
        grouped_by=_grouping(plain.get("grupper"), remarks),
        page=_whole(plain.get("side"), "side", LAST_PAGE, remarks) or 1,
        size=_whole(plain.get("pr_side"), "pr_side", LARGEST_PAGE, remarks),
        as_of=plain.get(AS_OF, ""),
        remarks=tuple(dict.fromkeys(remarks)),
    )


def unknown(what: str, typed: str, known: Iterable[str]) -> str:
    """The remark on a word that means nothing, with the nearest that does."""
    close = difflib.get_close_matches(typed.casefold(), list(known), n=1)
    meant = f" Mente du “{close[0]}”?" if close else ""
    return f"{what} {_shown(typed)} findes ikke og er ikke brugt.{meant}"


def _shown(typed: str) -> str:
    visible = "".join(character if character.isprintable() else "�" for character in typed)
    return f"“{visible}”" if len(visible) <= 40 else f"“{visible[:39]}…”"


def _ordered(filters: Mapping[str, tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(sorted((key, values) for key, values in filters.items() if values))


def _settle_completed(filters: dict[str, list[str]], remarks: list[str]) -> None:
    """Ja or Nej, not both; Nej is the default and needs no words."""
    values = set(filters.pop(COMPLETED, ()))
    for value in sorted(values - {"ja", "nej"}):
        remarks.append(unknown("Vis fuldførte:", value, ("ja", "nej")))
    if "ja" in values:
        filters[COMPLETED] = ["ja"]


def _sorts(typed: Iterable[str], remarks: list[str]) -> tuple[Sort, ...]:
    """The keys in their order, a word that comes again left out."""
    found: dict[str, Sort] = {}
    for each in filter(None, map(str.strip, typed)):
        word = each.removeprefix("-")
        if word not in SORTS:
            remarks.append(unknown("Sorteringen", word, SORTS))
        elif len(found) == MOST_SORTS and word not in found:
            remarks.append(f"Der kan højst sorteres efter {MOST_SORTS} ting; {_shown(word)} er ikke brugt.")
        else:
            found.setdefault(word, Sort(word, each.startswith("-")))
    return tuple(found.values()) or DEFAULT_SORTS


def _grouping(typed: str | None, remarks: list[str]) -> str | None:
    if typed is None or typed in GROUPINGS:
        return typed
    if typed == UNGROUPED:
        return ""
    remarks.append(unknown("Grupperingen", typed, (*GROUPINGS, UNGROUPED)))
    return None


def _whole(typed: str | None, name: str, most: int, remarks: list[str]) -> int | None:
    if typed is None:
        return None
    if not typed.isascii() or not typed.isdigit() or not typed.strip("0"):
        remarks.append(f"{name} skal være et helt tal fra 1; {_shown(typed)} er ikke brugt.")
        return None
    # Compared by length first: a number of four hundred digits is no reason to count that far.
    beyond = len(typed.lstrip("0")) > len(str(most)) or int(typed) > most
    if beyond and name == "pr_side":
        remarks.append(f"Der kan højst vises {most} opgaver pr. side.")
    return most if beyond else int(typed)
