"""The code printed on an exported file: which letters it has, what gives it, and how it is typed from paper."""

from __future__ import annotations

import re
import secrets

from klik.domain.errors import InputError

# Letters and digits that nobody confuses when they are read aloud or typed from paper.
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS, GROUP = 3, 4
LENGTH = GROUPS * GROUP
ABSENT = "0, O, 1, I, L og U"
# As it stands in the bytes of a file: in the hyphened form only.
IN_BYTES = re.compile(
    rb"(?<![0-9A-Za-z-])[%b]{4}-[%b]{4}-[%b]{4}(?![0-9A-Za-z-])" % ((LETTERS.encode(),) * GROUPS)
)
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015\u2212._]+")


class CodeError(InputError):
    """What was typed cannot be a code; says in Danish why."""


def written(letters: str) -> str:
    """Twelve letters in the three groups people read: "7KQF-M3ZP-2R8W"."""
    return "-".join(letters[start : start + GROUP] for start in range(0, LENGTH, GROUP))


def of(content_key: str) -> str:
    """The code of what has this hash (hexadecimal digits): the same content has the same code."""
    number = int(content_key[:32], 16)
    letters = ""
    for _ in range(LENGTH):
        number, place = divmod(number, len(LETTERS))
        letters += LETTERS[place]
    return written(letters)


def anew() -> str:
    """A code nobody has had, for what is not known by its content."""
    return written("".join(secrets.choice(LETTERS) for _ in range(LENGTH)))


def read(typed: str) -> str:
    """The code somebody typed, in its printed form; case, spaces and any kind of hyphen do not matter.

    Raises CodeError. Look-alikes are told and not guessed at: none of the two that look alike is in a code.
    """
    letters = _BETWEEN.sub("", typed).upper()
    if not letters:
        raise CodeError("Skriv koden, som den står på filen, fx 7KQF-M3ZP-2R8W.")
    strange = sorted({letter for letter in letters if letter not in LETTERS})
    if strange and all(letter in "0O1ILU" for letter in strange):
        found = ", ".join(f"“{letter}”" for letter in strange)
        raise CodeError(
            f"Koden kan ikke indeholde {found}. Tegnene {ABSENT} bruges aldrig, fordi de forveksles. "
            "Se efter på filen, om det fx er Q, D, 7, J eller V."
        )
    if strange:
        raise CodeError("Koden består kun af bogstaver og tal, fx 7KQF-M3ZP-2R8W.")
    if len(letters) != LENGTH:
        raise CodeError(f"Koden har {LENGTH} tegn, fx 7KQF-M3ZP-2R8W; der er skrevet {len(letters)}.")
    return written(letters)
