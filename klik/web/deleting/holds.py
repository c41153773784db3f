"""Keeping tasks beyond the last day: the municipality asks for one or several, KOMBIT answers one or many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, render_template, request

from klik.domain.calendar import short_date
from klik.domain.rights import Right
from klik.models import Deletion
from klik.services import access, deleting
from klik.services.deleting import progress as deletion_progress
from klik.services.errors import NotFoundError, RefusedError
from klik.services.work import Work
from klik.web import errors
from klik.web.base import access as allow
from klik.web.base import see_other
from klik.web.deleting.forms import AnswerForm, KeepForm, row_ids, say

blueprint = Blueprint("deletion_holds", __name__)
# What the form suggests: half a year after the last day.
USUAL = timedelta(days=182)


def _suggested(deletion: Deletion, today: date) -> str:
    return short_date(max(deletion.last_day, today) + USUAL)


@blueprint.get("/sletning/<id:deletion_id>/behold")
@allow(Right.FETCH_DELETION)
def keeping_several(work: Work, deletion_id: int) -> Any:
    """The municipality's form for the ticked tasks (``item_ids`` in the address)."""
    deletion = access.deletion(work, deletion_id)
    ticked = row_ids(request.args.getlist("item_ids"))
    if not ticked:
        flash("Sæt kryds ved de opgaver, I vil beholde, og vælg “Bed om at beholde”.", "warning")
        return see_other("deleting.show", deletion_id=deletion_id)
    form = KeepForm(formdata=None, data={"until": _suggested(deletion, work.today)})
    return _keep(work, deletion_id, ticked, form)


@blueprint.post("/sletning/<id:deletion_id>/behold")
@allow(Right.FETCH_DELETION)
def keep_several(work: Work, deletion_id: int) -> Any:
    """Ask KOMBIT to keep the ticked tasks."""
    access.deletion(work, deletion_id)
    return _ask(work, deletion_id, row_ids(request.form.getlist("item_ids")))


@blueprint.get("/sletning/<id:deletion_id>/opgaver/<id:item_id>/behold")
@allow(Right.FETCH_DELETION)
def keeping(work: Work, deletion_id: int, item_id: int) -> Any:
    """The municipality's form for asking to keep a task."""
    deletion = access.deletion(work, deletion_id)
    form = KeepForm(formdata=None, data={"until": _suggested(deletion, work.today)})
    return _keep(work, deletion_id, [item_id], form)


@blueprint.post("/sletning/<id:deletion_id>/opgaver/<id:item_id>/behold")
@allow(Right.FETCH_DELETION)
def keep(work: Work, deletion_id: int, item_id: int) -> Any:
    """Ask KOMBIT to keep a task."""
    return _ask(work, deletion_id, [item_id])


def _keep(work: Work, deletion_id: int, ids: Sequence[int], form: KeepForm, status: int = 200) -> Any:
    deletion = access.deletion(work, deletion_id)
    lines = [line for line in deletion_progress.items(work, deletion) if line.item.id in set(ids)]
    if len(lines) != len(set(ids)):
        raise NotFoundError
    return render_template("deleting/keep.html", deletion=deletion, lines=lines, form=form), status


def _ask(work: Work, deletion_id: int, ids: Sequence[int]) -> Any:
    form = KeepForm()
    if not form.validate():
        return _keep(work, deletion_id, ids, form, 422)
    try:
        count = deleting.ask_to_keep_all(work, deletion_id, ids, form.reason.data or "", form.until.day)
    except RefusedError as error:
        say(form, error.problems)
        return _keep(work, deletion_id, ids, form, 422)
    what = "Opgaven" if count == 1 else f"{count} opgaver"
    flash(f"KOMBIT er spurgt. {what} slettes ikke, før KOMBIT har svaret.", "success")
    return see_other("deleting.show", deletion_id=deletion_id)


@blueprint.get("/sletning/<id:deletion_id>/opgaver/<id:item_id>/svar")
@allow(Right.ANNOUNCE_DELETION)
def answering(work: Work, deletion_id: int, item_id: int) -> Any:
    """KOMBIT's form for answering."""
    item = access.deletion_item(work, deletion_id, item_id)
    asked = short_date(item.hold_until) if item.hold_until else ""
    return _answer(work, deletion_id, item_id, AnswerForm(formdata=None, data={"until": asked}))


def _answer(work: Work, deletion_id: int, item_id: int, form: AnswerForm, status: int = 200) -> Any:
    deletion = access.deletion(work, deletion_id)
    line = next(
        (line for line in deletion_progress.items(work, deletion, asked=True) if line.item.id == item_id),
        None,
    )
    if line is None:
        return see_other("deleting.show", deletion_id=deletion_id)
    return render_template("deleting/answer.html", deletion=deletion, line=line, form=form), status


@blueprint.post("/sletning/<id:deletion_id>/opgaver/<id:item_id>/svar")
@allow(Right.ANNOUNCE_DELETION)
def answer(work: Work, deletion_id: int, item_id: int) -> Any:
    """Keep the task until a day, or not."""
    item = access.deletion_item(work, deletion_id, item_id)
    form = AnswerForm()
    if not form.validate():
        if form.granted.errors:
            form.granted.errors = ["Svar: vælg ja eller nej."]
        return _answer(work, deletion_id, item_id, form, 422)
    try:
        deleting.decide_hold(work, item, form.granted.data == "ja", form.until.day)
    except RefusedError as error:
        say(form, error.problems)
        return _answer(work, deletion_id, item_id, form, 422)
    flash("Svaret er gemt, og kommunen får besked.", "success")
    return see_other("deleting.show", deletion_id=deletion_id)


@blueprint.post("/sletning/<id:deletion_id>/svar")
@allow(Right.ANNOUNCE_DELETION)
def answer_several(work: Work, deletion_id: int) -> Any:
    """The same answer to many requests: until the day each asked for, or no."""
    access.deletion(work, deletion_id)
    ids, said = row_ids(request.form.getlist("item_ids")), request.form.get("granted", "")
    if said not in ("ja", "nej"):
        return errors.page(422, problems={"granted": "Svar: vælg ja eller nej."})
    try:
        count = deleting.decide_holds(work, deletion_id, ids, said == "ja")
    except RefusedError as error:
        return errors.page(422, problems=error.problems)
    what = "1 opgave" if count == 1 else f"{count} opgaver"
    flash(f"Svaret {said} er gemt for {what}, og kommunerne får besked.", "success")
    return see_other("deleting.show", deletion_id=deletion_id)
