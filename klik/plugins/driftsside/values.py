"""From what people and files write to what is stored: one way for forms and importers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from klik.plugins import InputError, clean_text, parse_date, search_key
from klik.plugins.driftsside.nouns import MONTHS, OPEN, OTHER_WORDS, Noun, Part

Releases = Mapping[str, int]  # by search_key of their names


def value_of(part: Part, typed: str, releases: Releases) -> Any:
    """What a part's column holds; raises InputError with a Danish sentence that names the part."""
    text = clean_text(
        typed,
        field=part.label,
        limit=part.limit,
        required=part.required,
        lines=part.kind == "tekst",
        tick=False,
    )
    return _READERS.get(part.kind, lambda _part, text, _releases: text)(part, text, releases)


def values_of(noun: Noun, typed: Mapping[str, str], releases: Releases) -> dict[str, Any]:
    """The columns of an entry by what was typed, by the parts' names; raises InputError for the first that is wrong."""
    return {part.column: value_of(part, typed.get(part.name, ""), releases) for part in noun.parts}


def searched(values: Mapping[str, Any]) -> str:
    """All words of an entry, folded."""
    return search_key(" ".join(value for value in values.values() if isinstance(value, str)))


def typed_of(part: Part, value: Any, names: Mapping[int, str]) -> str:
    """What stands in the form for a stored value; ``names`` are the releases'."""
    if value is None:
        return ""
    if part.kind == "release":
        return names.get(value, "")
    return f"{value:%d-%m-%Y}" if isinstance(value, date) else str(value)


def _day(part: Part, text: str, _releases: Releases) -> date | None:
    # The seed's lists say 29-09-2021 00:00.
    try:
        return parse_date(text.removesuffix(" 00:00")) if text else None
    except InputError as error:
        raise InputError(f"{part.label}: {error}") from error


def _choice(part: Part, text: str, _releases: Releases) -> Any:
    wanted = search_key(text)
    found = next(
        (each.value for each in part.choices if wanted in (search_key(each.value), search_key(each.label))),
        next((value for word, value in OTHER_WORDS.items() if search_key(word) == wanted), None),
    )
    if not text and part.column == "state":
        found = OPEN
    if found is None or found not in {each.value for each in part.choices}:
        words = ", ".join(each.label for each in part.choices)
        raise InputError(f"{part.label}: “{text[:40]}” er ikke en mulighed. Vælg {words}.")
    return int(found) if part.column == "month" else found


def _release(part: Part, text: str, releases: Releases) -> int | None:
    if not text:
        return None
    if search_key(text) not in releases:
        raise InputError(f"{part.label}: releasen “{text[:60]}” står ikke i releaseplanen.")
    return releases[search_key(text)]


def _address(part: Part, text: str, _releases: Releases) -> str:
    if text and (not text.startswith("https://") or " " in text):
        raise InputError(f"{part.label} skal begynde med https:// og være uden mellemrum.")
    return text


_READERS = {"dag": _day, "valg": _choice, "release": _release, "adresse": _address}


def month_name(number: int) -> str:
    """November"""
    return MONTHS[number - 1].capitalize()
