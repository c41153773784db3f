"""The kinds of file that can be ordered: what people call them and how they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from klik.services import tables

HOUSE = "hus"  # everything a municipality has, of which there is nothing to choose
AT_ONCE = 5_000  # rows of a table that are made while somebody waits


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file; ``most`` tasks fit into one. A ``package`` is of the tasks themselves, else of the list."""

    label: str
    extension: str
    media_type: str
    most: int
    package: bool = False


KINDS: Mapping[str, Kind] = {
    "xlsx": Kind(
        "Excel",
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        tables.MOST_ROWS,
    ),
    "csv": Kind("CSV", "csv", "text/csv; charset=utf-8", tables.MOST_ROWS),
    "zip": Kind("ZIP", "zip", "application/zip", 5_000, package=True),
    "pdf": Kind("PDF samlet", "pdf", "application/pdf", 500, package=True),
    HOUSE: Kind("Hele kommunens indhold", "zip", "application/zip", tables.MOST_ROWS, package=True),
}
