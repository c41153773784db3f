"""Danish dates, written and read."""

from datetime import UTC, date, datetime, timedelta

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from klik.domain.calendar import (
    DateError,
    clock,
    long_date,
    parse_date,
    parse_date_range,
    relative,
    short_date,
    week,
    weekday,
)

TODAY = date(2026, 11, 21)
DATES = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@given(DATES)
def test_written_dates_agree_with_cldr(day):
    assert long_date(day) == format_date(day, "d. MMMM y", locale="da")
    assert weekday(day) == format_date(day, "EEEE", locale="da")


def test_written_dates():
    assert long_date(TODAY) == "21. november 2026"
    assert short_date(date(2026, 3, 1)) == "01-03-2026"
    assert clock(datetime(2026, 11, 21, 6, tzinfo=UTC)) == "21. november 2026 kl. 07.00"
    assert clock(datetime(2026, 7, 1, 22, 5, tzinfo=UTC)) == "2. juli 2026 kl. 00.05"


@pytest.mark.parametrize(
    ("day", "name"),
    [
        (TODAY, "uge 47"),
        (date(2027, 1, 1), "uge 53"),
        (date(2026, 1, 1), "uge 1"),
        (date(2024, 12, 30), "uge 1"),
    ],
)
def test_weeks_are_counted_by_iso(day, name):
    assert week(day) == name


@pytest.mark.parametrize(
    ("distance", "words"),
    [(0, "i dag"), (1, "i morgen"), (-1, "i går"), (3, "om 3 dage"), (-12, "for 12 dage siden")],
)
def test_relative(distance, words):
    assert relative(TODAY + timedelta(days=distance), TODAY) == words


@given(DATES)
def test_every_way_of_writing_a_date_reads_back(day):
    plain = f"{day.day}.{day.month}.{day.year}"
    for text in (
        day.isoformat(),
        short_date(day),
        long_date(day),
        plain,
        f"{day.day}/{day.month}-{day.year}",
    ):
        assert parse_date(f" {text} ") == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-21", TODAY),
        ("21/11/2026", TODAY),
        ("1.2.2027", date(2027, 2, 1)),
        ("2027-2-1", date(2027, 2, 1)),
        ("29-02-2028", date(2028, 2, 29)),
        ("1. Marts 2027", date(2027, 3, 1)),
    ],
)
def test_read_dates(text, day):
    assert parse_date(text) == day


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("31-02-2027", "februar 2027 har 28 dage"),
        ("29-02-2027", "februar 2027 har 28 dage"),
        ("31-12-2027x", "kan ikke læses"),
        ("32-12-2027", "december 2027 har 31 dage"),
        ("0-1-2027", "januar 2027 har 31 dage"),
        ("2027-13-01", "ingen måned 13"),
        ("1/2/27", "kan ikke læses"),
        ("0001-01-01", "01-01-2000 til 31-12-2100"),
        ("9999-12-31", "01-01-2000 til 31-12-2100"),
        ("2027-10-31T02:30", "kan ikke læses"),
        ("2027-W53", "kan ikke læses"),
        ("٢١-١١-٢٠٢٦", "kan ikke læses"),
        ("", "mangler"),
        ("1. mai 2027", "kan ikke læses"),
        ("x" * 5000, "kan ikke læses"),
    ],
)
def test_refused_dates(text, told):
    with pytest.raises(DateError, match=told) as caught:
        parse_date(text)
    assert len(str(caught.value)) < 150


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_a_danish_sentence(text):
    for read in (parse_date, lambda typed: parse_date_range(typed, TODAY)):
        try:
            read(text)
        except DateError as error:
            assert str(error).endswith(".")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21", (TODAY, TODAY)),
        ("2026-11-01..2026-11-30", (date(2026, 11, 1), date(2026, 11, 30))),
        ("..2026-11-30", (None, date(2026, 11, 30))),
        ("2026-11-01..", (date(2026, 11, 1), None)),
        ("idag", (TODAY, TODAY)),
        ("idag+14", (date(2026, 12, 5), date(2026, 12, 5))),
        ("idag 14", (date(2026, 12, 5), date(2026, 12, 5))),
        ("idag-7..idag", (date(2026, 11, 14), TODAY)),
        ("..IDAG-1", (None, date(2026, 11, 20))),
        ("21.11.2026..30.11.2026", (TODAY, date(2026, 11, 30))),
    ],
)
def test_ranges(text, expected):
    assert parse_date_range(text, TODAY) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("..", "både en første og en sidste"),
        ("2026-11-30..2026-11-01", "før den begynder"),
        ("idag+99999", "01-01-2000 til 31-12-2100"),
        ("idag-99999", "01-01-2000 til 31-12-2100"),
        ("idag+", "kan ikke læses"),
        ("2026-11-01...2026-11-30", "kan ikke læses"),
        ("igår", "kan ikke læses"),
    ],
)
def test_refused_ranges(text, told):
    with pytest.raises(DateError, match=told):
        parse_date_range(text, TODAY)
