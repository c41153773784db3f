"""The words a task's fields and values are shown with: on the page, in the history and in the PDF."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from klik.domain.calendar import long_date
from klik.plugins.contributions import ExtraField
from klik.plugins.manager import Registry

NOTHING = "Ingen"
LOCAL_TEXT_LIMIT = 20_000

# Field → the word people read; also the names of a TaskChange's field.
FIELDS: Mapping[str, str] = {
    "status": "Status",
    "not_relevant_reason": "Begrundelse",
    "responsible": "Ansvarlig",
    "executor": "Udfører",
    "deadline": "Deadline",
    "title": "Titel",
    "local_text": "Beskrivelse",
    "phase": "Fase",
    "theme": "Tema",
    "priority": "Prioritet",
    "start_date": "Startdato",
    "file": "Fil",
    "kombit_file": "Fil fra KOMBIT",
    "checklist": "Tjekliste",
    "created": "Oprettet",
    "infrastructure": "STS/Infrastruktur",
    "version": "KOMBITs opgave",
    "deviation": "Afvigelse fra KOMBIT",
    "withdrawn": "Trukket tilbage",
}

# The texts of a version, in the order they are read (KOMBIT's STS handbook: every task has the same headings).
TEXTS: tuple[tuple[str, str], ...] = (
    ("purpose", "Formål"),
    ("description", "Beskrivelse"),
    ("prerequisites", "Forudsætninger"),
    ("how_to", "Sådan løses opgaven"),
    ("result", "Resultat"),
    ("material", "Hjælpemateriale"),
    ("contact", "Kontakt"),
)


def field_word(registry: Registry, field: str) -> str:
    """The word for a field; a plug-in's field that is gone keeps its key."""
    extra = registry.extra_fields.get(field)
    return extra.label if extra else FIELDS.get(field, field)


def day_word(day: date | None) -> str:
    """A date in words, or "Ingen"."""
    return long_date(day) if day else NOTHING


def choice_word(extra: ExtraField, value: str) -> str:
    """The label of a plug-in field's value; free text and values no longer offered stand as they are."""
    return next((choice.label for choice in extra.choices if choice.value == value), value)
