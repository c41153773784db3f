"""KOMBIT's pages of waves: see who takes a system into use when, look ahead at a change, and make it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request

from klik.domain.calendar import long_date, short_date
from klik.domain.rights import Right
from klik.models import Municipality, MunicipalSystem, Wave
from klik.services import waves
from klik.services.errors import NotFoundError, RefusedError
from klik.services.waves import Change, Leaving, NewGoLive, Placing, page, rounds, words
from klik.services.work import Work
from klik.web.base import access, see_other
from klik.web.waves.forms import GoLiveForm, PlacingForm, RoundForm

blueprint = Blueprint("waves", __name__)
LOOK, DO, LEAVE_LOOK, LEAVE, EDIT = "vis", "flyt", "vis-fjern", "fjern", "ret"


@blueprint.get("/boelger")
@access(Right.PUBLISH)
def index(work: Work) -> Any:
    """Every system."""
    return render_template("waves/index.html", systems=page.all_systems(work))


@blueprint.get("/boelger/<code>")
@access(Right.PUBLISH)
def show(work: Work, code: str) -> Any:
    """A system's waves, municipalities and rounds."""
    return _show(work, code, RoundForm(formdata=None))


def _show(work: Work, code: str, form: RoundForm, status: int = 200) -> Any:
    answer = render_template(
        "waves/show.html",
        system=waves.of_system(work, code),
        projects=rounds.projects_of(work, code),
        form=form,
    )
    return answer, status


@blueprint.get("/boelger/<code>/boelge/<id:wave_id>")
@access(Right.PUBLISH)
def wave(work: Work, code: str, wave_id: int) -> Any:
    """A wave's day."""
    row = page.wave_of(work, code, wave_id)
    form = GoLiveForm(formdata=None)
    form.version.data = row.version
    form.go_live.data = short_date(row.go_live) if row.go_live else ""
    return _wave_page(work, code, row, form)


@blueprint.post("/boelger/<code>/boelge/<id:wave_id>")
@access(Right.PUBLISH)
def move_wave(work: Work, code: str, wave_id: int) -> Any:
    """Look ahead at another day, or set it."""
    row = page.wave_of(work, code, wave_id)
    form = GoLiveForm()
    if request.form.get("trin") == EDIT:
        return _wave_page(work, code, row, form)
    if not form.validate():
        return _wave_page(work, code, row, form, 422)
    change = NewGoLive(wave_id, form.go_live.day, form.version.data or 0)
    try:
        day = form.go_live.day
        said = f"tages i brug {long_date(day)}" if day else "har ingen dag"
        return _taken(work, code, change, form, f"{row.name} {said}")
    except RefusedError as error:
        _say(form, error)
        return _wave_page(work, code, row, form, 422)


@blueprint.get("/boelger/<code>/kommune/<id:municipality_id>")
@access(Right.PUBLISH)
def municipality(work: Work, code: str, municipality_id: int) -> Any:
    """A municipality's wave and day."""
    place, row = page.place_of(work, code, municipality_id)
    form = PlacingForm(formdata=None)
    form.version.data = str(row.version) if row else ""
    form.wave.data = str(row.wave_id) if row and row.wave_id else ""
    form.go_live.data = short_date(row.go_live) if row and row.go_live else ""
    return _place_page(work, code, place, row, form)


@blueprint.post("/boelger/<code>/kommune/<id:municipality_id>")
@access(Right.PUBLISH)
def move_municipality(work: Work, code: str, municipality_id: int) -> Any:
    """Look ahead at another wave or day, or at leaving the system; or do it."""
    place, row = page.place_of(work, code, municipality_id)
    form = PlacingForm()
    form.offer(waves.of_system(work, code))
    step = request.form.get("trin", LOOK)
    if step == EDIT:
        return _place_page(work, code, place, row, form)
    change: Change
    if step in (LEAVE, LEAVE_LOOK):
        if form.known_version is None:
            raise NotFoundError
        change = Leaving(municipality_id, form.known_version)
        return _taken(work, code, change, form, f"{place.name}: har ikke systemet længere")
    if not form.validate():
        return _place_page(work, code, place, row, form, 422)
    change = Placing(municipality_id, form.wave_id, form.go_live.day, form.known_version)
    try:
        return _taken(work, code, change, form, place.name)
    except RefusedError as error:
        _say(form, error)
        return _place_page(work, code, place, row, form, 422)


def _taken(work: Work, code: str, change: Change, form: GoLiveForm | PlacingForm, what: str) -> Any:
    if request.form.get("trin") in (DO, LEAVE):
        plan = waves.carry_out(work, code, change, form.idempotency_key.data)
        said = ". ".join(words.sentences(plan)) if plan else "Det er allerede gjort"
        flash(f"{what}. {said}.", "success")
        return see_other("waves.show", code=code)
    plan = waves.foresee(work, code, change)
    return render_template(
        "waves/preview.html",
        code=code,
        plan=plan,
        what=what,
        sentences=words.sentences(plan),
        lines=words.lines(plan),
        overdue=words.overdue(plan, work.today),
        standing=plan.target.standings[0] if not isinstance(change, NewGoLive) else None,
        leaving=isinstance(change, Leaving),
        step=LEAVE if isinstance(change, Leaving) else DO,
        form=form,
        sent=[
            (name, value)
            for name, value in request.form.items()
            if name not in ("csrf_token", "trin", "idempotency_key")
        ],
    )


def _wave_page(work: Work, code: str, row: Wave, form: GoLiveForm, status: int = 200) -> Any:
    answer = render_template("waves/wave.html", system=waves.of_system(work, code), wave=row, form=form)
    return answer, status


def _place_page(
    work: Work,
    code: str,
    place: Municipality,
    row: MunicipalSystem | None,
    form: PlacingForm,
    status: int = 200,
) -> Any:
    system = waves.of_system(work, code)
    form.offer(system)
    answer = render_template(
        "waves/municipality.html", system=system, municipality=place, has_system=row is not None, form=form
    )
    return answer, status


@blueprint.post("/boelger/<code>/runde")
@access(Right.PUBLISH)
def open_round(work: Work, code: str) -> Any:
    """Open a project's next round."""
    form = RoundForm()
    if not form.validate():
        return _show(work, code, form, 422)
    _check_project(work, code, form.project.data or "")
    number = rounds.open_round(
        work, form.project.data or "", form.name.data or "", form.version.data or 0, form.idempotency_key.data
    )
    flash(f"Runde {number} er åbnet. Nye opgaver i fase 1–3 udgives i den.", "success")
    return see_other("waves.show", code=code)


@blueprint.post("/boelger/<code>/udpeg")
@access(Right.PUBLISH)
def appoint(work: Work, code: str) -> Any:
    """Write the draft of the task that names the systemansvarlig, and open it."""
    project = request.form.get("project", "")
    _check_project(work, code, project)
    task_id = rounds.draft_appointing(work, project, request.form.get("idempotency_key"))
    flash("Kladden er skrevet. Se den igennem, og udgiv den.", "success")
    return redirect(f"/udgivelser/{task_id}/ret", 303)


def _check_project(work: Work, code: str, slug: str) -> None:
    """A project is reached through its own system; raises NotFoundError."""
    if slug not in {project.slug for project in rounds.projects_of(work, code)}:
        raise NotFoundError


def _say(form: GoLiveForm | PlacingForm, error: RefusedError) -> None:
    for name, sentence in error.problems.items():
        field = form._fields.get(name) or form.go_live
        field.errors = [*field.errors, sentence]
