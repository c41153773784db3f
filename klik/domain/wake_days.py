"""The days on which somebody can ask to be reminded again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from klik.domain.calendar import long_date, parse_date, weekday
from klik.domain.errors import InputError


class WakeDayError(InputError):
    """A day that nobody can be reminded on, said in Danish."""


def suggested(today: date, most: int) -> Sequence[tuple[str, date]]:
    """What is offered with a button, each day once: "i morgen", "på mandag", "om en uge" and so on."""
    monday = today + timedelta(days=7 - today.weekday())
    offers = (
        ("i morgen", today + timedelta(days=1)),
        ("på mandag", monday),
        ("om en uge", today + timedelta(days=7)),
        ("om to uger", today + timedelta(days=14)),
    )
    found: dict[date, str] = {}
    for words, day in offers:
        if (day - today).days <= most:
            found.setdefault(day, words)
    return [(words, day) for day, words in sorted(found.items())]


def chosen(typed: str, today: date, most: int) -> date:
    """The day that was typed or picked; raises InputError unless it is tomorrow or at most ``most`` days ahead."""
    day = parse_date(typed)
    last = today + timedelta(days=most)
    if not today < day <= last:
        raise WakeDayError(
            f"Dagen skal ligge fra i morgen til og med {weekday(last)} den {long_date(last)} ({most} dage frem)."
        )
    return day
