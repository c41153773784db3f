"""How many support cases are to be followed up today, on the municipality's front page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klik.plugins import FrontView, Panel, PluginContext
from klik.plugins.kp import cases


def data(_view: Any, context: PluginContext) -> Mapping[str, Any]:
    """Words for the panel; none while nothing is due."""
    count = cases.due(context) if context.municipality is not None else 0
    if not count:
        return {"told": ""}
    return {"told": f"{count} {'sag' if count == 1 else 'sager'} skal følges op i MinSupport i dag."}


PANEL = Panel(
    key="kp.opfoelgning",
    title="Support til KP",
    place="front",
    template="kp/due.html",
    applies=lambda view: isinstance(view, FrontView) and view.municipality is not None,
    data=data,
)
