"""Tasks taken home as files made in the background: ordered, made with progress, fetched, and forgotten.

What can be made stands in ``KINDS``. Rights are those of the moment the file is made. A worker that dies leaves its
lease behind, and the next one goes on: PDFs that are drawn are kept by their content. A fence keeps the first from
writing over the second.
"""

from klik.services.exports.contents import Contents, contents_of, in_words
from klik.services.exports.fetching import (
    Inventory,
    fetch,
    folder_in,
    inventory,
    is_there,
    manifest,
    note_fetched,
    path_of,
    receipts,
    sweep,
)
from klik.services.exports.kinds import AT_ONCE, HOUSE, KINDS, Kind
from klik.services.exports.ordering import MOST_WAITING, cancel, order, visible_ids
from klik.services.exports.running import run_waiting, waits
from klik.services.exports.states import (
    CANCELLED,
    DONE,
    FAILED,
    KEPT,
    LEASE,
    RUNNING,
    STATES,
    WAITING,
    ExportCancelledError,
    Progress,
    progress,
)

__all__ = [
    "AT_ONCE",
    "CANCELLED",
    "DONE",
    "FAILED",
    "HOUSE",
    "KEPT",
    "KINDS",
    "LEASE",
    "MOST_WAITING",
    "RUNNING",
    "STATES",
    "WAITING",
    "Contents",
    "ExportCancelledError",
    "Inventory",
    "Kind",
    "Progress",
    "cancel",
    "contents_of",
    "fetch",
    "folder_in",
    "in_words",
    "inventory",
    "is_there",
    "manifest",
    "note_fetched",
    "order",
    "path_of",
    "progress",
    "receipts",
    "run_waiting",
    "sweep",
    "visible_ids",
    "waits",
]
