"""Making a local task."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from klik.domain.rights import Right
from klik.models import MunicipalTask
from klik.services import idempotency
from klik.services.errors import RefusedError
from klik.services.tasks import local as local_tasks
from klik.services.tasks.assigning import NOBODY, Assignee
from klik.services.tasks.local import LocalTask
from klik.services.work import Work
from klik.web import link_words
from klik.web.base import access
from klik.web.tasks.forms import NewLocalForm, People, show_problems

blueprint = Blueprint("local_task", __name__, url_prefix="/opgaver")
ASKED = {
    link_words.TITLE: "title",
    link_words.TEXT: "local_text",
    link_words.PHASE: "phase",
    link_words.THEME: "theme",
    link_words.DEADLINE: "deadline",
    link_words.CHECKLIST: "checklist",
}


@blueprint.get("/ny")
@access(Right.CREATE_LOCAL_TASK)
def new(work: Work) -> str:
    """The form, with the words that the link brought."""
    form = _form(work)
    words = link_words.read(request.args, work.registry.content)
    for name, field in ASKED.items():
        if name in words:
            form[field].data = words[name]
    project = next(
        (each for each in local_tasks.projects(work) if each.system_code == words.get(link_words.SYSTEM)),
        None,
    )
    if link_words.SYSTEM in words and project is not None:
        form.project_id.data = project.id
    return _page(form)


@blueprint.post("/ny")
@access(Right.CREATE_LOCAL_TASK)
def create(work: Work) -> Any:
    """Make the task and go to it."""
    form = _form(work)
    if earlier := idempotency.earlier_result(work.session, form.idempotency_key.data):
        return redirect(earlier, 303)
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        task = local_tasks.create(work, _wanted(form))
    except RefusedError as error:
        show_problems(form, error)
        return _page(form), 422
    target = url_for("task.show", task_id=task.id)
    idempotency.remember(work, form.idempotency_key.data, "opret-lokal-opgave", target)
    flash("Den lokale opgave er oprettet.", "success")
    return redirect(target, 303)


def _form(work: Work) -> NewLocalForm:
    assert work.actor is not None
    form = NewLocalForm()
    # The candidates are asked for through a task; an unsaved one of the own municipality stands in for it.
    task = MunicipalTask(municipality_id=work.actor.municipality_id, system_code=None)
    form.offer(work, local_tasks.projects(work), People.of(work, task))
    return form


def _wanted(form: NewLocalForm) -> LocalTask:
    return LocalTask(
        title=form.title.data or "",
        project_id=form.project_id.data or 0,
        phase=form.phase.data,
        theme=form.theme.data,
        priority=form.priority.data,
        text=form.local_text.data or "",
        checklist=form.lines(),
        start_date=form.start_date.day,
        deadline=form.deadline.day,
        responsible=Assignee.parse(form.responsible.data or "") or NOBODY,
    )


def _page(form: NewLocalForm) -> str:
    return render_template("tasks/local.html", form=form)
