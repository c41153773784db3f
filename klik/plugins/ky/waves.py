"""The waves in which municipalities take KY into use (seed 003: pilot, B1, B2, B3)."""

from __future__ import annotations

from klik.plugins import Choice

WAVES = (
    Choice(value="pilot", label="Pilot"),
    Choice(value="b1", label="B1"),
    Choice(value="b2", label="B2"),
    Choice(value="b3", label="B3"),
)
NAMES = {wave.value: wave.label for wave in WAVES}
