"""KP's driftsside (seed 000): what it is made of, and what stands on it in the demo."""

from __future__ import annotations

import tomllib
from pathlib import Path

from klik.plugins import PluginContext
from klik.plugins.driftsside import Driftsside

VERSIONS = Path(__file__).parent / "migrations"
SIDE = Driftsside(
    plugin="kp",
    system="kp",
    name="KP",
    intro="Se her, før I opretter en sag i MinSupport: det kan være en fejl, der allerede er kendt.",
)


def fill(context: PluginContext) -> None:
    """The demo's entries."""
    SIDE.fill(context, tomllib.loads(Path(__file__).with_name("drift_demo.toml").read_text("utf-8")))
