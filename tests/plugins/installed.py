"""The plug-ins that klik itself brings, whichever they are."""

from __future__ import annotations

import importlib
from importlib.metadata import entry_points
from types import ModuleType

from klik.plugins.manager import GROUP


def names() -> list[str]:
    """Their names in order, by klik's own entry points, so that a new one is tested by itself."""
    return sorted(
        point.name for point in entry_points(group=GROUP) if point.dist and point.dist.name == "klik"
    )


def module(name: str) -> ModuleType:
    """The module of one."""
    return importlib.import_module(f"klik.plugins.{name}")
