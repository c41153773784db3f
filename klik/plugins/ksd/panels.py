"""The board in short: on KSD's page, and on the front page of a municipality that reads its reports in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klik.plugins import FrontView, Panel, PluginContext, SystemView
from klik.plugins.ksd import groups, reports
from klik.plugins.ksd.board import facts

# The templates come out empty, so the panels are left out.
NOTHING: Mapping[str, Any] = {"shown": False}


def _on_system(_view: Any, context: PluginContext) -> Mapping[str, Any]:
    # A supplier sees the system's page; the municipalities' open cases it does not.
    if context.municipality is None and not context.kombit:
        return NOTHING
    assert context.store is not None
    found = groups.groups(reports.open_now(context.store, context.municipality))
    totals = [(group.title, _number(group.total)) for group in found]
    return facts(context, reports.newest(context.store, context.municipality)) | {
        "groups": totals,
        "shown": True,
    }


def _on_front(_view: Any, context: PluginContext) -> Mapping[str, Any]:
    assert context.store is not None
    newest = reports.newest(context.store, context.municipality)
    if context.municipality is None or not newest:
        return NOTHING
    report = newest[context.municipality]
    totals = reports.totals(context.store, context.municipality).get((report.municipality, report.day), {})
    return facts(context, newest) | {
        "blocking": _tasks(totals.get("udbetaling", 0)),
        "shown": True,
        "limits": _tasks(totals["graensevaerdi"]) if totals.get("graensevaerdi") else "",
        "decisions": _tasks(totals["afgoerelse"]) if totals.get("afgoerelse") else "",
    }


def _tasks(count: int) -> str:
    if not count:
        return "Ingen opgaver"
    return f"{_number(count)} {'opgave' if count == 1 else 'opgaver'}"


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".")


PANELS = (
    Panel(
        key="ksd.blokeringstavle",
        title="Blokerende opgaver",
        place="system",
        template="ksd/panel.html",
        applies=lambda view: isinstance(view, SystemView) and view.code == "ksd",
        data=_on_system,
    ),
    Panel(
        key="ksd.forside",
        title="KSD før udbetalingskørslen",
        place="front",
        template="ksd/front.html",
        applies=lambda view: isinstance(view, FrontView) and view.municipality is not None,
        data=_on_front,
    ),
)
