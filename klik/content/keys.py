"""The keys a content file may have, and how each value is read and checked."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from klik.domain.errors import InputError
from klik.domain.markdown import check_markdown
from klik.domain.texts import clean

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LIST_LIMIT = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in one content file; `key` is empty when it concerns the whole file."""

    file: str
    key: str
    sentence: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.key, self.sentence) if part)


class ContentValueError(InputError):
    """What is wrong with one value, said in Danish."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a content file: its Danish name without æøå, how its value is read, and if it must be there.

    `default` is what a missing optional key gives.
    """

    name: str
    read: Callable[[Any], Any]
    required: bool = True
    default: Any = None


def read_table(table: Mapping[str, Any], keys: Iterable[Key]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The values of a TOML table by key, and every problem as (key, Danish sentence).

    Values with a problem are left out, so the table is complete only when there are no problems.
    """
    known = {key.name: key for key in keys}
    problems = [(name, _unknown(name, known)) for name in table if name not in known]
    values: dict[str, Any] = {}
    for key in known.values():
        if key.name not in table:
            if key.required:
                problems.append((key.name, "nøglen mangler."))
            else:
                values[key.name] = key.default
            continue
        try:
            values[key.name] = key.read(table[key.name])
        except InputError as problem:
            problems.append((key.name, str(problem)))
    return values, problems


def text(limit: int, *, lines: bool = False) -> Callable[[Any], str]:
    """Reads a text that is not empty, of at most `limit` characters."""

    def read(value: Any) -> str:
        _must_be(value, str, "en tekst i anførselstegn")
        return clean(value, field="teksten", limit=limit, required=True, lines=lines)

    return read


def markdown(value: Any) -> str:
    """Reads a text in Markdown within the limits of `check_markdown`."""
    _must_be(value, str, "en tekst i anførselstegn")
    # The limit on characters is told by check_markdown, together with the other measures.
    stored = clean(value, field="teksten", limit=len(value), required=True, lines=True)
    check_markdown(stored, "teksten")
    return stored


def slug(value: Any) -> str:
    """Reads a short name for addresses: a–z, 0–9 and hyphens."""
    _must_be(value, str, "en tekst i anførselstegn")
    if not SLUG.fullmatch(value) or len(value) > 80:
        raise ContentValueError(
            f"“{value[:40]}” må kun bestå af a-z, 0-9 og enkelte bindestreger (højst 80 tegn)."
        )
    return value


def number(lowest: int, highest: int) -> Callable[[Any], int]:
    """Reads a whole number from `lowest` to `highest`."""

    def read(value: Any) -> int:
        _must_be(value, int, "et helt tal uden anførselstegn")
        if not lowest <= value <= highest:
            raise ContentValueError(f"tallet skal ligge fra {lowest} til {highest}; der står {value}.")
        return value

    return read


def yes_or_no(value: Any) -> bool:
    """Reads true or false."""
    _must_be(value, bool, "true (ja) eller false (nej)")
    return value


def choice(kind: type[StrEnum]) -> Callable[[Any], Any]:
    """Reads one of the values of `kind`."""

    def read(value: Any) -> StrEnum:
        _must_be(value, str, "en tekst i anførselstegn")
        try:
            return kind(value)
        except ValueError:
            allowed = " eller ".join(f"“{member}”" for member in kind)
            raise ContentValueError(f"“{value[:40]}” kendes ikke; skriv {allowed}.") from None

    return read


def several(read_one: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads a list in which each value is read by `read_one` and none stands twice."""

    def read(value: Any) -> tuple[Any, ...]:
        _must_be(value, list, "en liste i kantede parenteser")
        if len(value) > LIST_LIMIT:
            raise ContentValueError(f"listen har {len(value)} punkter, højst {LIST_LIMIT}.")
        found: list[Any] = []
        for place, item in enumerate(value, start=1):
            try:
                found.append(read_one(item))
            except InputError as problem:
                raise ContentValueError(f"punkt {place}: {problem}") from None
            if found[-1] in found[:-1]:
                raise ContentValueError(f"punkt {place}: “{found[-1]}” står der to gange.")
        return tuple(found)

    return read


def nearest(name: str, known: Iterable[str]) -> str:
    """What was probably meant: the nearest known name, or all of them."""
    names = sorted(known)
    if close := difflib.get_close_matches(name, names, n=1):
        return f"Mente du “{close[0]}”?"
    return f"Der kan stå: {', '.join(names)}."


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"nøglen kendes ikke. {nearest(name, known)}"


_KINDS = {
    str: "en tekst",
    bool: "ja/nej",
    int: "et helt tal",
    float: "et kommatal",
    list: "en liste",
    dict: "et afsnit",
}


def _must_be(value: Any, kind: type, wanted: str) -> None:
    # type(), not isinstance(): in Python true is a whole number too.
    if type(value) is not kind:
        raise ContentValueError(f"skal være {wanted}; der står {_KINDS.get(type(value), 'en dato')}.")
