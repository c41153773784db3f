"""Task numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klik.domain.tasknumbers import TaskNumber, TaskNumberError, next_free

NUMBERS = st.builds(TaskNumber, st.text("ABCÆØÅ", min_size=2, max_size=4), st.integers(1, 9999))


@given(NUMBERS)
def test_written_numbers_read_back(number):
    assert TaskNumber.parse(str(number)) == number
    assert TaskNumber.parse(str(number).lower().replace(" ", "-")) == number


@pytest.mark.parametrize("text", ["MI 15", "mi15", "MI-15", " mi  15 ", "(MI 15)", "MI 0015"])
def test_many_ways_of_writing(text):
    assert str(TaskNumber.parse(text)) == "MI 15"


def test_short_numbers_have_two_digits():
    assert str(TaskNumber("MI", 1)) == "MI 01"


@pytest.mark.parametrize(
    "text", ["", "15", "MI", "M 15", "MIMIM 1", "MI 0", "MI 10000", "MI 1.5", "MI ٣", "MI 15 a"]
)
def test_refused(text):
    with pytest.raises(TaskNumberError, match="pgavenummer"):
        TaskNumber.parse(text)


def test_a_number_cannot_be_made_wrong():
    with pytest.raises(TaskNumberError, match="forbogstav"):
        TaskNumber("mi", 1)


def test_sorts_by_prefix_then_number():
    texts = ["MI 10", "MI 9", "GV 100", "MI 100"]
    assert [str(n) for n in sorted(map(TaskNumber.parse, texts))] == ["GV 100", "MI 09", "MI 10", "MI 100"]


@pytest.mark.parametrize(
    ("existing", "expected"),
    [
        ([], "MI 01"),
        (["MI 01", "MI 24", "MI 05"], "MI 25"),
        (["GV 80"], "MI 01"),
        (["MI 99"], "MI 100"),
        (["egen", "MI 02"], "MI 03"),
    ],
)
def test_next_free(existing, expected):
    assert str(next_free("mi", existing)) == expected


def test_no_number_left():
    with pytest.raises(TaskNumberError, match="ikke flere ledige"):
        next_free("MI", ["MI 9999"])
