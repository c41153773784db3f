"""Changing a task's status and people in its row of the list; without JavaScript on a small page of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, StringField, TextAreaField

from klik.domain.calendar import clock
from klik.domain.rights import Right
from klik.domain.status import REASON_LIMIT, Status
from klik.models import MunicipalTask
from klik.services import access as doors
from klik.services import filtering, listing
from klik.services.criteria import Criteria, QueryTooLongError
from klik.services.errors import ConflictError, RefusedError
from klik.services.tasks import assigning, changing
from klik.services.tasks import history as task_history
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.bulk.preview import name_of
from klik.services.tasks.steps import Changes, assignee
from klik.services.work import Work
from klik.web.base import access
from klik.web.forms import CleanText
from klik.web.tasks import panel, pulse, way
from klik.web.tasks.forms import People, TaskForm
from klik.web.tasks.rows import row_html

blueprint = Blueprint("inline", __name__, url_prefix="/opgaver")
# The cell's word in the address, the field behind it, and what people call it.
FIELDS = {"status": "status", "ansvarlig": "responsible", "udfoerer": "executor"}
LABELS = {"status": "Status", "ansvarlig": "Ansvarlig", "udfoerer": "Udfører"}
Groups = list[tuple[str, list[tuple[str, str]]]]


class CellForm(TaskForm):
    """One cell: the value chosen, the one that stood there when it was drawn, and a reason where one is needed."""

    value = StringField("Værdi", name="vaerdi")
    before = HiddenField(name="foer")
    reason = TextAreaField(
        "Begrundelse", name="begrundelse", validators=[CleanText(REASON_LIMIT, lines=True)]
    )


@dataclass(frozen=True, slots=True)
class Clash:
    """What somebody else chose meanwhile, and what this person chose; in words."""

    who: str
    at: str
    theirs: str
    mine: str


@blueprint.get("/<id:task_id>/celle/status", defaults={"cell": "status"})
@blueprint.get("/<id:task_id>/celle/ansvarlig", defaults={"cell": "ansvarlig"})
@blueprint.get("/<id:task_id>/celle/udfoerer", defaults={"cell": "udfoerer"})
@access(Right.READ_TASKS)
def show(work: Work, task_id: int, cell: str) -> Any:
    """What can be chosen in the cell."""
    task = doors.task_to_change(work, task_id)
    form = CellForm(None, data={"version": task.version, "value": _value(task, cell)})
    return _control(work, task, cell, form)


@blueprint.post("/<id:task_id>/celle/status", defaults={"cell": "status"})
@blueprint.post("/<id:task_id>/celle/ansvarlig", defaults={"cell": "ansvarlig"})
@blueprint.post("/<id:task_id>/celle/udfoerer", defaults={"cell": "udfoerer"})
@access(Right.READ_TASKS)
def store(work: Work, task_id: int, cell: str) -> Any:
    """Store what was chosen and give the row as it stands now; ask for a reason, or show both (409)."""
    task = doors.task_to_change(work, task_id)
    form = CellForm()
    if not form.validate_on_submit():
        return _control(work, task, cell, form, asks_reason=bool(form.reason.errors)), 422
    wanted = form.value.data or ""
    if not any(wanted == value for _heading, choices in _groups(work, task, cell) for value, _ in choices):
        form.form_errors.append(f"{LABELS[cell]}: vælg en af mulighederne på listen.")
        return _control(work, task, cell, form), 422
    if wanted == Status.NOT_RELEVANT.value and not (form.reason.data or "").strip():
        # Choosing it is no mistake: the reason is simply the next thing to be asked.
        if not form.reason.raw_data:
            return _control(work, task, cell, form, asks_reason=True)
        missing = "Skriv, hvorfor opgaven ikke er relevant for jer."
        return _control(work, task, cell, form, asks_reason=True, missing=missing), 422
    # Whoever changed another field meanwhile is not in the way.
    same = form.before.data == _value(task, cell)
    version = task.version if same else form.version.data or 0
    try:
        task = changing.change(work, task_id, version, _changes(cell, wanted, form.reason.data or ""))
    except RefusedError as error:
        form.form_errors.extend(error.problems.values())
        asks_reason = wanted == Status.NOT_RELEVANT.value
        return _control(work, task, cell, form, asks_reason=asks_reason), 422
    except ConflictError:
        return _control(work, task, cell, form, clash=_clash(work, task, cell, wanted)), 409
    return _changed(work, task, cell)


@blueprint.get("/<id:task_id>/raekke")
@access(Right.READ_TASKS)
def row(work: Work, task_id: int) -> Any:
    """The task's row as it stands now: what a cell goes back to when nothing is to be changed."""
    doors.municipal_task(work, task_id)
    criteria = _criteria(work)
    if not _asked_in_place():
        return redirect(_list(criteria, task_id), 303)
    return _row(work, criteria, task_id)


