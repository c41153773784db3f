"""The pages: the status of both systems, a month of it to take along, and the page where KOMBIT writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request
from sqlalchemy import func, select

from klik.plugins import Document, PluginContext, Right, in_denmark, page_access
from klik.plugins.driftsstatus import incidents, months, status
from klik.plugins.driftsstatus.figures import before, distance, long, month_of, moved
from klik.plugins.driftsstatus.forms import IncidentForm, MonthForm, areas_of, incident_form, month_form
from klik.plugins.driftsstatus.incidents import TOPIC
from klik.plugins.driftsstatus.months import TakenError
from klik.plugins.driftsstatus.status import SYSTEMS, Status
from klik.plugins.driftsstatus.tables import figures

blueprint = Blueprint("driftsstatus", __name__, template_folder="templates")
HOME = "/p/driftsstatus/"
WRITING = "/p/driftsstatus/skriv"
MOST_MONTHS = 120
TAKEN = (
    "En anden har gemt noget, siden du åbnede siden. Det, du har skrevet, står stadig i felterne. "
    "Gem igen, hvis det skal gælde."
)


@blueprint.get("/")
@page_access(Right.SIGNED_IN)
def show(context: PluginContext) -> str:
    """Both systems, looked back at from a month."""
    month = _asked(context) or _newest(context)
    found = [status.of(context, code, month) for code in _systems()]
    return render_template(
        "driftsstatus/status.html",
        statuses=found,
        month=month,
        months=sorted({*_months(context), month}, reverse=True),
        earlier=moved(month, -1),
        later=moved(month, 1) if month < before(context.today) else None,
        long=long,
        may_write=context.has(Right.PUBLISH),
        topic=f"/varsler/emner?emne={TOPIC}",
        missing=months.missing(_store(context), SYSTEMS, context.today),
    )


@blueprint.get("/maaned.pdf")
@page_access(Right.SIGNED_IN)
def paper(context: PluginContext) -> Document:
    """A month of both systems to take to a meeting."""
    month = _asked(context) or _newest(context)
    found = [status.of(context, code, month) for code in _systems()]
    return Document(
        title=f"Driftsstatus {long(month)}",
        subtitle="Den fælleskommunale infrastruktur",
        html=render_template("driftsstatus/paper.html", statuses=found),
        file_name=f"driftsstatus-{month}.pdf",
    )


@blueprint.get("/skriv")
@page_access(Right.PUBLISH)
def write(context: PluginContext) -> str:
    """The forms of a month and of an incident."""
    return _writing(context)


@blueprint.post("/skriv")
@page_access(Right.PUBLISH)
def store(context: PluginContext) -> Any:
    """Store a month (``act`` "maaned") or an incident ("haendelse")."""
    act = request.form.get("act")
    if act == "maaned":
        return _store_month(context)
    if act != "haendelse":
        abort(404)
    return _store_incident(context)


def _store_month(context: PluginContext) -> Any:
    shown = _status_asked(context)
    form = month_form(shown, filled=False)
    if not form.validate():
        return _writing(context, month=form), 422
    try:
        months.write(
            _store(context),
            shown.system,
            shown.month,
            values=form.values(shown.areas),
            windows=form.windows,
            remarks=form.bemaerkninger.data or "",
            version=form.version.data or 0,
        )
    except TakenError as taken:
        return _taken(context, form, taken), 409
    flash(f"{shown.name} for {shown.month_text} er gemt.", "success")
    return redirect(f"{HOME}?maaned={shown.month}", 303)


def _store_incident(context: PluginContext) -> Any:
    known = _incident_asked(context)
    form = incident_form(_areas(context), known, filled=False)
    is_valid = form.validate()
    values = form.read(context.now) if is_valid else None
    if values is None:
        return _writing(context, incident=form), 422
    try:
        number = incidents.write(context, known.id if known else None, form.version.data or 0, values)
    except TakenError as taken:
        return _taken(context, form, taken), 409
    flash("Hændelsen er gemt.", "success")
    return redirect(f"{HOME}?haendelse={number}", 303)


def _taken(context: PluginContext, form: Any, taken: TakenError) -> str:
    form.version.data = taken.version
    form.version.raw_data = [str(taken.version)]
    form.form_errors.append(TAKEN)
    if isinstance(form, MonthForm):
        return _writing(context, month=form)
    return _writing(context, incident=form)


def _writing(
    context: PluginContext, *, month: MonthForm | None = None, incident: IncidentForm | None = None
) -> str:
    shown = _status_asked(context)
    known = _incident_asked(context)
    return render_template(
        "driftsstatus/writing.html",
        status=shown,
        systems=SYSTEMS,
        months=_months(context),
        long=long,
        month_form=month or month_form(shown, filled=True),
        incident_form=incident or incident_form(_areas(context), known, filled=True),
        incident=known,
        of_incidents={area.id: status.of_incidents(shown, area.id, context) for area in shown.areas},
        writes_incident=known is not None or incident is not None or request.values.get("act") == "haendelse",
        writing=WRITING,
        home=HOME,
    )


def _store(context: PluginContext) -> Any:
    assert context.store is not None
    return context.store


def _asked(context: PluginContext) -> str | None:
    """The month of the address; that of the incident it names; None for anything else."""
    given = month_of(request.values.get("maaned", "")[:20])
    if given:
        return given if given <= f"{context.today:%Y-%m}" else None
    known = _incident_asked(context, or_none=True)
    if known is None or known.is_open:
        return None
    return f"{in_denmark(known.starts_at):%Y-%m}"


def _newest(context: PluginContext) -> str:
    found = [month for code in SYSTEMS if (month := months.newest(_store(context), code))]
    return max(found, default=before(context.today))


def _months(context: PluginContext) -> tuple[str, ...]:
    """The months that can be looked back at, the newest first: from the first figure to the last whole month."""
    last = before(context.today)
    first = _store(context).execute(select(func.min(figures.c.month))).scalar() or last
    return tuple(moved(last, -by) for by in range(min(max(distance(first, last), 0) + 1, MOST_MONTHS)))


def _systems() -> Sequence[str]:
    """Both, the one asked for first."""
    asked = request.values.get("system", "")
    return sorted(SYSTEMS, key=lambda code: (code != asked, list(SYSTEMS).index(code)))


def _status_asked(context: PluginContext) -> Status:
    month = month_of(request.values.get("maaned", "")[:20]) or before(context.today)
    return status.of(context, _systems()[0], min(month, before(context.today)))


def _incident_asked(context: PluginContext, *, or_none: bool = False) -> incidents.Incident | None:
    given = request.values.get("haendelse", "")
    if not given or given == "ny":
        return None
    known = (
        incidents.one(_store(context), int(given))
        if given.isascii() and given.isdigit() and len(given) < 10
        else None
    )
    if known is None and not or_none:
        abort(404)
    return known


def _areas(context: PluginContext) -> list[tuple[int, str]]:
    return areas_of(status.of(context, code) for code in SYSTEMS)
