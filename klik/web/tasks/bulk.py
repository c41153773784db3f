"""Changing many tasks of the list at once: choose a field, see what it does, store it, and undo it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.models import BulkChange
from klik.services import access as doors
from klik.services import filtering, idempotency
from klik.services.criteria import Criteria, QueryTooLongError
from klik.services.errors import ForbiddenError, NotFoundError, RefusedError
from klik.services.tasks import history as task_history
from klik.services.tasks.bulk import chosen, storing, undoing
from klik.services.tasks.bulk.preview import Preview, StaleError, preview
from klik.services.work import Work
from klik.web.base import access
from klik.web.tasks import panel
from klik.web.tasks.bulk_form import VALUE, BulkForm, bulk_form

blueprint = Blueprint("bulk", __name__, url_prefix="/opgaver")
SHOWN = 200
NOTHING_TICKED = "Sæt først et mark ud for de opgaver, du vil rette."
_JUST_STORED = "rettet"
_PAIR = re.compile(r"([1-9][0-9]{0,9}):([0-9]{1,9})")


@blueprint.post("/ret-flere")
@access(Right.READ_TASKS)
def choose(work: Work) -> Any:
    """From the ticks to a field, from the field to a value, and from the value to what it would do."""
    doors.require_changer(work)
    try:
        versions = _versions(work)
    except RefusedError as refused:
        flash(" ".join(refused.problems.values()), "warning")
        return redirect(_list(), 303)
    if not versions:
        flash(NOTHING_TICKED, "warning")
        return redirect(_list(), 303)
    form = bulk_form(work, chosen.load(work, list(versions)).values())
    if not form.ready():
        return _page(work, form, versions)
    if not form.validate():
        return _page(work, form, versions), 422
    try:
        return _page(work, form, versions, preview(work, form.wanted(), versions))
    except RefusedError as refused:
        form.form_errors.extend(refused.problems.values())
        return _page(work, form, versions), 422


@blueprint.post("/ret-flere/gem")
@access(Right.READ_TASKS)
def store(work: Work) -> Any:
    """Store it and go back to the list; where tasks were changed meanwhile, both values are shown (409)."""
    doors.require_changer(work)
    if earlier := idempotency.earlier_result(work.session, request.form.get("idempotency_key")):
        return redirect(earlier, 303)
    versions = _pairs(" ".join([request.form.get("opgaver", ""), *request.form.getlist("overskriv")]))
    if not versions:
        flash(NOTHING_TICKED, "warning")
        return redirect(_list(), 303)
    form = bulk_form(work, chosen.load(work, list(versions)).values())
    if not form.ready() or not form.validate():
        return _page(work, form, versions), 422
    try:
        change = storing.store(work, form.wanted(), versions)
    except RefusedError as refused:
        form.form_errors.extend(refused.problems.values())
        return _page(work, form, versions), 422
    except StaleError as stale:
        changed = {line.task_id for line in stale.preview.changed_since}
        left = {task: version for task, version in versions.items() if task not in changed}
        return _page(work, form, left, stale.preview), 409
    target = _list()
    session[_JUST_STORED] = change.id
    idempotency.remember(work, form.idempotency_key.data, "ret-flere", target)
    return redirect(target, 303)


@blueprint.get("/rettelser")
@access(Right.READ_TASKS)
def index(work: Work) -> str:
    """One's own latest bulk changes."""
    return render_template("tasks/bulk_changes.html", changes=undoing.latest(work))


@blueprint.get("/rettelser/<id:change_id>")
@access(Right.READ_TASKS)
def show(work: Work, change_id: int) -> str:
    """One of them, task by task."""
    change = doors.own_bulk_change(work, change_id)
    return render_template("tasks/bulk_change.html", change=change, items=undoing.items(work, change))


@blueprint.post("/rettelser/<id:change_id>/fortryd")
@access(Right.READ_TASKS)
def undo(work: Work, change_id: int) -> Response:
    """Put back what it replaced."""
    try:
        undone = undoing.undo(work, change_id)
    except RefusedError as refused:
        flash(" ".join(refused.problems.values()), "info")
        return redirect(url_for("bulk.show", change_id=change_id), 303)
    count = "1 opgave er" if undone.restored == 1 else f"{_number(undone.restored)} opgaver er"
    if undone.left:
        flash(
            f"{count} sat tilbage. {_number(len(undone.left))} er ændret siden og står, som de er.", "warning"
        )
        return redirect(url_for("bulk.show", change_id=change_id), 303)
    flash(f"{count} sat tilbage.", "success")
    return redirect(_list(), 303)


@blueprint.app_context_processor
def _for_the_list() -> dict[str, Any]:
    return {"just_stored": _just_stored}


def _just_stored() -> BulkChange | None:
    """The bulk change somebody comes from, once: the list then offers to undo it."""
    change_id = session.pop(_JUST_STORED, None)
    if change_id is None or "klik_work" not in g:
        return None
    try:
        return doors.own_bulk_change(g.klik_work, change_id)
    except (NotFoundError, ForbiddenError):
        return None


def _versions(work: Work) -> Mapping[int, int]:
    """The tasks meant, with the version the person has seen: resolved once, from then on carried along."""
    if "opgaver" in request.form:
        return _pairs(request.form["opgaver"])
    if request.form.get("alle") == "ja":
        return chosen.in_filter(work, filtering.select_tasks(work, _criteria(work)))
    ticked = [int(each) for each in request.form.getlist("opgave") if re.fullmatch(r"[1-9][0-9]{0,9}", each)]
    return chosen.versions(work, [each for each in ticked if each < 2**31])


def _pairs(text: str) -> dict[int, int]:
    pairs = ((int(task), int(version)) for task, version in _PAIR.findall(text))
    return {task: version for task, version in pairs if task < 2**31}


def _criteria(work: Work) -> Criteria:
    try:
        return filtering.read(work.registry, request.form.get("filter", ""))
    except QueryTooLongError:
        return Criteria()


def _list() -> str:
    """The list the person came from; its filter is all that is taken from the form."""
    return panel.list_address(_criteria(g.klik_work))


def _page(work: Work, form: BulkForm, versions: Mapping[int, int], found: Preview | None = None) -> str:
    form.tasks.data = ",".join(f"{task}:{version}" for task, version in versions.items())
    clashes = found.changed_since if found else ()
    return render_template(
        "tasks/bulk.html",
        form=form,
        count=len(versions) + len(clashes),
        preview=found,
        shown=found.lines[:SHOWN] if found else (),
        clashes=[(line, task_history.last_change(work, line.task, form.field.data)) for line in clashes],
        value_name=VALUE,
        back=_list(),
    )


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".")
