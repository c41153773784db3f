"""Saved filters: saving one from the list, and the page where a person keeps them in order."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.models import SavedFilter
from klik.services import filtering, listing, news, saved_filters, vocabulary
from klik.services.criteria import Criteria, QueryTooLongError
from klik.services.errors import RefusedError
from klik.services.work import Work
from klik.web.base import access, see_other
from klik.web.tasks.panel import list_address, since_address

blueprint = Blueprint("filters", __name__)


@blueprint.get("/filtre")
@access(Right.SAVE_FILTERS)
def index(work: Work) -> Any:
    """The person's saved filters, in words and with their counts."""
    return _page(work)


@blueprint.post("/filtre")
@access(Right.SAVE_FILTERS)
def save(work: Work) -> Any:
    """Save the list's filter under a name."""
    name, query = request.form.get("navn", ""), request.form.get("filter", "")
    try:
        row = saved_filters.save(work, name, _criteria(work, query))
    except RefusedError as error:
        return _page(work, typed=name, query=query, problem=_sentence(error)), 422
    flash(f"Filteret “{row.name}” er gemt.", "success")
    return redirect(list_address(filtering.read(work.registry, row.query)), 303)


@blueprint.post("/filtre/<id:filter_id>/navn")
@access(Right.SAVE_FILTERS)
def rename(work: Work, filter_id: int) -> Any:
    """Give a filter another name."""
    name, version = request.form.get("navn", ""), request.form.get("version", "")
    number = int(version) if version.isascii() and version.isdigit() and len(version) < 9 else 0
    try:
        row = saved_filters.rename(work, filter_id, number, name)
    except RefusedError as error:
        return _page(work, renamed=filter_id, typed=name, problem=_sentence(error)), 422
    flash(f"Filteret hedder nu “{row.name}”.", "success")
    return see_other("filters.index")


@blueprint.post("/filtre/<id:filter_id>/slet")
@access(Right.SAVE_FILTERS)
def remove(work: Work, filter_id: int) -> Response:
    """Delete a filter."""
    flash(f"Filteret “{saved_filters.remove(work, filter_id)}” er slettet.", "success")
    return see_other("filters.index")


@blueprint.post("/filtre/<id:filter_id>/standard")
@access(Right.SAVE_FILTERS)
def make_default(work: Work, filter_id: int) -> Response:
    """Let the list open with this filter, or no longer."""
    row = saved_filters.make_default(work, filter_id, request.form.get("til") == "ja")
    flash(
        f"Listen åbner nu med “{row.name}”." if row.is_default else "Listen åbner nu med alle åbne opgaver.",
        "success",
    )
    return see_other("filters.index")


@blueprint.post("/filtre/<id:filter_id>/fastgoer")
@access(Right.SAVE_FILTERS)
def pin(work: Work, filter_id: int) -> Response:
    """Keep a filter on top, or let it go."""
    row = saved_filters.pin(work, filter_id, request.form.get("til") == "ja")
    flash(f"“{row.name}” står nu {'øverst' if row.pinned else 'på sin plads efter navn'}.", "success")
    return see_other("filters.index")


def _criteria(work: Work, query: str) -> Criteria:
    try:
        return filtering.select_tasks(work, filtering.read(work.registry, query)).criteria
    except QueryTooLongError as error:
        raise RefusedError({"navn": str(error)}) from error


def _shown(typed: str) -> str:
    """What was typed, as far as a page can carry it: a character no page may hold becomes a mark."""
    return "".join(character if character.isprintable() else "\ufffd" for character in typed)


def _sentence(error: RefusedError) -> str:
    return " ".join(error.problems.values())


def _page(
    work: Work, *, typed: str = "", query: str = "", renamed: int | None = None, problem: str | None = None
) -> str:
    # A refused name must not be written by the questions that draw the page.
    with work.session.no_autoflush:
        work.session.expire_all()
        saved = saved_filters.own(work)
        criteria = {row.id: filtering.read(work.registry, row.query) for row in saved}
        words = vocabulary.read(work, criteria.values())
        selections = {key: filtering.select_tasks(work, each, words) for key, each in criteria.items()}
        counts = listing.count(work, filtering.select_tasks(work, Criteria(), words), selections)
        fresh = news.since_yesterday(work, selections, counts.others)
        entries = [
            _entry(work, row, selections[row.id], counts.others[row.id])
            | {"news": fresh.get(row.id), "since_href": since_address(selections[row.id].criteria)}
            for row in saved
        ]
    return render_template(
        "filters/index.html",
        entries=entries,
        most=saved_filters.MOST,
        typed=_shown(typed),
        query=_shown(query),
        renamed=renamed,
        problem=problem,
    )


def _entry(work: Work, row: SavedFilter, selection: filtering.Selection, count: int) -> dict[str, Any]:
    registry = work.registry
    return {
        "id": row.id,
        "name": row.name,
        "version": row.version,
        "href": list_address(selection.criteria),
        "count": count,
        "is_default": row.is_default,
        "pinned": row.pinned,
        "words": [
            f"{registry.filters[key].label}: {filtering.label(registry, selection.words, key, value)}"
            for key, value in selection.criteria.pairs()
        ],
        "remarks": selection.remarks,
    }
