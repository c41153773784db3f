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
from klik.services.deleting.holds import ask_to_keep, ask_to_keep_all, decide_hold, decide_holds
from klik.services.deleting.nudging import SUBJECT_LIMIT, TEXT_LIMIT, nudge
from klik.services.deleting.previewing import Preview, preview
from klik.services.deleting.progress import Standing, standing
from klik.services.deleting.reaching import note_notified
from klik.services.deleting.receipts import CASE_NUMBER_LIMIT, note_fetched, note_fetched_all, receipt
from klik.services.deleting.reminding import remind
from klik.services.deleting.selection import Selection

__all__ = [
    "BASIS_LIMIT",
    "CASE_NUMBER_LIMIT",
    "DECIDED_BY_LIMIT",
    "HEADING_LIMIT",
    "LEAST_DAYS",
    "NOTE_LIMIT",
    "SUBJECT_LIMIT",
    "TEXT_LIMIT",
    "Draft",
    "Preview",
    "Selection",
    "Standing",
    "announce",
    "ask_to_keep",
    "ask_to_keep_all",
    "check",
    "decide_hold",
    "decide_holds",
    "first_legal_day",
    "note_fetched",
    "note_fetched_all",
    "note_notified",
    "nudge",
    "postpone",
    "preview",
    "receipt",
    "regret",
    "remind",
    "standing",
]
