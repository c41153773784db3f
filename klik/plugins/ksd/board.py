"""KSD's pages: the blocking board for leaders, and the catalogue of task types with how they are solved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request

from klik.plugins import PluginContext, Right, clock, long_date, page_access
from klik.plugins.ksd import beginnings, catalogue, frequent, groups, municipalities, reports, trend
from klik.plugins.ksd.ages import LABELS, age_of, month_in_words
from klik.plugins.ksd.payment import next_cut_off, solved_now, time_left
from klik.plugins.ksd.reports import Report

blueprint = Blueprint("ksd", __name__, template_folder="templates")
# What has its own line in the weeks' chart.
DRAWN = ("udbetaling", "afgoerelse", "graensevaerdi")


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the board is narrowed to: one municipality (for KOMBIT), an age, a month."""

    municipality: int | None
    name: str
    age: str
    month: str

    @property
    def words(self) -> str:
        """The chosen age or month, in words."""
        return LABELS[self.age] if self.age else month_in_words(self.month) if self.month else ""


@blueprint.get("/")
@page_access(Right.READ_TASKS)
def show(context: PluginContext) -> str:
    """The board. Suppliers have no business with a municipality's open cases."""
    if context.municipality is None and not context.kombit:
        abort(404)
    narrowed = _narrowed(context)
    assert context.store is not None
    sums = reports.open_now(context.store, narrowed.municipality)
    shown = [each for each in sums if _fits(each.month, narrowed, context)]
    whole_country = narrowed.municipality is None
    return render_template(
        "ksd/board.html",
        **facts(context, reports.newest(context.store, narrowed.municipality)),
        narrowed=narrowed,
        groups=groups.groups(shown),
        totals={group.blocks: group.total for group in groups.groups(sums)},
        ages=groups.by_age(sums, context.today),
        months=groups.by_month(sums),
        classes=catalogue.CLASSES,
        short=catalogue.SHORT_CLASSES,
        card_words=catalogue.CARD_WORDS,
        words=lambda shown: [catalogue.SHORT_CLASSES[blocks] for blocks in shown],
        columns=groups.classes_in(groups.by_age(sums, context.today)),
        solved_now=lambda blocks: solved_now(blocks, context.now),
        begin=lambda line, blocks: beginnings.task_of_row(context, line.title, line.count, blocks),
        places=municipalities.all_places(context, _order()) if whole_country else None,
        heading=_heading,
        whole_country=whole_country,
        may_read_in=context.municipality is not None and context.has(Right.CHANGE_ANY_TASK),
        **_weeks(context, narrowed.municipality),
    )


@blueprint.get("/opgavetyper")
@page_access(Right.READ_TASKS)
def types(context: PluginContext) -> str:
    """The 56 blocking types, the most frequent ones, how they are solved, and what leaders settle beforehand.

    Of suppliers only KSD's own sees it.
    """
    sees_board = context.municipality is not None or context.kombit
    if not sees_board and "ksd" not in context.systems:
        abort(404)
    by_class = {
        blocks: tuple(each for each in catalogue.task_types().values() if each.blocks == blocks)
        for blocks in catalogue.BLOCKING
    }
    return render_template(
        "ksd/types.html",
        catalogue=by_class,
        classes=catalogue.CLASSES,
        short=catalogue.SHORT_CLASSES,
        all_types=catalogue.ALL_TYPES,
        not_blocking=catalogue.NOT_BLOCKING,
        seen_types=catalogue.SEEN_TYPES,
        frequent=frequent.most_frequent(),
        in_the_guide=frequent.IN_THE_GUIDE,
        solutions=[each.solution for each in frequent.most_frequent() if each.solution]
        + [frequent.limit_solution()],
        questions=beginnings.QUESTIONS,
        begin_questions=beginnings.questions_of_leaders(context),
        sees_board=sees_board,
    )


def facts(context: PluginContext, newest: Mapping[int, Report]) -> dict[str, Any]:
    """The next payment run and the newest of these reports, in words."""
    last = max(newest.values(), key=lambda report: report.read_at, default=None)
    return {
        "cut_off": long_date(next_cut_off(context.now).date()),
        "time_left": time_left(context.now),
        "read_at": clock(last.read_at) if last else None,
        "too_old": last is not None and municipalities.is_too_old(last.day, context.today),
        "reported": len(newest),
    }


def _narrowed(context: PluginContext) -> Narrowed:
    """What the address asks for, where it makes sense; a municipality sees its own, whatever is asked."""
    municipality, name = context.municipality, context.place
    wanted = request.args.get("kommune", "")
    if context.kombit and wanted:
        assert context.klik is not None
        known = {str(each.code): each for each in context.klik.municipalities("ksd")}
        if wanted not in known:
            abort(404)
        municipality, name = known[wanted].code, known[wanted].name
    age, month = request.args.get("alder", ""), request.args.get("maaned", "")
    return Narrowed(
        municipality, name, age if age in LABELS else "", month if _is_month(month) and not age else ""
    )


def _order() -> str:
    wanted = request.args.get("sorter", "")
    return wanted if wanted in municipalities.ORDERS else municipalities.MOST_BLOCKED_FIRST


def _heading(column: str, label: str, order: str) -> Mapping[str, str | None]:
    """A heading of the municipalities' table, as the table macro takes it."""
    kept = {name: request.args[name] for name in ("alder", "maaned") if name in request.args}
    wanted = kept | {"sorter": municipalities.next_order(order, column)}
    sorted_now = "descending" if order.startswith("-") else "ascending"
    return {
        "label": label,
        "sort_href": f"?{urlencode(wanted)}#kommuner",
        "sorted": sorted_now if order.removeprefix("-") == column else None,
    }


def _is_month(text: str) -> bool:
    return re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", text, re.ASCII) is not None


def _fits(month: str, narrowed: Narrowed, context: PluginContext) -> bool:
    if narrowed.age:
        return age_of(month, context.today) == narrowed.age
    return not narrowed.month or month == narrowed.month


def _weeks(context: PluginContext, municipality: int | None) -> Mapping[str, Any]:
    assert context.store is not None
    found = trend.weeks(context.store, context.today, municipality)
    shown = [blocks for blocks in DRAWN if any(each.counts.get(blocks) for each in found)]
    charts = {blocks: trend.draw(found, blocks) for blocks in shown}
    return {
        "weeks": tuple(reversed(found)),
        "charts": {blocks: chart for blocks, chart in charts.items() if chart},
        "week_columns": [
            blocks for blocks in catalogue.CLASSES if any(each.counts.get(blocks) for each in found)
        ],
    }
