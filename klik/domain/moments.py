"""A moment typed by a Dane: "mandag kl. 8", "i morgen kl. 9.30", "23-11-2026 kl. 08.00"."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from klik.domain.calendar import DENMARK, MONTHS, WEEKDAYS, in_denmark, parse_date, weekday
from klik.domain.errors import InputError

EXAMPLE = "Skriv fx “mandag kl. 8” eller “23-11-2026 kl. 08.00”."
MORNING = time(8)

_TIME = re.compile(r"(?:^|\s)(?:kl(?:okken)?\.?\s*)?([0-9]{1,2})(?:[.:]([0-9]{2}))?$")
_NEAR = {"i dag": 0, "idag": 0, "i morgen": 1, "imorgen": 1}


class MomentError(InputError):
    """A text that cannot be read as a coming moment, said in Danish."""


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment typed, in Danish time, as an aware moment in UTC; it lies after ``now``.

    A day of the week is the next one whose hour has not passed. Raises MomentError, and DateError for a date that
    does not exist.
    """
    typed = " ".join(text.casefold().split()).replace(",", "")
    found = _TIME.search(typed)
    words = typed[: found.start()].strip() if found else typed
    if not typed:
        raise MomentError(f"Tidspunktet mangler. {EXAMPLE}")
    if found is None or not words:
        missing = "dag" if found else "klokkeslæt"
        raise MomentError(f"“{text.strip()[:40]}” mangler {missing}. {EXAMPLE}")
    hour, minute = int(found[1]), int(found[2] or 0)
    if hour > 23 or minute > 59:
        raise MomentError(f"Klokken {hour}.{minute:02d} findes ikke.")
    return _coming(words, time(hour, minute), now)


def monday_morning(now: datetime) -> datetime:
    """The next Monday at 8 in Denmark."""
    return _next_weekday(0, MORNING, now)


def moment_words(moment: datetime) -> str:
    """ "mandag 23. november kl. 08.00", without the year: for a moment in the coming weeks."""
    local = in_denmark(moment)
    return f"{weekday(local.date())} {local.day}. {MONTHS[local.month - 1]} kl. {local:%H.%M}"


def typed_moment(moment: datetime) -> str:
    """As it can be typed again: "23-11-2026 kl. 08.00"."""
    return f"{in_denmark(moment):%d-%m-%Y kl. %H.%M}"


def _coming(words: str, at: time, now: datetime) -> datetime:
    words = words.removeprefix("på ").removeprefix("den ").removesuffix(" den").strip()
    first, _space, rest = words.partition(" ")
    first = first.removesuffix(".")
    if words in _NEAR:
        moment = _moment(in_denmark(now).date() + timedelta(days=_NEAR[words]), at)
    elif first in WEEKDAYS and not rest:
        return _next_weekday(WEEKDAYS.index(first), at, now)
    else:
        day = parse_date(rest.removeprefix("den ") if first in WEEKDAYS else words)
        if first in WEEKDAYS and weekday(day) != first:
            raise MomentError(f"Den dag er en {weekday(day)}, ikke en {first}.")
        moment = _moment(day, at)
    if moment <= now:
        raise MomentError("Tidspunktet er allerede passeret. Vælg et senere.")
    return moment


def _next_weekday(number: int, at: time, now: datetime) -> datetime:
    today = in_denmark(now).date()
    moment = _moment(today + timedelta(days=(number - today.weekday()) % 7), at)
    return moment if moment > now else _moment(in_denmark(moment).date() + timedelta(days=7), at)


def _moment(day: date, at: time) -> datetime:
    local = datetime.combine(day, at, DENMARK)
    moment = local.astimezone(UTC)
    if in_denmark(moment).time() != at:
        raise MomentError(f"Klokken {at:%H.%M} findes ikke den dag: uret stilles frem. Vælg en anden time.")
    return moment
