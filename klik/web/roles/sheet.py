"""The role gallery as an Excel file: taken home, tried, and read in."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

from flask import Blueprint, render_template, request, send_file
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField

from klik.domain.rights import Right
from klik.models import Municipality
from klik.plugins.contributions import ImportReport
from klik.services import importing
from klik.services.errors import NotFoundError, RefusedError
from klik.services.gallery_sheet import lines, reading, writing
from klik.services.work import Work
from klik.web.base import access as allow
from klik.web.forms import Form
from klik.web.lookups import look_up
from klik.web.roles.views import place
from klik.web.systems.forms import ImportForm
from klik.web.systems.views import told

blueprint = Blueprint("gallery_sheet", __name__)
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST_FILE = 1024 * 1024


class ReadInForm(Form):
    """The file that was tried, on its way back: it is kept in the page and nowhere else."""

    kept = HiddenField()
    seen = HiddenField()
    invite = BooleanField("Giv personerne adgang som Bruger, og send dem et link")


@blueprint.get("/roller.xlsx")
@allow(Right.READ_ROLES)
def take_home(work: Work) -> Response:
    """A municipality's gallery as an Excel file, vacant roles too."""
    municipality_id = place(work)
    if municipality_id is None:
        raise NotFoundError
    _gallery, found = lines.of(work, municipality_id)
    look_up("fil", sum(each.holding is not None for each in found), municipality_id=municipality_id)
    content = writing.workbook(work, municipality_id)
    name = work.session.get_one(Municipality, municipality_id).name
    return send_file(
        io.BytesIO(content),
        EXCEL,
        as_attachment=True,
        download_name=f"Rollegalleri {name} {work.today.isoformat()}.xlsx",
        max_age=0,
    )


@blueprint.get("/roller/indlaes")
@allow(Right.EDIT_ROLES)
def choose_file(_work: Work) -> Any:
    """The form for the file."""
    return _page(ImportForm(formdata=None))


@blueprint.post("/roller/indlaes")
@allow(Right.EDIT_ROLES)
def read(work: Work) -> Any:
    """Try the file, or read in the one that was tried; with a wrong row, or a gallery that changed, nothing is kept."""
    if request.form.get("act") == "indlaes":
        return _read_in(work)
    form = ImportForm()
    if not form.validate():
        return _page(form), 422
    sent = form.file.data
    content = sent.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        form.file.errors = ["Fil: filen må højst fylde 1 MB."]
        return _page(form), 422
    return _tried(work, form, content, sent.filename or "", invite=False)


def _tried(
    work: Work, form: ImportForm, content: bytes, name: str, *, invite: bool, changed: bool = False
) -> Any:
    try:
        report = _run(work, content, name, invite=invite, keep=False)
    except RefusedError as refused:
        form.file.errors = list(refused.problems.values())
        return _page(form), 422
    strangers = False
    if report.count(importing.WRONG) and not invite and work.actor and work.actor.has(Right.MANAGE_PEOPLE):
        strangers = any("ukendt person" in row.text for row in report.rows)
    # Kept as an .xlsx: what was tried had that ending, or it would have been refused.
    kept = ReadInForm(
        formdata=None, kept=base64.b64encode(content).decode(), seen=_seen(work, invite=invite), invite=invite
    )
    wrong = bool(report.count(importing.WRONG))
    nothing = report.count(importing.UNCHANGED) == len(report.rows)
    usable = (not wrong or strangers) and not nothing
    page = _page(form, report, kept if usable else None, strangers=strangers or invite, changed=changed)
    return page, 409 if changed else 422 if wrong else 200


def _read_in(work: Work) -> Any:
    form, again = ReadInForm(), ImportForm(formdata=None)
    if not form.validate():
        return _page(again), 422
    try:
        content = base64.b64decode(form.kept.data or "", validate=True)
    except (binascii.Error, ValueError):
        again.file.errors = ["Fil: filen er ikke med længere. Vælg den igen."]
        return _page(again), 422
    invite = form.invite.data
    if form.seen.data == _seen(work, invite=not invite):
        # Another thing than what was tried: it is shown first, too.
        return _tried(work, again, content, "rollegalleri.xlsx", invite=invite)
    if form.seen.data != _seen(work, invite=invite):
        return _tried(work, again, content, "rollegalleri.xlsx", invite=invite, changed=True)
    try:
        report = _run(work, content, "rollegalleri.xlsx", invite=invite, keep=True)
    except RefusedError as refused:
        again.file.errors = list(refused.problems.values())
        return _page(again), 422
    wrong = bool(report.count(importing.WRONG))
    return _page(again, report, stored=not wrong), 422 if wrong else 200


def _run(work: Work, content: bytes, name: str, *, invite: bool, keep: bool) -> ImportReport:
    return importing.run(work, reading.KEY_INVITING if invite else reading.KEY, content, name, keep=keep)


def _seen(work: Work, *, invite: bool) -> str:
    assert work.actor is not None and work.actor.municipality_id is not None
    stamp = lines.stamp(lines.of(work, work.actor.municipality_id)[1])
    return f"{stamp}-adgang" if invite else stamp


def _page(
    form: ImportForm,
    report: ImportReport | None = None,
    kept: ReadInForm | None = None,
    *,
    stored: bool = False,
    strangers: bool = False,
    changed: bool = False,
) -> str:
    return render_template(
        "roles/read_in.html",
        form=form,
        kept_form=kept,
        help=reading.HELP,
        strangers=strangers,
        changed=changed,
        **told(report, kept=stored),
    )
