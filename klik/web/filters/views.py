"""Saved filters: saving one from the list, using them, and the page where a person keeps them in order."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.models import SavedFilter
from klik.services import access as door
from klik.services import filtering, saved_filters
from klik.services.criteria import Criteria, QueryTooLongError
from klik.services.errors import RefusedError
from klik.services.saved_filters import health, saving, sharing, uses
from klik.services.work import Work
from klik.web.base import access, safe_next, see_other
from klik.web.filters.page import Refusal, page
from klik.web.tasks.panel import list_address

blueprint = Blueprint("filters", __name__)
_OFTEN = {"dagligt": "hver dag", "ugentligt": "hver mandag"}


@blueprint.get("/filtre")
@access(Right.SAVE_FILTERS)
def index(work: Work) -> Any:
    """The filters the person can use, in words and with their counts."""
    return page(work)


@blueprint.get("/filtre/<id:filter_id>/aabn")
@access(Right.SAVE_FILTERS)
def show(work: Work, filter_id: int) -> Response:
    """The list with this filter, as it is saved now; the address mails lead to."""
    return redirect(f"/opgaver?{door.saved_filter(work, filter_id).query}", 303)


@blueprint.post("/filtre")
@access(Right.SAVE_FILTERS)
def save(work: Work) -> Any:
    """Save the list's filter under a name, or over one of one's own."""
    form = request.form
    name, query = form.get("navn", ""), form.get("filter", "")
    chosen = {"stjerne": "stjerne" in form, "standard": "standard" in form, "mail": form.get("mail", "ingen")}
    try:
        criteria = _criteria(work, query)
        if "opdater" in form:
            filter_id, _dash, version = form["opdater"].partition("-")
            row = saving.change(work, _number(filter_id), _number(version), criteria)
            flash(f"Filteret “{row.name}” viser nu det samme som listen.", "success")
        else:
            row = saving.save(work, name, criteria)
            _use(work, row, chosen)
            flash(f"Filteret “{row.name}” er gemt.", "success")
    except RefusedError as error:
        return page(work, Refusal(_sentence(error), typed=name, query=query, chosen=chosen)), 422
    return redirect(list_address(filtering.read(work.registry, row.query)), 303)


@blueprint.post("/filtre/<id:filter_id>/navn")
@access(Right.SAVE_FILTERS)
def rename(work: Work, filter_id: int) -> Any:
    """Give a filter another name."""
    name = request.form.get("navn", "")
    try:
        row = saving.rename(work, filter_id, _version(), name)
    except RefusedError as error:
        return page(work, Refusal(_sentence(error), filter_id, "navn", typed=name)), 422
    flash(f"Filteret hedder nu “{row.name}”.", "success")
    return _back_to(filter_id)


@blueprint.post("/filtre/<id:filter_id>/slet")
@access(Right.SAVE_FILTERS)
def remove(work: Work, filter_id: int) -> Response:
    """Delete a filter."""
    flash(f"Filteret “{saving.remove(work, filter_id)}” er slettet.", "success")
    return see_other("filters.index")


@blueprint.post("/filtre/<id:filter_id>/kopi")
@access(Right.SAVE_FILTERS)
def copy(work: Work, filter_id: int) -> Any:
    """Make a filter into one of one's own."""
    try:
        row = saving.copy(work, filter_id)
    except RefusedError as error:
        return page(work, Refusal(_sentence(error), filter_id, "kopi")), 422
    flash(f"“{row.name}” er nu et af dine egne filtre.", "success")
    return _back_to(row.id)


@blueprint.post("/filtre/<id:filter_id>/ret")
@access(Right.SAVE_FILTERS)
def mend(work: Work, filter_id: int) -> Any:
    """Put other values in the place of those that name nothing any more."""
    pointed, new = request.form.getlist("peger"), request.form.getlist("ny")
    changes = [(*_pair(old), value) for old, value in zip(pointed, new, strict=False)]
    try:
        row = health.mend(work, filter_id, _version(), changes)
    except RefusedError as error:
        return page(work, Refusal(_sentence(error), filter_id, "ret")), 422
    flash(f"Filteret “{row.name}” er rettet.", "success")
    return _back_to(filter_id)


