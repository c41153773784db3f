"""How long unsolved tasks have been lying, reckoned from the month in which they were due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from klik.plugins import long_date

NO_MONTH = "uden-maaned"


@dataclass(frozen=True, slots=True)
class Age:
    """One step of age by its word in the address; ``holds`` says of a number of months whether it is in it."""

    value: str
    label: str
    holds: Callable[[int], bool]


AGES = (
    Age("over-12", "Over 12 måneder", lambda months: months > 12),
    Age("7-12", "7–12 måneder", lambda months: 7 <= months <= 12),
    Age("4-6", "4–6 måneder", lambda months: 4 <= months <= 6),
    Age("1-3", "1–3 måneder", lambda months: 1 <= months <= 3),
    Age("ny", "Forfalder i denne måned", lambda months: months == 0),
    Age("senere", "Forfalder senere", lambda months: months < 0),
)
LABELS: Mapping[str, str] = {age.value: age.label for age in AGES} | {NO_MONTH: "Uden måned i rapporten"}


def age_of(month: str, today: date) -> str:
    """The step that a month of due dates ("2017-10", or empty) is in today: only whole months count."""
    if not month:
        return NO_MONTH
    year, number = month.split("-")
    months = (today.year - int(year)) * 12 + today.month - int(number)
    return next(age.value for age in AGES if age.holds(months))


def month_in_words(month: str) -> str:
    """ "oktober 2017"; "Uden måned i rapporten" for none."""
    if not month:
        return LABELS[NO_MONTH]
    year, number = month.split("-")
    return long_date(date(int(year), int(number), 1)).partition(" ")[2]
