"""A municipality's whole content as an open package ("Hele huset med hjem"), written and read in again."""

from __future__ import annotations

from klik.services.house_package.opening import Opened, opened
from klik.services.house_package.reading import Counts, Report, read_in
from klik.services.house_package.writing import FORMAT, Written, collect, may_take, task_ids, write

__all__ = [
    "FORMAT",
    "Counts",
    "Opened",
    "Report",
    "Written",
    "collect",
    "may_take",
    "opened",
    "read_in",
    "task_ids",
    "write",
]
