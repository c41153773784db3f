"""Panels: the latest month and what is open on a system's page, and on KOMBIT's front page what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klik.plugins import FrontView, Panel, PluginContext, Right, SystemView
from klik.plugins.driftsstatus import months, status
from klik.plugins.driftsstatus.figures import before, long
from klik.plugins.driftsstatus.incidents import TOPIC
from klik.plugins.driftsstatus.status import SYSTEMS


def _latest(view: Any, context: PluginContext) -> Mapping[str, Any]:
    return {
        "status": status.of(context, view.code),
        "home": f"/p/driftsstatus/?system={view.code}",
        "topic": f"/varsler/emner?emne={TOPIC}",
    }


def _missing(_view: Any, context: PluginContext) -> Mapping[str, Any]:
    assert context.store is not None
    month = before(context.today)
    names = months.lacking(context.store, SYSTEMS, context.today)
    is_late = bool(months.missing(context.store, SYSTEMS, context.today))
    may_write = context.has(Right.PUBLISH)
    return {
        "names": names,
        "is_late": is_late,
        "may_write": may_write,
        "month": month,
        "month_text": long(month),
    }


LATEST = Panel(
    key="driftsstatus.seneste",
    title="Driftsstatus",
    place="system",
    template="driftsstatus/panel.html",
    applies=lambda view: isinstance(view, SystemView) and view.code in SYSTEMS,
    data=_latest,
)
MISSING = Panel(
    key="driftsstatus.mangler",
    title="Månedens driftsstatus",
    place="front",
    template="driftsstatus/missing.html",
    applies=lambda view: isinstance(view, FrontView) and view.kombit,
    data=_missing,
)
