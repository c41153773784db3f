"""A moment typed in Danish: what is read, and what is refused with which words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from klik.domain.errors import InputError
from klik.domain.moments import moment_words, monday_morning, parse_moment, typed_moment

SATURDAY = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)  # 08.00 in Denmark


def danish(*parts: int) -> datetime:
    """In winter Denmark is an hour ahead of UTC."""
    return datetime(*parts, tzinfo=UTC).replace(hour=parts[3] - 1)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("mandag kl. 8", danish(2026, 11, 23, 8)),
        ("Mandag kl 8.00", danish(2026, 11, 23, 8)),
        ("på mandag klokken 8:30", danish(2026, 11, 23, 8, 30)),
        ("mandag 8", danish(2026, 11, 23, 8)),
        ("lørdag kl. 8", danish(2026, 11, 28, 8)),
        ("lørdag kl. 8.01", danish(2026, 11, 21, 8, 1)),
        ("i dag kl. 12", danish(2026, 11, 21, 12)),
        ("i morgen kl. 9.30", danish(2026, 11, 22, 9, 30)),
        ("23-11-2026 kl. 08.00", danish(2026, 11, 23, 8)),
        ("23. november 2026 kl. 8", danish(2026, 11, 23, 8)),
        ("mandag den 23. november 2026 kl. 8", danish(2026, 11, 23, 8)),
        ("mandag, den 23-11-2026 kl. 8", danish(2026, 11, 23, 8)),
        ("2026-11-23 08:00", danish(2026, 11, 23, 8)),
        ("1-7-2027 kl. 8", datetime(2027, 7, 1, 6, tzinfo=UTC)),
    ],
)
def test_what_people_type(typed: str, meant: datetime) -> None:
    assert parse_moment(typed, SATURDAY) == meant
    assert parse_moment(typed_moment(meant), SATURDAY) == meant


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Tidspunktet mangler"),
        ("mandag", "mangler klokkeslæt"),
        ("kl. 8", "mangler dag"),
        ("8.30", "mangler dag"),
        ("mandag kl. 25", "Klokken 25.00 findes ikke"),
        ("mandag kl. 8.75", "Klokken 8.75 findes ikke"),
        ("i dag kl. 8", "allerede passeret"),
        ("20-11-2026 kl. 23", "allerede passeret"),
        ("31-11-2026 kl. 8", "november 2026 har 30 dage"),
        ("tirsdag den 23-11-2026 kl. 8", "Den dag er en mandag, ikke en tirsdag"),
        ("snart kl. 8", "kan ikke læses som en dato"),
        ("28-3-2027 kl. 2.30", "uret stilles frem"),
        ("1-1-2101 kl. 8", "fra 01-01-2000 til 31-12-2100"),
    ],
)
def test_what_is_refused(typed: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_moment(typed, SATURDAY)


def test_monday_morning_is_always_ahead() -> None:
    assert moment_words(monday_morning(SATURDAY)) == "mandag 23. november kl. 08.00"
    at_eight = danish(2026, 11, 23, 8)
    assert monday_morning(at_eight.replace(minute=0)) == danish(2026, 11, 30, 8)
    assert monday_morning(danish(2026, 11, 23, 7, 59)) == at_eight
    # The clock goes back between the two: still 8 in Denmark.
    assert monday_morning(datetime(2026, 10, 24, 12, tzinfo=UTC)) == datetime(2026, 10, 26, 7, tzinfo=UTC)
