"""Working days of Danish public offices, and moving a deadline to one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from holidays.countries import Denmark

ONE_DAY = timedelta(days=1)
# The law calls these working days, but municipal offices are shut (collective agreements of KL). 1 May is not among
# them, nor the Friday after Ascension Day: offices are open.
CLOSED_ON: Mapping[tuple[int, int], str] = MappingProxyType(
    {(6, 5): "grundlovsdag", (12, 24): "juleaftensdag", (12, 31): "nytårsaftensdag"}
)
# The library's calendar, read as far as it is asked; Store bededag stands in it to 2023 (lov nr. 214 of 2023).
_CALENDAR = Denmark(language="da")


class WorkingDay(StrEnum):
    """What becomes of a deadline that falls on a day off."""

    UNCHANGED = "uaendret"
    BEFORE = "foer"
    AFTER = "efter"

    @property
    def label(self) -> str:
        """What people choose between."""
        return _LABELS[self]


_LABELS = {
    WorkingDay.UNCHANGED: "Fristen bliver, hvor den er",
    WorkingDay.BEFORE: "Flyt til arbejdsdagen før",
    WorkingDay.AFTER: "Flyt til arbejdsdagen efter",
}


def day_off(day: date) -> str | None:
    """Why nobody works on the day: "lørdag", "langfredag", "grundlovsdag"; None on a working day."""
    if name := _CALENDAR.get(day):
        return name.split(";")[0].casefold()
    if name := CLOSED_ON.get((day.month, day.day)):
        return name
    return {5: "lørdag", 6: "søndag"}.get(day.weekday())


@cache
def working_days_after(day: date, count: int) -> date:
    """The ``count``-th working day after a day; the day itself for 0."""
    while count > 0:
        day += ONE_DAY
        count -= not day_off(day)
    return day


@cache
def working_days_before(day: date, count: int) -> date:
    """The ``count``-th working day before a day; the day itself for 0."""
    while count > 0:
        day -= ONE_DAY
        count -= not day_off(day)
    return day


def moved(day: date, wanted: WorkingDay, is_off: Callable[[date], object] = lambda day: day_off(day)) -> date:
    """The day itself when it is a working day or is to stay; else the nearest working day on the wanted side."""
    step = {WorkingDay.UNCHANGED: None, WorkingDay.BEFORE: -ONE_DAY, WorkingDay.AFTER: ONE_DAY}[wanted]
    while step is not None and is_off(day):
        day += step
    return day


def moved_words(wanted: WorkingDay) -> str:
    """What is added to a rule in words; empty when days off do not matter."""
    if wanted is WorkingDay.UNCHANGED:
        return ""
    side = "før" if wanted is WorkingDay.BEFORE else "efter"
    return f"flyttet til arbejdsdagen {side}, når den falder på en fridag"
