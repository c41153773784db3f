"""The states of a file that somebody ordered, how far it is, and how long things last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from klik.models import Export

KEPT = timedelta(days=7)
LEASE = timedelta(minutes=1)
WAITING, RUNNING, DONE, FAILED, CANCELLED = "venter", "i-gang", "faerdig", "fejlet", "annulleret"
STATES: Mapping[str, str] = {
    WAITING: "Venter på tur",
    RUNNING: "Bliver lavet",
    DONE: "Klar",
    FAILED: "Mislykkedes",
    CANCELLED: "Annulleret",
}


class ExportCancelledError(Exception):
    """Whoever ordered the file has cancelled it, or another worker has taken it over."""


class ImpossibleError(Exception):
    """The file cannot be made; the text is a Danish sentence for whoever ordered it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a file is: whole per cent, and about how many seconds are left where that can be said."""

    percent: int
    seconds_left: int | None


def progress(export: Export, now: datetime) -> Progress:
    """How far it is, and how long it takes at the pace so far."""
    if export.state == DONE:
        return Progress(100, 0)
    if not export.total:
        return Progress(0, None)
    # The last per cent is putting the file together.
    percent = min(99, export.done * 100 // export.total)
    if export.state != RUNNING or not export.done or export.started_at is None:
        return Progress(percent, None)
    spent = (now - export.started_at).total_seconds()
    return Progress(percent, max(1, round(spent * (export.total - export.done) / export.done)))
