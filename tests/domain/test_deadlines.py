"""Colours of deadlines and Danish days."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klik.domain.deadlines import (
    Colour,
    colour,
    danish_today,
    default_yellow_from,
    end_of_day,
    explain,
)
from klik.domain.status import OPEN_STATUSES, Status

DEADLINE = date(2026, 11, 21)
YELLOW_FROM = date(2026, 11, 7)
DATES = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 11, 6), Colour.GREEN),
        (date(2026, 11, 7), Colour.YELLOW),
        (date(2026, 11, 21), Colour.YELLOW),
        (date(2026, 11, 22), Colour.RED),
    ],
)
def test_colour_changes_on_the_right_days(today, expected):
    assert colour(Status.NOT_STARTED, DEADLINE, YELLOW_FROM, today) is expected
    assert colour(Status.IN_PROGRESS, DEADLINE, YELLOW_FROM, today) is expected


@given(st.sampled_from(sorted(set(Status) - OPEN_STATUSES)), DATES, DATES, DATES)
def test_closed_tasks_have_no_colour(status, deadline, yellow_from, today):
    assert colour(status, deadline, yellow_from, today) is None


def test_no_deadline_no_colour():
    assert colour(Status.NOT_STARTED, None, None, DEADLINE) is None


def test_without_a_yellow_day_a_task_goes_from_green_to_red():
    assert colour(Status.NOT_STARTED, DEADLINE, None, DEADLINE) is Colour.GREEN
    assert colour(Status.NOT_STARTED, DEADLINE, None, DEADLINE + timedelta(days=1)) is Colour.RED


@given(DATES, DATES, st.integers(0, 400), DATES)
def test_colours_only_ever_go_from_green_over_yellow_to_red(start, deadline, yellow_days, today):
    yellow_from = default_yellow_from(start, deadline, yellow_days)
    order = [Colour.GREEN, Colour.YELLOW, Colour.RED]
    now = colour(Status.NOT_STARTED, deadline, yellow_from, today)
    tomorrow = colour(Status.NOT_STARTED, deadline, yellow_from, today + timedelta(days=1))
    assert order.index(now) <= order.index(tomorrow)
    assert colour(Status.NOT_STARTED, deadline, yellow_from, deadline) is Colour.YELLOW


@pytest.mark.parametrize(
    ("start", "deadline", "days", "expected"),
    [
        (date(2026, 1, 1), date(2026, 11, 21), 14, date(2026, 11, 7)),
        (date(2026, 11, 15), date(2026, 11, 21), 14, date(2026, 11, 15)),
        (date(2026, 11, 30), date(2026, 11, 21), 14, date(2026, 11, 21)),
        (None, date(2028, 3, 1), 1, date(2028, 2, 29)),
        (date(2026, 1, 1), date(2026, 11, 21), 0, date(2026, 11, 21)),
    ],
)
def test_default_yellow_day(start, deadline, days, expected):
    assert default_yellow_from(start, deadline, days) == expected


@pytest.mark.parametrize(
    ("today", "yellow_from", "sentence"),
    [
        (date(2026, 11, 12), YELLOW_FROM, "Gul: 9 dage til frist; gul fra 14 dage før"),
        (date(2026, 11, 20), date(2026, 11, 20), "Gul: 1 dag til frist; gul fra 1 dag før"),
        (date(2026, 11, 21), YELLOW_FROM, "Gul: fristen er i dag; gul fra 14 dage før"),
        (date(2026, 11, 21), date(2026, 11, 21), "Gul: fristen er i dag; gul kun på selve dagen"),
        (date(2026, 11, 28), YELLOW_FROM, "Rød: fristen var 21. november 2026, 7 dage siden"),
        (date(2026, 11, 22), YELLOW_FROM, "Rød: fristen var 21. november 2026, 1 dag siden"),
        (date(2026, 10, 22), YELLOW_FROM, "Grøn: 30 dage til frist; gul fra 7. november 2026"),
        (date(2026, 11, 21), None, "Grøn: fristen er i dag"),
    ],
)
def test_explanations(today, yellow_from, sentence):
    found = colour(Status.NOT_STARTED, DEADLINE, yellow_from, today)
    assert explain(found, DEADLINE, yellow_from, today) == sentence


def test_explanations_without_a_colour():
    assert explain(None, DEADLINE, YELLOW_FROM, DEADLINE) == "Ingen farve: opgaven er afsluttet"
    assert explain(None, None, None, DEADLINE) == "Ingen farve: opgaven har ingen frist"


def test_labels_and_icons():
    assert [(c.value, c.label) for c in Colour] == [("roed", "Rød"), ("gul", "Gul"), ("groen", "Grøn")]
    assert len({c.icon for c in Colour}) == 3


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2026-11-20T22:59:59+00:00", date(2026, 11, 20)),
        ("2026-11-20T23:00:00+00:00", date(2026, 11, 21)),
        ("2026-07-01T21:59:59+00:00", date(2026, 7, 1)),
        ("2026-07-01T22:00:00+00:00", date(2026, 7, 2)),
        ("2027-10-31T02:30:00+02:00", date(2027, 10, 31)),
    ],
)
def test_the_danish_day_changes_at_danish_midnight(moment, day):
    assert danish_today(datetime.fromisoformat(moment)) == day


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        danish_today(datetime(2026, 11, 21))


@pytest.mark.parametrize(
    ("day", "end", "hours"),
    [
        (date(2026, 11, 21), datetime(2026, 11, 21, 23, tzinfo=UTC), 24),
        (date(2026, 7, 1), datetime(2026, 7, 1, 22, tzinfo=UTC), 24),
        (date(2027, 3, 28), datetime(2027, 3, 28, 22, tzinfo=UTC), 23),
        (date(2027, 10, 31), datetime(2027, 10, 31, 23, tzinfo=UTC), 25),
        (date(2028, 2, 29), datetime(2028, 2, 29, 23, tzinfo=UTC), 24),
    ],
)
def test_end_of_day_over_the_clock_changes(day, end, hours):
    assert end_of_day(day) == end
    assert end_of_day(day) - end_of_day(day - timedelta(days=1)) == timedelta(hours=hours)


@given(DATES)
def test_a_day_ends_where_the_next_begins(day):
    assert danish_today(end_of_day(day)) == day + timedelta(days=1)
    assert danish_today(end_of_day(day) - timedelta(microseconds=1)) == day
