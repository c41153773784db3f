"""Dates in Danish words and from Danish words, without any locale setting."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from klik.domain.errors import InputError

DENMARK = ZoneInfo("Europe/Copenhagen")
EARLIEST = date(2000, 1, 1)
LATEST = date(2100, 12, 31)
MONTHS = (
    "januar",
    "februar",
    "marts",
    "april",
    "maj",
    "juni",
    "juli",
    "august",
    "september",
    "oktober",
    "november",
    "december",
)
WEEKDAYS = ("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag")

_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_DANISH = re.compile(r"([0-9]{1,2})[-./]([0-9]{1,2})[-./]([0-9]{4})")
_IN_WORDS = re.compile(r"([0-9]{1,2})\. ?([a-zæøå]+) ([0-9]{4})")
# A plus sign typed straight into a web address arrives as a space.
_RELATIVE = re.compile(r"idag(?:([+ -])([0-9]{1,5}))?")


class DateError(InputError):
    """A text that cannot be read as a date, said in Danish."""


def long_date(day: date) -> str:
    """21. november 2026"""
    return f"{day.day}. {MONTHS[day.month - 1]} {day.year}"


def short_date(day: date) -> str:
    """21-11-2026"""
    return f"{day.day:02d}-{day.month:02d}-{day.year:04d}"


def week(day: date) -> str:
    """uge 47 (ISO 8601, as Danish calendars count)"""
    return f"uge {day.isocalendar().week}"


def weekday(day: date) -> str:
    """lørdag"""
    return WEEKDAYS[day.weekday()]


def days(count: int) -> str:
    """1 dag, 2 dage"""
    return "1 dag" if count == 1 else f"{count} dage"


def relative(day: date, today: date) -> str:
    """How far a day is from today: i dag, i morgen, i går, om 3 dage, for 12 dage siden."""
    distance = (day - today).days
    near = {-1: "i går", 0: "i dag", 1: "i morgen"}
    if distance in near:
        return near[distance]
    return f"om {days(distance)}" if distance > 0 else f"for {days(-distance)} siden"


def day_heading(day: date, today: date) -> str:
    """The heading over what happened on a day: I dag, I går, Mandag 16. november 2026"""
    near = {0: "I dag", 1: "I går"}
    return near.get((today - day).days) or f"{weekday(day).capitalize()} {long_date(day)}"


def clock(moment: datetime) -> str:
    """An aware moment in Danish time: 21. november 2026 kl. 07.00"""
    local = in_denmark(moment)
    return f"{long_date(local.date())} kl. {local:%H.%M}"


def day_begins(day: date) -> datetime:
    """The moment a Danish day begins, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=DENMARK).astimezone(UTC)


def in_denmark(moment: datetime) -> datetime:
    """The same moment on a Danish clock; a moment without a time zone is a programming error (ValueError)."""
    if moment.tzinfo is None:
        raise ValueError("the moment must carry its time zone")
    return moment.astimezone(DENMARK)


def parse_date(text: str) -> date:
    """Read a date typed by a person: 2026-11-21, 21-11-2026, 21.11.2026, 21/11/2026 or 21. november 2026.

    Raises `DateError` for anything else, for days that do not exist, and outside 2000–2100.
    """
    typed = " ".join(text.casefold().split())
    year, month, day = _numbers(typed)
    if not EARLIEST.year <= year <= LATEST.year:
        raise DateError(f"Datoen skal ligge fra {short_date(EARLIEST)} til {short_date(LATEST)}.")
    if not 1 <= month <= 12:
        raise DateError(f"{_quoted(typed)} findes ikke: der er ingen måned {month}.")
    try:
        return date(year, month, day)
    except ValueError:
        length = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
        month_name = MONTHS[month - 1]
        raise DateError(f"{_quoted(typed)} findes ikke: {month_name} {year} har {length} dage.") from None


def parse_date_range(text: str, today: date) -> tuple[date | None, date | None]:
    """Read a date or a range of the filter language into first and last day, both included, None for open.

    `2026-11-21`, `2026-11-01..2026-11-30`, `..2026-11-30`, `2026-11-01..`, and `idag`, `idag+14`, `idag-7`
    in place of any date. Raises `DateError`.
    """
    first_text, dots, last_text = text.strip().partition("..")
    if not dots:
        day = _day(first_text, today)
        return day, day
    first = _day(first_text, today) if first_text.strip() else None
    last = _day(last_text, today) if last_text.strip() else None
    if first is None and last is None:
        raise DateError("Perioden mangler både en første og en sidste dag.")
    if first and last and last < first:
        raise DateError(f"Perioden slutter {short_date(last)}, før den begynder {short_date(first)}.")
    return first, last


def _numbers(typed: str) -> tuple[int, int, int]:
    if found := _ISO.fullmatch(typed):
        year, month, day = found.groups()
    elif found := _DANISH.fullmatch(typed):
        day, month, year = found.groups()
    elif (found := _IN_WORDS.fullmatch(typed)) and found[2] in MONTHS:
        day, month, year = found[1], str(MONTHS.index(found[2]) + 1), found[3]
    elif not typed:
        raise DateError("Datoen mangler. Skriv den som 21-11-2026.")
    else:
        raise DateError(f"{_quoted(typed)} kan ikke læses som en dato. Skriv den som 21-11-2026.")
    return int(year), int(month), int(day)


def _day(text: str, today: date) -> date:
    typed = " ".join(text.casefold().split())
    found = _RELATIVE.fullmatch(typed)
    if not found:
        return parse_date(typed)
    distance = int(found[2] or 0) * (-1 if found[1] == "-" else 1)
    # The difference in days, not a date, so that no number typed can leave the calendar.
    if not (EARLIEST - today).days <= distance <= (LATEST - today).days:
        raise DateError(f"Datoen skal ligge fra {short_date(EARLIEST)} til {short_date(LATEST)}.")
    return today + timedelta(days=distance)


def _quoted(typed: str) -> str:
    return f"“{typed}”" if len(typed) <= 40 else f"“{typed[:39]}…”"
