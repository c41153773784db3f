"""The forecast, from numbers worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from klik.domain.forecast import TOO_LITTLE, Forecast, Point, counted, forecast, pace, sentence

TODAY = date(2026, 11, 21)


def _points(*numbers: tuple[int, int]) -> list[Point]:
    """Weekly points of (total, completed), the last of them today."""
    first = TODAY - timedelta(weeks=len(numbers) - 1)
    return [Point(first + timedelta(weeks=week), *pair) for week, pair in enumerate(numbers)]


# 16 of 40 in eight weeks is two a week: the other 24 take twelve weeks.
STEADY = _points(*((40, 2 * week) for week in range(9)))


def test_two_a_week_takes_twelve_weeks_for_twenty_four() -> None:
    found = forecast(STEADY, TODAY + timedelta(weeks=10))
    assert found == Forecast(8, 16, 24, TODAY + timedelta(weeks=12), TODAY + timedelta(weeks=10), 4)
    assert found.late == 14
    assert sentence(found) == "I jeres tempo: klar 14 dage for sent; fire opgaver afgør det."
    assert pace(found) == "16 fuldførte opgaver på 8 uger"


def test_what_came_before_the_eight_weeks_does_not_count() -> None:
    points = _points((40, 0), (40, 0), (40, 20), *((40, 20 + week) for week in range(9)))
    found = forecast(points, None)
    assert found is not None
    assert (found.weeks, found.finished, found.remaining) == (8, 8, 12)
    assert found.ready_on == TODAY + timedelta(weeks=12)


def test_a_young_project_is_judged_by_its_own_weeks() -> None:
    found = forecast(_points((0, 0), (0, 0), (10, 0), (10, 3), (12, 6)), TODAY + timedelta(days=14))
    # Six in two weeks, six left: two weeks more.
    assert found == Forecast(2, 6, 6, TODAY + timedelta(days=14), TODAY + timedelta(days=14), 0)
    assert sentence(found) == "I jeres tempo: klar 5. december 2026, netop på fristen."


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([], "no points"),
        (_points((0, 0), (0, 0)), "no tasks"),
        (_points((10, 0), (10, 9)), "one week"),
        (_points((10, 3), (10, 4), (10, 5), (10, 6)), "three completed"),
        (_points((10, 9), (10, 7), (10, 5)), "more reopened than completed"),
    ],
)
def test_too_little_says_so(points: list[Point], why: str) -> None:
    assert forecast(points, TODAY) is None, why
    assert sentence(forecast(points, TODAY)) == TOO_LITTLE


def test_parts_of_days_round_to_the_late_side() -> None:
    # 5 in 3 weeks: 4.2 days each; 7 left take 29.4 days, so the thirtieth.
    found = forecast(_points((12, 0), (12, 1), (12, 2), (12, 5)), TODAY + timedelta(days=29))
    assert found is not None
    assert (found.ready_on - TODAY).days == 30 and found.late == 1
    assert found.unreached == 1  # 29 days are room for 6.9
    assert sentence(found) == "I jeres tempo: klar 1 dag for sent; en opgave afgør det."


def test_a_target_that_has_passed_leaves_everything_unreached() -> None:
    found = forecast(STEADY, TODAY - timedelta(days=6))
    assert found is not None and found.unreached == 24 and found.late == 90
    assert (
        sentence(found, "kommunernes") == "I kommunernes tempo: klar 90 dage for sent; 24 opgaver afgør det."
    )


def test_the_other_sentences() -> None:
    assert (
        sentence(forecast(STEADY, None)) == "I jeres tempo: klar 13. februar 2027. Projektet har ingen frist."
    )
    early = forecast(STEADY, TODAY + timedelta(weeks=13))
    assert sentence(early) == "I jeres tempo: klar 13. februar 2027, 7 dage før fristen."
    done = forecast(_points((6, 0), (6, 3), (6, 6)), TODAY)
    assert done is not None and done.unreached == 0
    assert sentence(done) == "Alle opgaver er fuldført."
    assert [counted(number) for number in (1, 4, 10, 11)] == ["en", "fire", "ti", "11"]
