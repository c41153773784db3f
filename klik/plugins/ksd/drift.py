"""KSD's driftsside: its register of known errors first (seed 002), and what stands on it in the demo."""

from __future__ import annotations

import tomllib
from pathlib import Path

from klik.plugins import PluginContext
from klik.plugins.driftsside import Driftsside
from klik.plugins.ksd.tables import METADATA

SIDE = Driftsside(
    plugin="ksd",
    system="ksd",
    name="KSD",
    metadata=METADATA,
    known_errors_intro=(
        "En kendt fejl er en fejl, der kan påvirke funktionaliteten eller brugervenligheden af systemet. De fejl, der "
        "kun er tekniske, står ikke her. Alle fejl har en planlagt løsningsdato, som KMD fastsætter i dialog med "
        "KOMBIT."
    ),
)


def fill(context: PluginContext) -> None:
    """The demo's entries."""
    SIDE.fill(context, tomllib.loads(Path(__file__).with_name("drift_demo.toml").read_text("utf-8")))
