"""KOMBIT's pages: what is published, writing a task, looking at it as a municipality will, publishing it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.models import Project, Task
from klik.services import access as door
from klik.services import publishing
from klik.services.errors import NotFoundError, RefusedError
from klik.services.publishing import Draft, files, links, not_relevant
from klik.services.publishing.preview import preview
from klik.services.publishing.progress import copy_lines, count_tasks, task_lines
from klik.services.publishing.text import PARTS, PRIORITY_LABELS
from klik.services.work import Work
from klik.web.base import access
from klik.web.publishing.files import FileForm, may_attach
from klik.web.publishing.forms import HINTS, DraftForm, draft_form, read_draft, show_problems
from klik.web.publishing.recipients import read_choice
from klik.web.publishing.writing import beginnings_names, writing_names

blueprint = Blueprint("publishing", __name__)
PAGE = 100
STATES = {
    "kladde": "Kladde",
    "til-godkendelse": "Til godkendelse",
    "kommende": "Kommende",
    "planlagt": "Planlagt",
    "udgivet": "Udgivet",
    "tilbagetrukket": "Trukket tilbage",
}
PREVIEW, PUBLISH, SAVE, EDIT = "forhaandsvis", "udgiv", "kladde", "ret"


@blueprint.get("/udgivelser")
@access(Right.PUBLISH)
def index(work: Work) -> Any:
    """Every task of KOMBIT's and how far the municipalities are."""
    project = request.args.get("projekt") or None
    typed = request.args.get("side", "1")
    total = count_tasks(work, project)
    pages = max(1, -(-total // PAGE))
    page = min(max(int(typed), 1), pages) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 1
    return render_template(
        "publishing/index.html",
        lines=task_lines(work, project, (page - 1) * PAGE, PAGE),
        projects=_projects(work),
        chosen=project,
        total=total,
        page=page,
        pages=pages,
        states=STATES,
        phases={phase.slug: phase.name for phase in work.registry.content.phases},
    )


@blueprint.get("/udgivelser/ny")
@access(Right.PUBLISH)
def new(work: Work) -> Any:
    """First the project or a template, then the form; ``kopi`` starts from an earlier task."""
    template = work.registry.task_types.get(request.args.get("skabelon", ""))
    copied = request.args.get("kopi", "")
    projects = _projects(work)
    if copied.isascii() and copied.isdigit() and len(copied) < 10:
        draft = publishing.draft_of(work, int(copied))
        return _form_page(
            work, draft_form(work, _project(work, draft.project), draft, {"number": "", "files_from": copied})
        )
    slug = request.args.get("projekt")
    if slug is None and template is not None:
        slug = next((each.slug for each in projects if each.system_code == template.system), None)
    if slug is None:
        return render_template(
            "publishing/start.html",
            projects=projects,
            states=STATES,
            **beginnings_names(work),
        )
    project = _project(work, slug)
    draft = Draft.from_template(template, project.slug) if template else None
    return _form_page(work, draft_form(work, project, draft))


@blueprint.get("/udgivelser/<id:task_id>/ret")
@access(Right.PUBLISH)
def edit(work: Work, task_id: int) -> Any:
    """Go on with a draft."""
    task = door.published_task(work, task_id)
    if task.state != publishing.DRAFT:
        raise NotFoundError
    draft = publishing.draft_of(work, task_id)
    form = draft_form(work, task.project, draft, {"task_id": str(task.id), "version": str(task.version)})
    return _form_page(work, form)


@blueprint.post("/udgivelser")
@access(Right.PUBLISH)
def take(work: Work) -> Any:
    """What the form and the preview send: look ahead, go back and edit, save as a draft, or publish."""
    form = draft_form(work, _project(work, request.form.get("project", "")))
    step = request.form.get("trin", PREVIEW)
    if step == EDIT:
        return _form_page(work, form)
    fine = form.validate()
    draft = read_draft(form)
    if not fine or draft is None:
        return _form_page(work, form), 422
    try:
        return _taken(work, form, draft, step)
    except RefusedError as error:
        show_problems(form, error.problems)
        return _form_page(work, form), 422


def _taken(work: Work, form: DraftForm, draft: Draft, step: str) -> Response | str:
    task_id = _number(form.task_id.data)
    if step == SAVE:
        if task_id:
            publishing.change_draft(work, task_id, draft, _number(form.version.data) or 0)
        else:
            task_id = publishing.save_draft(work, draft, form.draft_key.data)
        bring_files(work, form, task_id)
        flash("Kladden er gemt.", "success")
        return redirect(f"/udgivelser/{task_id}", 303)
    problems = publishing.check(work, draft, task_id) if step != PUBLISH else {}
    try:
        codes = publishing.recipients(work, read_choice(form), draft.project)
    except RefusedError as error:
        raise RefusedError(problems | error.problems) from error
    if problems:
        raise RefusedError(problems)
    if step == PUBLISH:
        published = publishing.publish(work, draft, codes, form.idempotency_key.data, task_id=task_id)
        bring_files(work, form, published.task_id)
        flash(f"Opgaven er udgivet til {published.municipalities} kommuner.", "success")
        return redirect(f"/udgivelser/{published.task_id}", 303)
    return _preview_page(work, form, draft, codes, task_id)


@blueprint.get("/udgivelser/<id:task_id>")
@access(Right.PUBLISH)
def show(work: Work, task_id: int) -> Any:
    """One task: its words, its state, and every municipality's copy."""
    task = door.published_task(work, task_id)
    return render_template(
        "publishing/show.html",
        task=task,
        draft=publishing.draft_of(work, task_id),
        state=STATES[task.state],
        copies=copy_lines(work, task_id),
        not_relevant=not_relevant.of(work, task_id),
        files=files.of(work, task_id),
        file_form=FileForm(None) if may_attach(task) else None,
        circles=links.circles(work, task_id, publishing.draft_of(work, task_id).needs),
        deadline=_deadline_words(work, task),
        content=work.registry.content,
        **_words(),
    )


def bring_files(work: Work, form: DraftForm, task_id: int) -> None:
    """The files of the task that was copied, where they were ticked."""
    source = _number(form.files_from.data)
    if source and form.files_too.data:
        files.copy(work, source, task_id)


def _deadline_words(work: Work, task: Task) -> str:
    version = publishing.current_version(work, task)
    return publishing.explanation(work.registry, version.deadline_rule, version.deadline_parameter)


def _words() -> dict[str, Any]:
    return {"parts": PARTS, "priorities": PRIORITY_LABELS, "hints": HINTS}


def _form_page(work: Work, form: DraftForm) -> str:
    names: dict[str, str] = form.extra_names  # type: ignore[attr-defined]
    return render_template(
        "publishing/form.html",
        form=form,
        project=_project(work, form.project.data or ""),
        extras=[form[name] for name in names.values()],
        rules=work.registry.deadline_rules.values(),
        **writing_names(work, form),
        **_words(),
    )


def _preview_page(
    work: Work, form: DraftForm, draft: Draft, codes: tuple[int, ...], task_id: int | None
) -> str:
    sent = [
        (name, value)
        for name, values in request.form.lists()
        if name not in ("csrf_token", "trin")
        for value in values
    ]
    return render_template(
        "publishing/preview.html",
        form=form,
        draft=draft,
        ahead=preview(work, draft, codes, task_id),
        circles=links.circles(work, task_id, draft.needs),
        project=_project(work, draft.project),
        sent=sent,
        content=work.registry.content,
        **_words(),
    )


def _projects(work: Work) -> list[Project]:
    return list(work.session.scalars(select(Project).where(Project.active.is_(True)).order_by(Project.name)))


def _project(work: Work, slug: str) -> Project:
    found = work.session.scalar(select(Project).where(Project.slug == slug, Project.active.is_(True)))
    if found is None:
        raise NotFoundError
    return found


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
