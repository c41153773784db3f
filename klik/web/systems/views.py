"""It-systems, their plug-ins' panels, and reading files in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, request

from klik.domain.rights import Right
from klik.plugins.contributions import Importer, ImportReport
from klik.services import handover, importing, systems
from klik.services.errors import RefusedError
from klik.services.importing import OwnImporter
from klik.services.tasks import panels
from klik.services.work import Work
from klik.web.base import access, see_other
from klik.web.systems.forms import ImportForm

blueprint = Blueprint("systems", __name__)
MOST_ROWS_SHOWN = 500


@blueprint.get("/systemer")
@access(Right.READ_TASKS)
def index(work: Work) -> Any:
    """Every system."""
    return render_template("systems/index.html", systems=systems.all_systems(work))


@blueprint.get("/systemer/<code>")
@access(Right.READ_TASKS)
def show(work: Work, code: str) -> Any:
    """One system: its facts, its waves, its plug-in's panels and files to read in."""
    facts = systems.one_system(work, code)
    return render_template(
        "systems/show.html",
        system=facts,
        waves=systems.waves(work, code),
        panels=panels.system_panels(work, systems.system_view(facts)),
        importers=importing.offered(work, code),
        proposals=handover.proposals(work, code),
        may_move=work.actor is not None and work.actor.has(Right.PUBLISH),
    )


@blueprint.post("/systemer/plusbruger/<id:project_id>")
@access(Right.MANAGE_PEOPLE)
def answer_proposal(work: Work, project_id: int) -> Any:
    """The administrator makes the systemansvarlig plusbruger, or says no."""
    if request.form.get("svar") == "ja":
        proposal = handover.accept(work, project_id)
        flash(f"{proposal.person} er nu plusbruger for {proposal.system_name}.", "success")
    else:
        proposal = handover.decline(work, project_id)
        flash(f"Forslaget om {proposal.person} bliver ikke vist igen.", "success")
    return see_other("systems.show", code=proposal.system)


@blueprint.get("/admin/import/<key>")
@access(Right.READ_TASKS)
def choose_file(work: Work, key: str) -> Any:
    """The form for one kind of file."""
    return _page(work, importing.importer_for(work, key), ImportForm())


@blueprint.post("/admin/import/<key>")
@access(Right.READ_TASKS)
def read_file(work: Work, key: str) -> Any:
    """Try the file, or read it in; with a wrong row nothing is kept."""
    importer = importing.importer_for(work, key)
    form = ImportForm()
    if not form.validate():
        return _page(work, importer, form), 422
    keep = request.form.get("act") == "indlaes"
    content = form.file.data.read(importing.LARGEST_FILE + 1)
    try:
        report = importing.run(work, key, content, form.file.data.filename or "", keep=keep)
    except RefusedError as refused:
        form.file.errors = list(refused.problems.values())
        return _page(work, importer, form), 422
    wrong = bool(report.count(importing.WRONG))
    return _page(work, importer, form, report, kept=keep and not wrong), 422 if wrong else 200


def _page(
    work: Work,
    importer: Importer | OwnImporter,
    form: ImportForm,
    report: ImportReport | None = None,
    *,
    kept: bool = False,
) -> str:
    return render_template(
        "systems/import.html",
        importer=importer,
        form=form,
        doors=systems.pages(work, importer.system) if kept and importer.system else (),
        **told(report, kept=kept),
    )


def told(report: ImportReport | None, *, kept: bool) -> dict[str, Any]:
    """What the page tells of a report: what is wrong or new is what people look for; what is unchanged comes last."""
    order = {"forkert": 0, "ny": 1, "ændret": 2, "fjernet": 3, "uændret": 4}
    rows = sorted(report.rows, key=lambda row: (order[row.outcome], row.number)) if report else []
    return {
        "report": report,
        "rows": rows[:MOST_ROWS_SHOWN],
        "left_out": max(0, len(rows) - MOST_ROWS_SHOWN),
        "kept": kept,
    }
