"""Naming people in a comment: typed as "@Mette Holm", stored by id as "@[12]", so that a new name changes nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from klik.domain.errors import InputError

_STORED = re.compile(r"@\[(\d{1,10})\]")


class AmbiguousMentionError(InputError):
    """A name was typed that several people have."""


@dataclass(frozen=True, slots=True)
class Mentionable:
    """Somebody who can be named; ``written`` is the name, with the address where another has the same name."""

    id: int
    name: str
    written: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a comment; ``person_id`` where it names somebody ("@Mette Holm")."""

    text: str
    person_id: int | None = None


def mentionables(people: Iterable[tuple[int, str, str]]) -> tuple[Mentionable, ...]:
    """People as (id, name, address) in the form they are written in."""
    people = tuple(people)
    same = Counter(name.casefold() for _id, name, _address in people)
    return tuple(
        Mentionable(number, name, f"{name} ({address})" if same[name.casefold()] > 1 else name)
        for number, name, address in people
    )


def to_stored(typed: str, people: Iterable[Mentionable]) -> str:
    """The text with each "@name" of these people by id; other "@" stay as typed.

    Case does not matter, the longest name wins, and a name ends where its word ends. Raises
    AmbiguousMentionError for a name that several have, typed without the address.
    """
    people = tuple(people)
    forms = {each.written.casefold(): each for each in people}
    doubtful = {each.name.casefold() for each in people if each.written != each.name}
    words = sorted({each.written for each in people} | {each.name for each in people}, key=len, reverse=True)
    # What looks like a stored mention but was typed is no mention.
    typed = _STORED.sub(r"@ [\1]", typed)
    if not words:
        return typed
    pattern = rf"(?<![\w@.])@({'|'.join(map(re.escape, words))})(?!\w)"

    def by_id(found: re.Match[str]) -> str:
        key = found[1].casefold()
        if key in forms:
            return f"@[{forms[key].id}]"
        if key in doubtful:
            raise AmbiguousMentionError(
                f"Flere hedder “{found[1]}”. Skriv også mailadressen, som den står på listen."
            )
        return found[0]

    return re.sub(pattern, by_id, typed, flags=re.IGNORECASE)


def to_written(stored: str, written: Mapping[int, str]) -> str:
    """The text as it is typed and read, with the people's names as they are now."""
    return _STORED.sub(lambda found: f"@{written.get(int(found[1]), 'ukendt')}", stored)


def mentioned(stored: str) -> tuple[int, ...]:
    """The people a stored text names, each once, in order."""
    return tuple(dict.fromkeys(int(number) for number in _STORED.findall(stored)))


def pieces(stored: str, names: Mapping[int, str]) -> tuple[Piece, ...]:
    """The text cut into what names somebody and what does not."""
    found: list[Piece] = []
    start = 0
    for match in _STORED.finditer(stored):
        found.append(Piece(stored[start : match.start()]))
        number = int(match[1])
        found.append(Piece(f"@{names.get(number, 'ukendt')}", number))
        start = match.end()
    found.append(Piece(stored[start:]))
    return tuple(piece for piece in found if piece.text)
