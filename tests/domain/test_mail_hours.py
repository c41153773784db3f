"""The hour of the daily mail, against dates written by hand and a calendar that is counted from Easter alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from dateutil.easter import easter
from hypothesis import given
from hypothesis import strategies as st

from klik.domain.calendar import in_denmark
from klik.domain.mail_hours import catching_up, mail_day, next_mail, of_day, on_day

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2035, 12, 20), timezones=st.just(UTC))
HOURS = st.integers(5, 20)


def utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "hour", "goes"),
    [
        ("2026-11-20 03:00", 7, "2026-11-20 06:00"),  # Friday, four in the morning
        ("2026-11-20 06:00", 7, "2026-11-20 06:00"),  # the stroke itself is still today's
        ("2026-11-20 06:01", 7, "2026-11-23 06:00"),  # over the weekend
        ("2026-11-20 22:59", 7, "2026-11-23 06:00"),
        ("2026-11-20 23:01", 7, "2026-11-23 06:00"),  # Saturday in Denmark, Friday in UTC
        ("2026-11-22 12:00", 18, "2026-11-23 17:00"),
        # Summer time begins on the night to Sunday 28 March 2027, ends on the night to Sunday 31 October.
        ("2027-03-26 05:59", 7, "2027-03-30 05:00"),  # Good Friday; Monday the 29th is Easter Monday
        ("2027-03-19 07:00", 7, "2027-03-22 06:00"),
        ("2027-04-02 07:00", 7, "2027-04-05 05:00"),
        ("2027-10-29 06:00", 7, "2027-11-01 06:00"),
        ("2027-10-29 05:00", 7, "2027-10-29 05:00"),
        ("2027-10-31 00:30", 5, "2027-11-01 04:00"),  # 02.30, the first of two
        ("2027-10-31 01:30", 5, "2027-11-01 04:00"),
        # Christmas 2026: Thursday the 24th to Sunday the 27th; the year ends on a Thursday.
        ("2026-12-23 06:00", 7, "2026-12-23 06:00"),
        ("2026-12-23 06:01", 7, "2026-12-28 06:00"),
        ("2026-12-30 06:01", 7, "2027-01-04 06:00"),  # 31 December and 1 January, then a weekend
        ("2027-12-23 07:00", 7, "2027-12-27 06:00"),  # Friday the 24th to Sunday the 26th
        # Easter 2028: Thursday 13 April to Monday 17 April.
        ("2028-04-12 05:01", 7, "2028-04-18 05:00"),
        ("2028-02-28 06:01", 7, "2028-02-29 06:00"),
        # Ascension Day, a Thursday: the Friday after it offices are open. Whit Monday. Constitution Day.
        ("2027-05-06 05:00", 7, "2027-05-07 05:00"),
        ("2027-05-14 06:00", 7, "2027-05-18 05:00"),
        ("2028-06-02 06:00", 7, "2028-06-06 05:00"),
    ],
)
def test_the_next_mail_by_hand(now: str, hour: int, goes: str) -> None:
    assert next_mail(utc(now), hour) == utc(goes)


def _open(day: date) -> bool:
    after_easter = (day - easter(day.year)).days
    named = f"{day:%d-%m}" in {"01-01", "05-06", "24-12", "25-12", "26-12", "31-12"}
    return day.isoweekday() < 6 and not named and after_easter not in {-3, -2, 0, 1, 39, 49, 50}


@given(MOMENTS, HOURS)
def test_it_is_the_first_hour_of_an_open_day_that_is_not_over(now: datetime, hour: int) -> None:
    goes = in_denmark(next_mail(now, hour))
    assert (goes.hour, goes.minute, goes.second) == (hour, 0, 0)
    assert goes >= now
    assert _open(goes.date())
    earlier = in_denmark(now).date()
    while earlier < goes.date():
        assert not _open(earlier) or on_day(earlier, hour) < now
        earlier += timedelta(days=1)


@given(MOMENTS, HOURS)
def test_what_missed_its_mail_goes_now_on_an_open_day_after_the_hour(now: datetime, hour: int) -> None:
    local = in_denmark(now)
    at_once = _open(local.date()) and local.hour >= hour
    assert catching_up(now, hour) == (now if at_once else next_mail(now, hour))


@pytest.mark.parametrize(
    ("day", "now", "goes"),
    [
        ("2026-11-23", "2026-11-23 04:00", "2026-11-23 06:00"),  # entered at five, goes at seven
        ("2026-11-23", "2026-11-23 08:00", "2026-11-23 08:00"),  # the worker was away at seven
        ("2026-11-21", "2026-11-21 08:00", "2026-11-23 06:00"),  # Saturday's is Monday's mail
        ("2026-11-21", "2026-11-22 20:00", "2026-11-23 06:00"),  # and is not late on Sunday
        ("2026-11-21", "2026-11-23 07:00", "2026-11-23 07:00"),
        ("2026-11-17", "2026-11-21 08:00", "2026-11-23 06:00"),  # missed, and found on a Saturday
        ("2026-11-17", "2026-11-20 02:00", "2026-11-20 06:00"),  # missed, and found in the night
    ],
)
def test_what_belongs_to_a_day(day: str, now: str, goes: str) -> None:
    assert of_day(date.fromisoformat(day), utc(now), 7) == utc(goes)


def test_the_mail_of_a_day_off_is_the_next_open_days() -> None:
    assert mail_day(date(2026, 12, 24)) == date(2026, 12, 28)
    assert mail_day(date(2026, 12, 23)) == date(2026, 12, 23)


@pytest.mark.parametrize("hour", [4, 21, 2])
def test_hours_that_may_be_missing_on_a_clock_are_refused(hour: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        on_day(date(2027, 3, 28), hour)
