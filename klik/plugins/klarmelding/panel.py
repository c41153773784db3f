"""The front page in a few lines: what is missing for a municipality, what is asked of a supplier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from klik.plugins import FrontView, Panel, PluginContext
from klik.plugins.klarmelding.agreements import own
from klik.plugins.klarmelding.readiness import is_supplier, load


def _sentences(context: PluginContext) -> tuple[str, ...]:
    if context.store is None:
        return ()
    if is_supplier(context):
        sheets = load(context)
        unsaid = sum(1 for sheet in sheets if not any(line.said for line in sheet.lines))
        found = (
            [f"I står på {_counted(len(sheets), 'klarmeldingsark', 'klarmeldingsark')}."] if sheets else []
        )
        if unsaid:
            found.append(f"{_counted(unsaid, 'ark', 'ark')} venter på jeres selvangivelse.")
        return tuple(found)
    bought = own(context)
    lacking = [(each, len(each.lacking)) for each in bought if each.lacking]
    late = sum(demand.late(context.today) for each in bought for demand in each.demands)
    found = [
        f"{each.system}: {_counted(many, 'snitflade', 'snitflader')} mangler." for each, many in lacking[:3]
    ]
    if len(lacking) > 3:
        found.append(f"{_counted(len(lacking) - 3, 'system', 'systemer')} mere mangler snitflader.")
    if late:
        found.append(f"{_counted(late, 'frist', 'frister')} for en snitflade er overskredet.")
    return tuple(found)


def _counted(many: int, one: str, several: str) -> str:
    return f"{many} {one if many == 1 else several}"


def _data(_view: Any, context: PluginContext) -> Mapping[str, Any]:
    return {"sentences": _sentences(context), "supplier": is_supplier(context)}


PANEL = Panel(
    key="klarmelding.mangler",
    title="Snitflader",
    place="front",
    template="klarmelding/panel.html",
    applies=lambda view: isinstance(view, FrontView) and not view.kombit,
    data=_data,
)
