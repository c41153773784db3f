"""KOMBIT announces that tasks will be deleted; municipalities take them home, and nothing goes unproven.

varslet → hentet → kvitteret → arkiveret → slettet, one item a municipal task; triggers hold the order too.
"""

from __future__ import annotations

from klik.services.deleting.announcing import (
    BASIS_LIMIT,
    DECIDED_BY_LIMIT,
    HEADING_LIMIT,
    LEAST_DAYS,
    NOTE_LIMIT,
    Draft,
    announce,
    check,
    first_legal_day,
    postpone,
    regret,
)
from klik.services.deleting.due import delete_due
from klik.services.deleting.holds import ask_to_keep, decide_hold
from klik.services.deleting.notices import note_notified, remind
from klik.services.deleting.progress import Standing, standing
from klik.services.deleting.receipts import CASE_NUMBER_LIMIT, note_fetched, receipt
from klik.services.deleting.selection import Preview, Selection, preview

__all__ = [
    "BASIS_LIMIT",
    "CASE_NUMBER_LIMIT",
    "DECIDED_BY_LIMIT",
    "HEADING_LIMIT",
    "LEAST_DAYS",
    "NOTE_LIMIT",
    "Draft",
    "Preview",
    "Selection",
    "Standing",
    "announce",
    "ask_to_keep",
    "check",
    "decide_hold",
    "delete_due",
    "first_legal_day",
    "note_fetched",
    "note_notified",
    "postpone",
    "preview",
    "receipt",
    "regret",
    "remind",
    "standing",
]
