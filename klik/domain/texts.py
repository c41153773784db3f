"""Text typed by people: cleaned for storing, and folded into keys for searching, sorting and naming."""

import re
import unicodedata

from klik.domain.errors import InputError

# Characters that reverse or embed the direction of what follows, so that a text reads as another.
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_BREAKS = re.compile("\r\n|[\r\n\u000b\u000c\u0085\u2028\u2029]")
_RESERVED_FILE_NAMES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
_ALPHABET = "abcdefghijklmnopqrstuvwxyzæøå"
_NUMBER_OR_CHARACTER = re.compile(r"[0-9]+|.", re.DOTALL)


class TextError(InputError):
    """A text that cannot be stored, said in Danish with the field's name."""


def clean(text: str, *, field: str, limit: int, required: bool = False, lines: bool = False) -> str:
    """The text as it is stored: NFC, trimmed, line breaks as \\n; `limit` in characters.

    Raises `TextError` naming `field` (its Danish label) for an empty required text, too many characters, more
    than one line where `lines` is False, and characters no database, mail or spreadsheet carries safely.
    """
    stored = _LINE_BREAKS.sub("\n", text).strip().strip("\ufeff").strip()
    # Composing shortens a text to a third at most: far too long a text is not looked at letter by letter.
    if len(stored) > 4 * limit:
        raise _too_long(stored, field, limit)
    for position, character in enumerate(stored, start=1):
        if _is_refused(character):
            raise TextError(
                f"{field} indeholder et tegn, der ikke kan gemmes (tegn nr. {position}). Slet tegnet."
            )
    stored = unicodedata.normalize("NFC", stored)
    if stored and all(unicodedata.category(character) in {"Cf", "Zs", "Cc", "Mn"} for character in stored):
        raise TextError(f"{field} indeholder kun usynlige tegn. Skriv en tekst, der kan ses.")
    if required and not stored:
        raise TextError(f"{field} skal udfyldes.")
    if len(stored) > limit:
        raise _too_long(stored, field, limit)
    if not lines:
        if "\n" in stored:
            raise TextError(f"{field} må kun fylde én linje.")
        stored = stored.replace("\t", " ")
    return stored


def search_key(text: str) -> str:
    """The text folded for searching: no case, no accents, å as aa, one space between words; æ and ø stay."""
    return " ".join(_folded(text).replace("å", "aa").split())


def sort_key(text: str) -> str:
    """A key of digits only that any database sorts the Danish way, whatever its collation.

    a–z, æ, ø, å; aa counts as å, ä as æ, ö as ø and ü as y (the Danish spelling dictionary's order); no case;
    numbers by size; everything between words as one space. Two or more digits a character.
    """
    composed = unicodedata.normalize("NFC", text)
    letters = _folded(composed.translate(_DANISH_EQUIVALENTS)).replace("aa", "å")
    words = "".join(character if character.isalnum() else " " for character in letters).split()
    return "".join(_weight(part) for part in _NUMBER_OR_CHARACTER.findall(" ".join(words)))


def slug(text: str, limit: int = 80) -> str:
    """For addresses and keys: a–z, 0–9 and single hyphens; æ as ae, ø as oe, å as aa. Can be empty."""
    spelled = _folded(text).replace("æ", "ae").replace("ø", "oe").replace("å", "aa")
    return re.sub(r"[^a-z0-9]+", "-", spelled).strip("-")[:limit].rstrip("-")


def file_name(name: str, extension: str, limit: int = 120) -> str:
    """A file name every system accepts, readable and with Danish letters: `MI 15 Udarbejd roller.pdf`.

    `limit` is in characters, the extension included.
    """
    kept = "".join(
        character if character.isalnum() or character in " .,()_-" else " "
        for character in unicodedata.normalize("NFC", name)
    )
    stem = " ".join(kept.split())[: limit - len(extension) - 1].strip(" .")
    if not stem or _RESERVED_FILE_NAMES.fullmatch(stem):
        stem = f"fil {stem}".strip()
    return f"{stem}.{extension}"


# Letters of the neighbours that the Danish alphabet places among its own.
_DANISH_EQUIVALENTS = str.maketrans({"ä": "æ", "Ä": "æ", "ö": "ø", "Ö": "ø", "ü": "y", "Ü": "y"})


def _folded(text: str) -> str:
    """No case, no accents, no compatibility forms, å as one letter."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    with_ring = decomposed.replace("a\u030a", "å")
    return "".join(
        character for character in with_ring if unicodedata.category(character) not in {"Mn", "Cf"}
    )


def _weight(part: str) -> str:
    if part == " ":
        return "10"
    if part[0] in "0123456789":
        # The count of digits before the digits: 9 before 10, and no number too long to be padded.
        digits = (part.lstrip("0") or "0")[:99]
        return f"20{len(digits):02d}{digits}"
    place = _ALPHABET.find(part)
    return f"{30 + place}" if place >= 0 else f"70{ord(part):07d}"


def _too_long(stored: str, field: str, limit: int) -> TextError:
    return TextError(f"{field} må højst fylde {_count(limit)} tegn; du har skrevet {_count(len(stored))}.")


def _is_refused(character: str) -> bool:
    if character in "\n\t":
        return False
    if unicodedata.category(character) in {"Cc", "Cs"} or character in _DIRECTION:
        return True
    return ord(character) & 0xFFFE == 0xFFFE  # not characters at all; XML, and so Excel, refuses them


def _count(number: int) -> str:
    return f"{number:,}".replace(",", ".")