def _asked_in_place() -> bool:
    return request.headers.get("HX-Request") == "true"


def _criteria(work: Work) -> Criteria:
    """The list the row stands in: its filter is the address's query, as on the task's page."""
    try:
        return filtering.read(work.registry, way.address_query())
    except QueryTooLongError:
        return Criteria()


def _list(criteria: Criteria, task_id: int) -> str:
    return f"{panel.list_address(criteria)}#opgave-{task_id}"


def _value(task: MunicipalTask, cell: str) -> str:
    return task.status if cell == "status" else assignee(task, FIELDS[cell]).key


def _changes(cell: str, wanted: str, reason: str) -> Changes:
    if cell == "status":
        return Changes(status=Status(wanted), not_relevant_reason=reason or None)
    given = Assignee.parse(wanted) or Assignee()
    return Changes(responsible=given) if cell == "ansvarlig" else Changes(executor=given)


def _groups(work: Work, task: MunicipalTask, cell: str) -> Groups:
    """What can be chosen; those with a role for the task's system first."""
    if cell == "status":
        return [("", [(status.value, status.label) for status in Status])]
    now = assignee(task, FIELDS[cell])
    groups = People.of(work, task).choices(now, assigning.word(work, now))
    first = ("Har en rolle på systemet", "Roller")
    order = [
        *first,
        *(heading for heading in groups if heading not in (*first, "Ikke fordelt")),
        "Ikke fordelt",
    ]
    return [(heading, list(groups[heading].items())) for heading in order if heading in groups]


def _word(work: Work, cell: str, value: str) -> str:
    if cell == "status":
        return Status(value).label
    return assigning.word(work, Assignee.parse(value) or Assignee())


def _clash(work: Work, task: MunicipalTask, cell: str, wanted: str) -> Clash:
    last = task_history.last_change(work, task, FIELDS[cell])
    return Clash(
        who=last.who if last else "En anden",
        at=clock(last.at) if last else "",
        theirs=_word(work, cell, _value(task, cell)),
        mine=_word(work, cell, wanted),
    )


def _control(
    work: Work,
    task: MunicipalTask,
    cell: str,
    form: CellForm,
    *,
    asks_reason: bool = False,
    missing: str | None = None,
    clash: Clash | None = None,
) -> str:
    criteria = _criteria(work)
    return render_template(
        "tasks/cell_control.html" if _asked_in_place() else "tasks/cell.html",
        task=task,
        name=name_of(task),
        cell=cell,
        label=LABELS[cell],
        groups=_groups(work, task, cell),
        now=_value(task, cell),
        wanted=form.value.data or "",
        reason=form.reason.data or "",
        reason_field=form.reason,
        problems=[*form.form_errors, *form.reason.errors, *([missing] if missing else [])],
        asks_reason=asks_reason,
        clash=clash,
        query=criteria.link_query(),
        back=_list(criteria, task.id),
    )


def _changed(work: Work, task: MunicipalTask, cell: str) -> AnyResponse:
    criteria = _criteria(work)
    said = f"{LABELS[cell]} er nu {_word(work, cell, _value(task, cell))}."
    if not _asked_in_place():
        flash(f"{name_of(task)}: {said}", "success")
        return redirect(_list(criteria, task.id), 303)
    response = _row(work, criteria, task.id)
    told = {"klik-gemt": {"opgave": task.id, "celle": cell, "besked": said}}
    response.headers["HX-Trigger-After-Settle"] = json.dumps(told)
    return response


def _row(work: Work, criteria: Criteria, task_id: int) -> Response:
    """The row, and beside it what the list counts."""
    work.session.flush()
    selection = filtering.select_tasks(work, criteria)
    found, fits = listing.row(work, selection, task_id)
    counts = listing.count(work, selection)
    first = (criteria.page - 1) * criteria.page_size + 1
    body = render_template(
        "tasks/row_answer.html",
        row_html=row_html(work, criteria, found, no_longer_fits=not fits),
        **pulse.context(selection, counts, pulse.fresh(work, selection, counts)),
        first=first,
        last=min(first + criteria.page_size - 1, counts.total),
    )
    response = make_response(body)
    response.headers["HX-Retarget"] = f"#opgave-{task_id}"
    response.headers["HX-Reswap"] = "outerHTML"
    return response
