"""Municipalities as people write them: with or without "Kommune", å or aa, a hyphen, a genitive s, or the code.

A list copied from Excel or a mail may hold codes and names in any mix, on lines or between commas, semicolons
and tabs. Formal names end in " Kommune" but for Københavns Kommune and Bornholms Regionskommune, and two short
names are genitives already (Vesthimmerlands, Nordfyns).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from klik.domain.texts import slug

LONGEST = 80
_SEPARATORS = re.compile(r"[\n\r\t,;|]+|\s+og\s+", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-–•*·]+|\d{1,2}[.)])\s+")
_CODES = re.compile(r"\d{3}(?:\s+\d{3})+")
_BOTH = re.compile(r"\(?(\d{3})\)?[\s:.–-]+(\D.*)|(\D.*?)[\s:(–-]+(\d{3})\)?")
_FORMAL = {"København": "Københavns Kommune", "Bornholm": "Bornholms Regionskommune"}
_WORDS = frozenset({"kommune", "kommunen", "regionskommune", "kommunes"})
_QUOTES = " \"'“”„.:"


@dataclass(frozen=True, slots=True)
class Stranger:
    """Something that names no municipality, and the name it is nearest to (empty: none is near)."""

    text: str
    nearest: str

    @property
    def sentence(self) -> str:
        """What is said of it."""
        return f"“{self.text}” kendes ikke." + (f" Mente du {self.nearest}?" if self.nearest else "")


@dataclass(frozen=True, slots=True)
class Understood:
    """What a list came to: codes ascending, how many stood there more than once, and what was not understood."""

    codes: tuple[int, ...]
    repeated: int
    strangers: tuple[Stranger, ...]


def formal(name: str) -> str:
    """ "Køge Kommune" of "Køge": as the municipality writes itself, with the two that write it otherwise."""
    return _FORMAL.get(name, f"{name} Kommune")


def name_key(name: str) -> str:
    """The same for every way of writing a municipality's name; "" for what holds no name."""
    words = [word for word in slug(name).split("-") if word not in _WORDS]
    return "".join(words).removesuffix("s")


def understand(text: str, names: Mapping[int, str]) -> Understood:
    """Read a list of municipalities; ``names`` are those there are, by code.

    Code and name of one municipality on a line are one mention. A region beside them is the sheet's next column.
    """
    by_key = {name_key(name): code for code, name in names.items()}
    mentions: list[int] = []
    strangers: dict[str, Stranger] = {}
    for line in text.splitlines():
        read = {part: _code(part, by_key, names) for part in _parts(line)}
        here = {code for code in read.values() if code is not None}
        mentions += here
        for part, code in read.items():
            if code is None and not (here and slug(part).startswith("region-")):
                strangers.setdefault(part.casefold(), Stranger(part[:LONGEST], _nearest(part, names)))
    codes = tuple(sorted(set(mentions)))
    return Understood(codes, len(mentions) - len(codes), tuple(strangers.values()))


def _parts(line: str) -> Iterator[str]:
    for cell in _SEPARATORS.split(_BULLET.sub("", line)):
        bare = _BULLET.sub("", cell).strip(_QUOTES)
        yield from bare.split() if _CODES.fullmatch(bare) else [bare] * bool(bare)


def _code(part: str, by_key: Mapping[str, int], names: Mapping[int, str]) -> int | None:
    if part.isascii() and part.isdigit():
        return int(part) if len(part) <= 4 and int(part) in names else None
    if code := by_key.get(name_key(part)):
        return code
    if both := _BOTH.fullmatch(part):
        code = int(both[1] or both[4])
        # A code beside another municipality's name is a slip of the pen, and nobody can say of which.
        return code if by_key.get(name_key(both[2] or both[3])) == code else None
    return None


def _nearest(part: str, names: Mapping[int, str]) -> str:
    keys = {name_key(name): name for name in names.values()}
    close = difflib.get_close_matches(name_key(re.sub(r"\d+", "", part)), keys, n=1, cutoff=0.6)
    return keys[close[0]] if close else ""


def listed(names: Iterable[str], most: int = 6) -> str:
    """ "Køge, Læsø og Aarhus"; of many the first, and how many more."""
    there = list(names)
    if len(there) > most:
        there = [*there[: most - 1], f"{len(there) - most + 1} til"]
    return " og ".join(part for part in (", ".join(there[:-1]), *there[-1:]) if part)
