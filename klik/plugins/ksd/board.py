"""The blocking board: what is unsolved by class, with the time left until the payment run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, render_template
from sqlalchemy import func, select

from klik.plugins import Panel, PluginContext, Right, SystemView, clock, long_date, page_access
from klik.plugins.ksd.catalogue import CLASSES, task_types, types_named
from klik.plugins.ksd.payment import next_cut_off, time_left
from klik.plugins.ksd.tables import open_tasks, reports

blueprint = Blueprint("ksd", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class Line:
    """One task type on the board; ``ids`` is "2 eller 49" where the title does not tell them apart."""

    ids: str
    title: str
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    """One class on the board, the largest counts first."""

    blocks: str
    title: str
    total: int
    lines: tuple[Line, ...]


def groups(context: PluginContext) -> tuple[Group, ...]:
    """What is unsolved: a municipality's own; for KOMBIT the sum of all."""
    assert context.store is not None
    statement = select(
        open_tasks.c.blocks, open_tasks.c.title, func.sum(open_tasks.c.count).label("total")
    ).group_by(open_tasks.c.blocks, open_tasks.c.title)
    if context.municipality is not None:
        statement = statement.where(open_tasks.c.municipality == context.municipality)
    lines: dict[str, list[Line]] = {}
    for row in context.store.execute(statement):
        ids = " eller ".join(str(each.id) for each in types_named(row.title))
        lines.setdefault(row.blocks, []).append(Line(ids, row.title, int(row.total)))
    return tuple(
        Group(
            blocks,
            title,
            sum(line.count for line in lines[blocks]),
            tuple(sorted(lines[blocks], key=lambda line: (-line.count, line.title))),
        )
        for blocks, title in CLASSES.items()
        if blocks in lines
    )


def _read_at(context: PluginContext) -> datetime | None:
    assert context.store is not None
    statement = select(func.max(reports.c.read_at))
    if context.municipality is not None:
        statement = statement.where(reports.c.municipality == context.municipality)
    moment = context.store.execute(statement).scalar()
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def summary(context: PluginContext) -> dict[str, Any]:
    """What board and panel both show, in words."""
    read_at = _read_at(context)
    return {
        "groups": groups(context),
        "cut_off": long_date(next_cut_off(context.now).date()),
        "time_left": time_left(context.now),
        "read_at": clock(read_at) if read_at else None,
        "whole_country": context.municipality is None,
    }


@blueprint.get("/")
@page_access(Right.READ_TASKS)
def show(context: PluginContext) -> str:
    """The board. Suppliers have no business with a municipality's open cases."""
    if context.municipality is None and not context.kombit:
        abort(404)
    return render_template("ksd/board.html", catalogue=_catalogue(), **summary(context))


def _catalogue() -> Mapping[str, tuple[Any, ...]]:
    return {
        CLASSES[blocks]: tuple(each for each in task_types().values() if each.blocks == blocks)
        for blocks in ("udbetaling", "afgoerelse", "brev")
    }


def _panel(_view: Any, context: PluginContext) -> Mapping[str, Any]:
    # A supplier sees the system's page; the municipalities' open cases it does not.
    if context.municipality is None and not context.kombit:
        return {"groups": (), "read_at": None, "cut_off": "", "time_left": ""}
    shown = summary(context)
    totals = [(group.title, f"{group.total:,}".replace(",", ".")) for group in shown["groups"]]
    return {**{name: shown[name] for name in ("read_at", "cut_off", "time_left")}, "groups": totals}


PANEL = Panel(
    key="ksd.blokeringstavle",
    title="Blokerende opgaver",
    place="system",
    template="ksd/panel.html",
    applies=lambda view: isinstance(view, SystemView) and view.code == "ksd",
    data=_panel,
)
