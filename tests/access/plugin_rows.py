"""One row in each of the plug-ins' tables that are no municipality's: everybody signed in may read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.make import NOW

ROWS: Mapping[str, Mapping[str, Any]] = {
    "driftsstatus_figures": {"area": 1, "month": "2026-10", "value": 9_876},
    "driftsstatus_months": {
        "system": "serviceplatformen",
        "month": "2026-10",
        "windows": 1,
        "remarks": "x",
        "version": 1,
    },
    "driftsstatus_incidents": {
        "area": 1,
        "heading": "x",
        "colour": "gul",
        "starts_at": NOW,
        "ends_at": None,
        "seen": "x",
        "cause": "x",
        "mend": "x",
        "solution": "x",
        "planned_on": None,
        "solved": "planlagt",
        "version": 1,
        "person": None,
    },
}
