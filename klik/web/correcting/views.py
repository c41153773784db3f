"""KOMBIT corrects a published task: the form, the impact, publishing the correction; and a task's versions."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from klik.domain.rights import Right
from klik.models import Task
from klik.services import access as door
from klik.services import correcting, publishing
from klik.services.correcting import Fate, impact, versions
from klik.services.correcting.differences import differences
from klik.services.errors import ConflictError, NotFoundError, RefusedError
from klik.services.publishing import Draft, links
from klik.services.publishing.text import PARTS
from klik.services.work import Work
from klik.web.base import access
from klik.web.correcting.forms import CorrectionForm, words_form
from klik.web.publishing.forms import HINTS, DraftForm, read_draft, show_problems
from klik.web.publishing.writing import writing_names

blueprint = Blueprint("correcting", __name__, url_prefix="/udgivelser/<id:task_id>")
IMPACT, PUBLISH, EDIT = "virkning", "udgiv", "ret"


@blueprint.get("/rettelse")
@access(Right.PUBLISH)
def edit(work: Work, task_id: int) -> str:
    """The published words, to be corrected."""
    task = _published(work, task_id)
    form = words_form(work, task.project, publishing.draft_of(work, task_id))
    return _form_page(work, task, form, CorrectionForm(None, data={"base": str(task.current_number)}))


@blueprint.post("/rettelse")
@access(Right.PUBLISH)
def take(work: Work, task_id: int) -> Any:
    """Look at the impact, go back to the words, or publish the correction."""
    task = _published(work, task_id)
    form, why = words_form(work, task.project), CorrectionForm()
    step = request.form.get("trin", IMPACT)
    if step == EDIT:
        return _form_page(work, task, form, why)
    fine = all([form.validate(), why.validate()])
    draft = read_draft(form)
    if not fine or draft is None:
        return _form_page(work, task, form, why), 422
    try:
        return _taken(work, task, form, why, draft, step)
    except RefusedError as error:
        problems = dict(error.problems)
        if said := problems.pop("note", None):
            why.note.errors = [*why.note.errors, said]
        if said := problems.pop("number", None):
            form.form_errors.append(said)  # the form shows no field for it
        show_problems(form, problems)
        return _form_page(work, task, form, why), 422
    except ConflictError:
        return _conflict_page(work, task_id, form, why, draft), 409


def _taken(work: Work, task: Task, form: DraftForm, why: CorrectionForm, draft: Draft, step: str) -> Any:
    note, reopen = why.note.data or "", why.reopen
    if step == PUBLISH:
        done = correcting.correct(
            work,
            task.id,
            draft,
            note,
            why.idempotency_key.data,
            version=why.version,
            reopen=reopen,
            quiet=bool(why.quiet.data),
        )
        flash(f"Rettelsen er udgivet som version {done.number}. {_counted(done)}", "success")
        return redirect(f"{url_for('correcting.show', task_id=task.id)}#version-{done.number}", 303)
    if why.version != task.current_number:
        raise ConflictError(task.current_number or 0, ())
    ahead = impact.of(work, task.id, draft, note, reopen=reopen)
    sent = [
        (name, value)
        for name, values in request.form.lists()
        if name not in ("csrf_token", "trin", "genaabn", "quiet", "reopen_all")
        for value in values
    ]
    return render_template(
        "correcting/impact.html",
        task=task,
        draft=draft,
        why=why,
        ahead=ahead,
        fates=Fate,
        circles=links.circles(work, task.id, draft.needs),
        sent=sent,
        ticked={str(each) for each in reopen or ()},
    )


def _counted(done: correcting.Corrected) -> str:
    return f"{done.following} følger, {done.marked} mærkes, {done.unchanged} uændret."


@blueprint.get("/versioner")
@access(Right.PUBLISH)
def show(work: Work, task_id: int) -> str:
    """Every version, why it came, and the difference in words."""
    task = door.published_task(work, task_id)
    return render_template("correcting/versions.html", task=task, lines=versions.history(work, task_id))


def _published(work: Work, task_id: int) -> Task:
    task = door.published_task(work, task_id)
    if task.published_at is None:
        raise NotFoundError
    return task


def _conflict_page(work: Work, task_id: int, form: DraftForm, why: CorrectionForm, draft: Draft) -> str:
    """Somebody else's correction came first: what was typed stays, and what differs from theirs is shown."""
    task = door.published_task(work, task_id)
    newest = versions.history(work, task_id)[0]
    mine = correcting.version_of(work, task, draft)
    why.base.data, why.base.raw_data = str(task.current_number), None
    differing = differences(work, publishing.current_version(work, task), mine)
    return _form_page(work, task, form, why, newest=newest, differing=differing)


def _form_page(work: Work, task: Task, form: DraftForm, why: CorrectionForm, **conflict: Any) -> str:
    names: dict[str, str] = form.extra_names  # type: ignore[attr-defined]
    return render_template(
        "correcting/form.html",
        task=task,
        form=form,
        why=why,
        extras=[form[name] for name in names.values()],
        rules=work.registry.deadline_rules.values(),
        parts=PARTS,
        hints=HINTS,
        circles=links.circles(work, task.id, (form.needs.data or "").split(",")),
        newest=conflict.get("newest"),
        differing=conflict.get("differing", ()),
        **writing_names(work, form),
    )
