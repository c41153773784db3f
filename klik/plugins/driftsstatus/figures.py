"""Months, figures and their colours: what a number in the status table means, without a database or a clock."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

DENMARK = ZoneInfo("Europe/Copenhagen")
SHORT = ("jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
LONG = (
    *("januar", "februar", "marts", "april", "maj", "juni"),
    *("juli", "august", "september", "oktober", "november", "december"),
)
RED, YELLOW, MET = "roed", "gul", ""
COLOURS = {RED: "Rød", YELLOW: "Gul"}
LARGEST_NUMBER = 2_000_000_000
WHOLE = 10_000  # a hundred percent in hundredths
_ISO = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_NAMED = re.compile(r"([a-zæøå]{3})[a-zæøå]*\.?[ -/]+([0-9]{2}|[0-9]{4})")
_PERCENT = re.compile(r"([0-9]{1,3})(?:[,.]([0-9]{1,2}))?\s*%?")
_NUMBER = re.compile(r"[0-9]{1,3}(?:[. ][0-9]{3})+|[0-9]{1,10}")


def month_of(text: str) -> str | None:
    """ "sep-20", "september 2020" or "2020-09" as "2020-09"; None for anything else."""
    word = text.strip().casefold()
    if _ISO.fullmatch(word):
        return word
    found = _NAMED.fullmatch(word)
    if found is None or found[1] not in SHORT:
        return None
    year = int(found[2]) if len(found[2]) == 4 else 2000 + int(found[2])
    return f"{year}-{SHORT.index(found[1]) + 1:02d}" if 2000 <= year < 2100 else None


def short(month: str) -> str:
    """ "sep-20"."""
    return f"{SHORT[int(month[5:]) - 1]}-{month[2:4]}"


def long(month: str) -> str:
    """ "september 2020"."""
    return f"{LONG[int(month[5:]) - 1]} {month[:4]}"


def moved(month: str, by: int) -> str:
    """The month so many months later (earlier when negative)."""
    number = int(month[:4]) * 12 + int(month[5:]) - 1 + by
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def distance(first: str, last: str) -> int:
    """How many months lie between them."""
    return (int(last[:4]) - int(first[:4])) * 12 + int(last[5:]) - int(first[5:])


def before(today: date) -> str:
    """The last whole month."""
    return moved(f"{today:%Y-%m}", -1)


def twelve(last: str) -> tuple[str, ...]:
    """The twelve months that end with it."""
    return tuple(moved(last, by) for by in range(-11, 1))


def percent_of(text: str) -> int | None:
    """ "98,30 %" as 9830; None for what is no percentage from 0 to 100."""
    found = _PERCENT.fullmatch(text.strip())
    if found is None:
        return None
    value = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
    return value if value <= WHOLE else None


def number_of(text: str) -> int | None:
    """ "91.000.000" as a number; None for what is none."""
    word = text.strip()
    if not _NUMBER.fullmatch(word):
        return None
    value = int(re.sub(r"[. ]", "", word))
    return value if value <= LARGEST_NUMBER else None


def shown(value: int | None, goal: int | None) -> str:
    """A figure as people read it: "98,30 %", or "91.000.000" for what has no goal."""
    if value is None:
        return ""
    if goal is None:
        return f"{value:,}".replace(",", ".")
    return f"{value // 100},{value % 100:02d} %"


def colour(value: int | None, goal: int | None, incidents: Collection[str]) -> str:
    """Red, yellow, or nothing where the goal is met or there is none.

    Below the goal it is red, "systemet var utilgængeligt", unless every incident of the area in that month was
    yellow, "tilgængeligt, men manglede funktionalitet" (the seed's legend; which cell was which it does not tell).
    """
    if value is None or goal is None or value >= goal:
        return MET
    return YELLOW if incidents and all(each == YELLOW for each in incidents) else RED


def begins(month: str) -> datetime:
    """The first moment of the Danish month."""
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=DENMARK).astimezone(UTC)


def touches(month: str, starts_at: datetime, ends_at: datetime | None) -> bool:
    """Whether any of the time lies in the month; what is not mended goes on."""
    return starts_at < begins(moved(month, 1)) and (ends_at is None or ends_at > begins(month))


def reckoned(month: str, stretches: Iterable[tuple[datetime, datetime]]) -> int:
    """The percentage of a month, in hundredths, that is left when these times are taken out of it."""
    first, last = begins(month), begins(moved(month, 1))
    whole = (last - first).total_seconds()
    lost = sum(max(0.0, (min(end, last) - max(start, first)).total_seconds()) for start, end in stretches)
    return max(0, round(WHOLE * (1 - lost / whole)))


def same_day(month: str, day: int) -> date:
    """The day of the month, or its last where it is shorter."""
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, min(day, monthrange(year, number)[1]))
