"""What two people wrote of one entry at the same time, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from klik.plugins import long_date
from klik.plugins.driftsside.entries import Entry
from klik.plugins.driftsside.nouns import Noun, Part

NOTHING = "Intet"


@dataclass(frozen=True, slots=True)
class Difference:
    """One part in words: what is stored now, and what was typed."""

    label: str
    stored: str
    typed: str


def differences(
    noun: Noun, entry: Entry, typed: Mapping[str, Any], releases: Mapping[str, int]
) -> tuple[Difference, ...]:
    """Every part whose stored value is another than the typed one; ``typed`` by column, ``releases`` by name."""
    names = {number: name for name, number in releases.items()}
    return tuple(
        Difference(
            part.label,
            _words(part, getattr(entry, part.column), names),
            _words(part, typed[part.column], names),
        )
        for part in noun.parts
        # What was never written is empty or nothing, and reads the same.
        if (getattr(entry, part.column) or None) != (typed[part.column] or None)
    )


def _words(part: Part, value: Any, names: Mapping[int, str]) -> str:
    if value is None or value == "":
        return NOTHING
    if part.kind == "release":
        return names[value]
    if part.kind == "valg":
        return next(each.label for each in part.choices if each.value == str(value))
    return long_date(value) if isinstance(value, date) else str(value)
