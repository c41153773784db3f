"""Which answers of a plug-in klik takes: the right type, and no larger than people and pages can bear."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from klik.plugins.contributions import Delivery, Document, ImportReport, ImportRow, Mark

LONGEST_TEXT = 4_000
LONGEST_PANEL = 200_000
LONGEST_DOCUMENT = 5_000_000
MOST_IMPORT_ROWS = 50_000
OUTCOMES = frozenset({"ny", "ændret", "uændret", "fjernet", "forkert"})
LONGEST_MARK = 200
UNKNOWN = "ukendt"
STATES = frozenset({"klar", "paa-vej", "ikke-klar", UNKNOWN})
DELIVERIES = frozenset({"sent", "later", "refused"})


def is_day(answer: Any) -> bool:
    """A day of this century, or None; a datetime is no day."""
    return answer is None or (type(answer) is date and 2000 <= answer.year <= 2100)


def is_text(limit: int = LONGEST_TEXT) -> Callable[[Any], bool]:
    """A text with words in it, no longer than ``limit`` characters."""
    return lambda answer: isinstance(answer, str) and 0 < len(answer) <= limit and bool(answer.strip())


def is_names(answer: Any) -> bool:
    """What a template is rendered with: values by name."""
    return isinstance(answer, Mapping) and all(isinstance(name, str) for name in answer)


def is_panel(answer: Any) -> bool:
    """A rendered panel, None where it does not apply."""
    return answer is None or (isinstance(answer, str) and len(answer) <= LONGEST_PANEL)


def is_marks(answer: Any) -> bool:
    """How municipalities stand: a mark of a few words by code."""
    return (
        isinstance(answer, Mapping)
        and len(answer) <= 1_000
        and all(type(code) is int and _is_mark(mark) for code, mark in answer.items())
    )


def _is_mark(mark: Any) -> bool:
    return isinstance(mark, Mark) and mark.state in STATES and is_text(LONGEST_MARK)(mark.text)


def is_delivery(answer: Any) -> bool:
    """What became of a message."""
    return (
        isinstance(answer, Delivery)
        and answer.outcome in DELIVERIES
        and isinstance(answer.reply, str)
        and len(answer.reply) <= LONGEST_TEXT
    )


def is_document(answer: Any) -> bool:
    """What is to be printed."""
    return (
        isinstance(answer, Document)
        and is_text(200)(answer.title)
        and isinstance(answer.subtitle, str)
        and len(answer.subtitle) <= LONGEST_TEXT
        and isinstance(answer.html, str)
        and len(answer.html) <= LONGEST_DOCUMENT
        and is_text(120)(answer.file_name)
        and answer.file_name.endswith(".pdf")
    )


def is_report(answer: Any) -> bool:
    """What an import did, row by row."""
    return (
        isinstance(answer, ImportReport)
        and isinstance(answer.rows, tuple)
        and len(answer.rows) <= MOST_IMPORT_ROWS
        and all(_is_row(row) for row in answer.rows)
        and isinstance(answer.sentences, tuple)
        and len(answer.sentences) <= 100
        and all(is_text()(sentence) for sentence in answer.sentences)
    )


def _is_row(row: Any) -> bool:
    return (
        isinstance(row, ImportRow)
        and type(row.number) is int
        and row.outcome in OUTCOMES
        and isinstance(row.text, str)
        and len(row.text) <= LONGEST_TEXT
    )