@blueprint.post("/filtre/<id:filter_id>/standard")
@access(Right.SAVE_FILTERS)
def make_default(work: Work, filter_id: int) -> Response:
    """Let the list open with this filter, or no longer."""
    wanted = request.form.get("til") == "ja"
    row = uses.make_default(work, filter_id, wanted)
    if wanted:
        flash(f"Listen åbner nu med “{row.name}”.", "success")
    else:
        flash(f"Listen åbner ikke længere med “{row.name}”.", "success")
    return _back_to(filter_id)


@blueprint.post("/filtre/<id:filter_id>/fastgoer")
@access(Right.SAVE_FILTERS)
def pin(work: Work, filter_id: int) -> Response:
    """Keep a filter on top, or let it go; back to where the star was pressed."""
    wanted = request.form.get("til") == "ja"
    row = uses.pin(work, filter_id, wanted)
    flash(f"“{row.name}” står nu {'øverst' if wanted else 'på sin plads efter navn'}.", "success")
    target = safe_next(request.form.get("tilbage", "/filtre"))
    return redirect(f"{target.partition('#')[0]}#stjerne-{filter_id}", 303)


@blueprint.post("/filtre/<id:filter_id>/mail")
@access(Right.SAVE_FILTERS)
def subscribe(work: Work, filter_id: int) -> Any:
    """Mail the filter's tasks every day or every Monday, or stop."""
    how_often = request.form.get("mail", "")
    try:
        row = uses.subscribe(work, filter_id, how_often)
    except RefusedError as error:
        return page(work, Refusal(_sentence(error), filter_id, "mail")), 422
    if often := _OFTEN.get(how_often):
        flash(f"Du får en mail {often}, når der er opgaver i “{row.name}”.", "success")
    else:
        flash(f"Du får ikke længere mail om “{row.name}”.", "success")
    return _back_to(filter_id)


@blueprint.post("/filtre/<id:filter_id>/deling")
@access(Right.SHARE_FILTERS)
def share(work: Work, filter_id: int) -> Response:
    """Share a filter with the municipality, or as KOMBIT with everyone; or take it back."""
    wanted = request.form.get("til") == "ja"
    row = sharing.share(work, filter_id, wanted)
    if not wanted:
        flash(f"“{row.name}” deles ikke længere.", "success")
    elif row.shared == saved_filters.WITH_ALL:
        flash(f"“{row.name}” kan nu bruges af alle i klik.", "success")
    else:
        flash(f"“{row.name}” kan nu bruges af alle i {saved_filters.place_name(work)}.", "success")
    return _back_to(filter_id)


@blueprint.post("/filtre/<id:filter_id>/niveauer")
@access(Right.SHARE_FILTERS)
def open_with(work: Work, filter_id: int) -> Any:
    """Choose whose lists open with a shared filter."""
    try:
        row = sharing.open_with(work, filter_id, request.form.getlist("niveau"))
    except RefusedError as error:
        return page(work, Refusal(_sentence(error), filter_id, "niveau")), 422
    flash(f"Det er gemt, hvem der åbner listen med “{row.name}”.", "success")
    return _back_to(filter_id)


def _use(work: Work, row: SavedFilter, chosen: dict[str, Any]) -> None:
    if chosen["stjerne"]:
        uses.pin(work, row.id)
    if chosen["standard"]:
        uses.make_default(work, row.id)
    if chosen["mail"] != saved_filters.NEVER:
        uses.subscribe(work, row.id, chosen["mail"])


def _criteria(work: Work, query: str) -> Criteria:
    try:
        return filtering.select_tasks(work, filtering.read(work.registry, query)).criteria
    except QueryTooLongError as error:
        raise RefusedError({"navn": str(error)}) from error


def _version() -> int:
    return _number(request.form.get("version", ""))


def _number(typed: str) -> int:
    """A whole number as a form holds it; 0, which names nothing, for anything else."""
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def _pair(typed: str) -> tuple[str, str]:
    key, _equals, value = typed.partition("=")
    return key, value


def _sentence(error: RefusedError) -> str:
    return " ".join(error.problems.values())


def _back_to(filter_id: int) -> Response:
    return see_other("filters.index", _anchor=f"filter-{filter_id}")
