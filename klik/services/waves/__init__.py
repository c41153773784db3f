"""Waves: when each municipality takes a system into use, and what follows when that is changed."""

from __future__ import annotations

from klik.services.waves.changes import Change, Leaving, NewGoLive, Placing
from klik.services.waves.moving import Plan, carry_out, foresee
from klik.services.waves.page import SystemWaves, WaveLine, of_system

__all__ = [
    "Change",
    "Leaving",
    "NewGoLive",
    "Placing",
    "Plan",
    "SystemWaves",
    "WaveLine",
    "carry_out",
    "foresee",
    "of_system",
]
