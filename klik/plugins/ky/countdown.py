"""How long there is to go and what is left of the preparation, on the municipality's front page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klik.plugins import FrontView, Panel, PluginContext, long_date
from klik.plugins.ky import preparation, wave_plan
from klik.plugins.ky.waves import NAMES

# The template comes out empty, so the panel is left out.
NOTHING: Mapping[str, Any] = {"shown": False}


def data(_view: Any, context: PluginContext) -> Mapping[str, Any]:
    """Words for the panel; nothing for a municipality that has no day, or has taken KY into use."""
    assert context.klik is not None
    own = next(
        (each for each in context.klik.municipalities("ky") if each.code == context.municipality), None
    )
    if own is None or own.go_live is None or own.go_live < context.today:
        return NOTHING
    return {
        "shown": True,
        "time": wave_plan.countdown(own.go_live, context.today),
        "left": _left(context),
        "when": f"{own.name} tager KY i brug {long_date(own.go_live)}"
        + (f" i bølge {NAMES[own.wave]}." if own.wave in NAMES else "."),
    }


def _left(context: PluginContext) -> str:
    assert context.klik is not None and context.municipality is not None
    progress = context.klik.progress(preparation.SYSTEM, preparation.PHASES).get(context.municipality)
    if progress is None:
        return "Der er ikke udgivet opgaver til forberedelsen endnu."
    left = progress.tasks - progress.closed
    if not left:
        return "Alle forberedelsesopgaver er løst."
    return f"{left} af {progress.tasks} forberedelsesopgaver mangler."


PANEL = Panel(
    key="ky.nedtaelling",
    title="På vej til KY",
    place="front",
    template="ky/countdown.html",
    applies=lambda view: isinstance(view, FrontView) and view.municipality is not None,
    data=data,
)
