"""Logs hold no secrets."""

from __future__ import annotations

import pytest

from klik import logs
from klik.app import _without_secret


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/opgaver/12", "/opgaver/12"),
        ("/adgangskode/abc-DEF_123", "/adgangskode/***"),
        ("/adgangskode/", "/adgangskode/***"),
        ("/mailadresse/abc", "/mailadresse/***"),
        ("/handling/start.WzEsMl0.abc", "/handling/***"),
        ("/kalender/abc-DEF_123.ics", "/kalender/***.ics"),
        ("/kalender/ny", "/kalender/ny"),
    ],
)
def test_a_link_that_opens_a_door_is_not_logged(path: str, logged: str) -> None:
    assert _without_secret(path) == logged


def test_fields_that_hold_secrets_are_masked() -> None:
    event = logs._without_secrets(None, "", {"event": "x", "new_password": "y", "cookie": "z", "task": 1})
    assert event == {"event": "x", "new_password": "***", "cookie": "***", "task": 1}
