"""Days off and moved deadlines, against a calendar reckoned here from Easter alone."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from dateutil.easter import easter
from hypothesis import given
from hypothesis import strategies as st

from klik.domain.working_days import WorkingDay, day_off, moved, moved_words

DAY = timedelta(days=1)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 20))


def _off(day: date) -> bool:
    """The law's holidays and the three days that offices are shut, counted from Easter Sunday."""
    after_easter = {-3, -2, 0, 1, 39, 49, 50} | ({26} if day.year <= 2023 else set())
    return (
        day.isoweekday() > 5
        or (day - easter(day.year)).days in after_easter
        or f"{day:%d-%m}" in {"01-01", "05-06", "24-12", "25-12", "26-12", "31-12"}
    )


@given(DAYS)
def test_days_off_are_those_of_the_law_and_the_shut_offices(day: date) -> None:
    assert bool(day_off(day)) is _off(day)


@given(DAYS, st.sampled_from(WorkingDay))
def test_a_deadline_is_moved_to_the_nearest_working_day_on_its_side(day: date, side: WorkingDay) -> None:
    to = moved(day, side)
    if side is WorkingDay.UNCHANGED or not _off(day):
        assert to == day
        return
    assert not _off(to)
    between = [min(day, to) + DAY * n for n in range(abs((to - day).days) + 1)]
    assert (to < day) is (side is WorkingDay.BEFORE)
    assert all(_off(each) for each in between if each != to)


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (date(2023, 5, 5), "store bededag"),
        (date(2024, 4, 26), None),  # Store bededag no more
        (date(2026, 4, 3), "langfredag"),
        (date(2026, 5, 1), None),
        (date(2026, 5, 15), None),  # the Friday after Ascension Day
        (date(2026, 6, 5), "grundlovsdag"),
        (date(2026, 12, 31), "nytårsaftensdag"),
        (date(2026, 11, 22), "søndag"),
    ],
)
def test_why_a_day_is_off_in_danish(day: date, name: str | None) -> None:
    assert day_off(day) == name


def test_christmas_is_stepped_over_as_a_whole() -> None:
    assert moved(date(2026, 12, 25), WorkingDay.BEFORE) == date(2026, 12, 23)
    assert moved(date(2026, 12, 31), WorkingDay.AFTER) == date(2027, 1, 4)


def test_words() -> None:
    assert moved_words(WorkingDay.UNCHANGED) == ""
    assert moved_words(WorkingDay.BEFORE).startswith("flyttet til arbejdsdagen før")
