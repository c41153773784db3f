"""The page where a person chooses the list's columns, rows a page and groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.services import columns, filtering, grouping, list_settings
from klik.services.criteria import GROUPINGS, PAGE_SIZES, Criteria, QueryTooLongError
from klik.services.list_settings import Wanted
from klik.services.work import Work
from klik.web.base import access
from klik.web.tasks.panel import list_address

blueprint = Blueprint("list_columns", __name__, url_prefix="/opgaver/kolonner")
LARGEST_PLACE = 99


@dataclass(frozen=True, slots=True)
class Line:
    """A column to tick, with its place as it stands or was typed, and what is wrong with it."""

    word: str
    label: str
    chosen: bool
    place: str
    problem: str | None = None


@blueprint.get("")
@access(Right.READ_TASKS)
def index(work: Work) -> str:
    """The form, with what the person has chosen."""
    wanted = list_settings.read(work)
    return _page(work, _lines(work, wanted), wanted)


@blueprint.post("")
@access(Right.READ_TASKS)
def store(work: Work) -> Any:
    """Remember what was chosen and go back to the list."""
    ticked = set(request.form.getlist("kolonne"))
    lines = [
        _typed(word, label, word in ticked, request.form.get(f"plads-{word}", ""))
        for word, label in _choosable(work).items()
    ]
    size, word = request.form.get("pr_side", ""), request.form.get("grupper", "")
    page_size = int(size) if size in map(str, PAGE_SIZES) else None
    group = word if word in GROUPINGS else None
    if any(line.problem for line in lines):
        return _page(work, lines, Wanted((), page_size, group)), 422
    chosen = [line for line in lines if line.chosen]
    chosen.sort(key=lambda line: int(line.place or LARGEST_PLACE + 1))
    list_settings.choose(work, [line.word for line in chosen], page_size, group)
    flash("Listen er sat op. Klik husker det til næste gang.", "success")
    return _back(work)


@blueprint.post("/nulstil")
@access(Right.READ_TASKS)
def reset(work: Work) -> Response:
    """Back to the usual columns."""
    list_settings.reset(work)
    flash("Listen er igen, som den plejer.", "success")
    return _back(work)


def _criteria(work: Work) -> Criteria:
    try:
        return filtering.read(work.registry, request.query_string.decode("utf-8", "replace"))
    except QueryTooLongError:
        abort(414)


def _back(work: Work) -> Response:
    """The list they came from, with what is now usual instead of what its address said."""
    criteria = replace(_criteria(work), size=None, grouped_by=None)
    return redirect(list_address(criteria.on_page(1)), 303)


def _choosable(work: Work) -> Mapping[str, str]:
    return {word: label for word, label in columns.offered(work).items() if word not in columns.FIXED}


def _lines(work: Work, wanted: Wanted) -> list[Line]:
    """The chosen columns in their order, then the others."""
    labels = _choosable(work)
    chosen = [word for word in wanted.columns if word in labels]
    found = [Line(word, labels[word], True, str(place)) for place, word in enumerate(chosen, start=1)]
    return [*found, *(Line(word, label, False, "") for word, label in labels.items() if word not in chosen)]


def _typed(word: str, label: str, chosen: bool, place: str) -> Line:
    typed = place.strip()
    good = not typed or (typed.isascii() and typed.isdigit() and len(typed) <= 2 and int(typed) > 0)
    problem = None if good else f"Pladsen for {label} skal være et helt tal fra 1 til {LARGEST_PLACE}."
    return Line(word, label, chosen, typed, problem)


def _page(work: Work, lines: list[Line], wanted: Wanted) -> str:
    return render_template(
        "tasks/columns.html",
        lines=lines,
        wanted=wanted,
        sizes=PAGE_SIZES,
        groupings=grouping.offered(work),
        query=_criteria(work).link_query(),
    )
