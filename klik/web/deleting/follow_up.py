"""KOMBIT follows a deletion up: reminders in its own words, a municipality's contact, the account as a file."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.models import Deletion
from klik.services import access, deleting, idempotency, tables
from klik.services.deleting import account_files, nudging, reaching
from klik.services.deleting import progress as deletion_progress
from klik.services.errors import NotFoundError, RefusedError
from klik.services.notices.occasions import occasion_label
from klik.services.work import Work
from klik.web.base import access as allow
from klik.web.base import see_other
from klik.web.deleting.forms import NudgeForm, TellForm, row_ids, say

blueprint = Blueprint("deletion_follow_up", __name__)


@blueprint.get("/sletning/<id:deletion_id>/rykker")
@allow(Right.ANNOUNCE_DELETION)
def nudging_page(work: Work, deletion_id: int) -> Any:
    """Who would get the reminder, and a text to begin with: the ticked municipalities, or all that are silent."""
    deletion = access.deletion(work, deletion_id)
    standing = deleting.standing(work, deletion)
    ticked = row_ids(request.args.getlist("kommune"))
    wanted = request.args.get("vis") or "tavs"
    codes = ticked or [row.code for row in standing.municipalities if row.progress == wanted]
    subject, text = nudging.default_words(work, deletion)
    form = NudgeForm(formdata=None, data={"subject": subject, "text": text})
    return _nudge(work, deletion, codes, form)


def _nudge(work: Work, deletion: Deletion, codes: list[int], form: NudgeForm, status: int = 200) -> Any:
    letters = nudging.letters(work, deletion, codes)
    page = render_template(
        "deleting/nudge.html",
        deletion=deletion,
        form=form,
        letters=letters,
        going=[letter for letter in letters if letter.told.reached and not letter.today],
        over=deletion.last_day < work.today or deletion.state != "varslet",
    )
    return page, status


@blueprint.post("/sletning/<id:deletion_id>/rykker")
@allow(Right.ANNOUNCE_DELETION)
def nudge(work: Work, deletion_id: int) -> Any:
    """Send it; a second press finds what the first one did."""
    deletion = access.deletion(work, deletion_id)
    form = NudgeForm()
    if earlier := idempotency.earlier_result(work.session, form.idempotency_key.data):
        flash("Rykkeren er allerede sendt. Den er ikke sendt igen.", "info")
        return redirect(earlier, 303)
    codes = row_ids(request.form.getlist("kommune"))
    if not form.validate():
        return _nudge(work, deletion, codes, form, 422)
    try:
        sent = deleting.nudge(work, deletion_id, codes, form.subject.data or "", form.text.data or "")
    except RefusedError as error:
        say(form, error.problems)
        return _nudge(work, deletion, codes, form, 422)
    people = "1 modtager" if sent.people == 1 else f"{sent.people} modtagere"
    places = "1 kommune" if sent.municipalities == 1 else f"{sent.municipalities} kommuner"
    flash(f"Rykkeren er sendt til {people} i {places}.", "success")
    answer = see_other("deleting.show", deletion_id=deletion_id)
    idempotency.remember(work, form.idempotency_key.data, "deletion-nudged", answer.location)
    return answer


@blueprint.get("/sletning/<id:deletion_id>/kommuner/<id:code>")
@allow(Right.ANNOUNCE_DELETION)
def municipality(work: Work, deletion_id: int, code: int) -> Any:
    """How the notices have fared in one municipality, why it waits, and whom to tell instead."""
    deletion = access.deletion(work, deletion_id)
    return _municipality(work, deletion, code, TellForm(formdata=None))


def _municipality(work: Work, deletion: Deletion, code: int, form: TellForm, status: int = 200) -> Any:
    place = access.municipality(work, code)
    standing = deleting.standing(work, deletion)
    row = next((each for each in standing.municipalities if each.code == code), None)
    if row is None:
        raise NotFoundError
    form.offer(nudging.candidates(work, code))
    contact = reaching.contacts(work, deletion.id)[code]
    page = render_template(
        "deleting/municipality.html",
        deletion=deletion,
        place=place,
        row=row,
        contact=contact,
        attempts=[(each, occasion_label(work.registry, each.occasion)) for each in contact.attempts],
        progress=deletion_progress.PROGRESS_WORDS,
        form=form,
        running=deletion.state == "varslet",
    )
    return page, status


@blueprint.post("/sletning/<id:deletion_id>/kommuner/<id:code>")
@allow(Right.ANNOUNCE_DELETION)
def tell(work: Work, deletion_id: int, code: int) -> Any:
    """Send the announcement to a person of the municipality or to a mailbox of its own."""
    deletion = access.deletion(work, deletion_id)
    form = TellForm()
    form.offer(nudging.candidates(work, code))
    if not form.validate():
        return _municipality(work, deletion, code, form, 422)
    chosen = form.person.data
    try:
        address = nudging.tell_somebody(
            work, deletion_id, code, int(chosen) if chosen else None, form.mailbox.data or ""
        )
    except RefusedError as error:
        say(form, error.problems)
        return _municipality(work, deletion, code, form, 422)
    flash(f"Varslet sendes til {address}. Kommunen er varslet, når mailen er modtaget.", "success")
    return redirect(url_for("deletion_follow_up.municipality", deletion_id=deletion_id, code=code), 303)


@blueprint.get("/sletning/<id:deletion_id>.csv")
@allow(Right.ANNOUNCE_DELETION)
def as_csv(work: Work, deletion_id: int) -> Response:
    """The account as CSV for a Danish Excel."""
    deletion = access.deletion(work, deletion_id)
    content = account_files.as_csv(
        deletion, deleting.standing(work, deletion), reaching.contacts(work, deletion_id)
    )
    return _file(work, content, "csv", "text/csv; charset=utf-8")


@blueprint.get("/sletning/<id:deletion_id>.xlsx")
@allow(Right.ANNOUNCE_DELETION)
def as_xlsx(work: Work, deletion_id: int) -> Response:
    """The account as an Excel workbook."""
    deletion = access.deletion(work, deletion_id)
    content = account_files.as_xlsx(
        work, deletion, deleting.standing(work, deletion), reaching.contacts(work, deletion_id)
    )
    return _file(work, content, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def _file(work: Work, content: bytes, ending: str, kind: str) -> Response:
    name = tables.named(work, ending, "Sletning")
    return send_file(io.BytesIO(content), kind, as_attachment=True, download_name=name, max_age=0)
