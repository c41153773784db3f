"""Reading a whole drejebog in: the empty workbook, the dry run, and the import."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, render_template, request, send_file
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.plugins.contributions import ImportReport
from klik.services import importing, playbook
from klik.services.errors import RefusedError
from klik.services.playbook.template import empty
from klik.services.work import Work
from klik.web.base import access
from klik.web.systems.forms import ImportForm
from klik.web.systems.views import told

blueprint = Blueprint("playbook", __name__)
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/udgivelser/drejebog")
@access(Right.PUBLISH)
def choose_file(_work: Work) -> Any:
    """The form for the file."""
    return _page(ImportForm())


@blueprint.post("/udgivelser/drejebog")
@access(Right.PUBLISH)
def read(work: Work) -> Any:
    """Try the file, or read it in; with a wrong row nothing is kept."""
    form = ImportForm()
    if not form.validate():
        return _page(form), 422
    keep = request.form.get("act") == "indlaes"
    sent = form.file.data
    try:
        content = sent.read(importing.LARGEST_FILE + 1)
        report = importing.run(work, playbook.KEY, content, sent.filename or "", keep=keep)
    except RefusedError as refused:
        form.file.errors = list(refused.problems.values())
        return _page(form), 422
    wrong = bool(report.count(importing.WRONG))
    return _page(form, report, kept=keep and not wrong), 422 if wrong else 200


@blueprint.get("/udgivelser/drejebog.xlsx")
@access(Right.PUBLISH)
def template(work: Work) -> Response:
    """The empty workbook, with the choices there are today."""
    return send_file(
        io.BytesIO(empty(work)), EXCEL, as_attachment=True, download_name="drejebog.xlsx", max_age=0
    )


def _page(form: ImportForm, report: ImportReport | None = None, *, kept: bool = False) -> str:
    return render_template(
        "publishing/playbook.html", form=form, help=playbook.HELP, **told(report, kept=kept)
    )
