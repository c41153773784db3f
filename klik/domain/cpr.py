"""Finding CPR numbers in text, so that nobody stores one in klik by mistake."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

MASK = "xxxxxx-xxxx"

# Six digits, perhaps a dash or a space, four digits; not inside a longer number, word, amount or version.
# A comma between two numbers of a list is no decimal comma.
_SHAPE = re.compile(
    r"(?:(?<![^\W_])|(?<=cpr))(?<!\d[./-])(?:(?<!\d,)|(?<=\d{4},))"
    r"(\d{2})(\d{2})(\d{2})( ?[-–—‐−] ?| )?(\d)(\d{3})(?![^\W_])(?![.,]\d\d?(?!\d))",
    re.IGNORECASE,
)
# What a number written in one piece is more likely to be when one of these words stands before it.
_OTHER_NUMBER = re.compile(
    r"\b(?:p-?\s?n(?:r|ummer)|(?:cvr|ean|journal|sag|sags|sags-?id)(?:[- ]?n(?:r|ummer))?|sagen|gln"
    r"|(?:kundenummer|produktionsenhed|tlf|telefon|mobil|ordre|faktura|konto)\w*)\.?\s*:?\s*(?:\d{4}\s+)?$",
    re.IGNORECASE,
)
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_WORDS_BEFORE = 30
_WEIGHTS = (4, 3, 2, 7, 6, 5, 4, 3, 2, 1)


@dataclass(frozen=True, slots=True)
class Span:
    """Where a CPR number stands: `text[start:end]`; the digits themselves are not kept.

    `likely` tells that the check digit fits too. Numbers given out since 2007 need not have one that fits, so
    it only raises confidence.
    """

    start: int
    end: int
    likely: bool = field(default=False)


def find(text: str) -> list[Span]:
    """Every CPR number in the text, first to last: ten digits whose first six are a real date of birth."""
    plain = text if text.isascii() else _FOREIGN.sub(lambda found: _plain(found[0]), text)
    spans = []
    for found in _SHAPE.finditer(plain):
        day, month, year, divider, century, rest = found.groups()
        if not _is_date(int(day), int(month), _full_year(int(year), int(century))):
            continue
        before = plain[max(0, found.start() - _WORDS_BEFORE) : found.start()]
        if not divider and _OTHER_NUMBER.search(before):
            continue
        spans.append(Span(found.start(), found.end(), _check_digit_fits(day + month + year + century + rest)))
    return spans


def mask(text: str) -> str:
    """The text with every CPR number replaced by xxxxxx-xxxx."""
    masked = text
    for span in reversed(find(text)):
        masked = masked[: span.start] + MASK + masked[span.end :]
    return masked


def _plain(character: str) -> str:
    """One character for one, so that positions in the plain text are positions in the text."""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character


def _full_year(year: int, century: int) -> int:
    """The year of birth: the seventh digit tells the century (the CPR office's table)."""
    if century <= 3 or (century in {4, 9} and year >= 37):
        return 1900 + year
    if century in {4, 9} or year <= 57:
        return 2000 + year
    return 1800 + year


def _is_date(day: int, month: int, year: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _check_digit_fits(digits: str) -> bool:
    return sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, digits, strict=True)) % 11 == 0
