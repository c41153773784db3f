"""KOMBIT's pages: what is published, writing a task, looking at it as a municipality will, publishing it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response

from klik.domain.life import Act, State, acts_from, leads_to
from klik.domain.rights import Right
from klik.domain.status import Status
from klik.models import Project, Task
from klik.services import access as door
from klik.services import publishing
from klik.services.deadlines import FIXED_DATE
from klik.services.errors import ConflictError, NotFoundError, RefusedError
from klik.services.publishing import Draft, appointing, files, life, links, not_relevant, steps
from klik.services.publishing.audience import in_words
from klik.services.publishing.progress import (
    Wanted,
    copy_lines,
    count_states,
    last_days,
    state_words,
    task_lines,
)
from klik.services.publishing.text import PARTS, PRIORITY_LABELS
from klik.services.work import Work
from klik.web import link_words
from klik.web.base import access
from klik.web.formats import plural
from klik.web.publishing.ahead import ahead_names
from klik.web.publishing.choices import AT, DONE, MOMENT, TICKED, moments, read_moment, ticked_roles
from klik.web.publishing.files import FileForm, may_attach
from klik.web.publishing.forms import HINTS, DraftForm, draft_form, number_typed, read_draft, show_problems
from klik.web.publishing.recipients import read_choice, recipient_data, understood_sentence
from klik.web.publishing.writing import beginnings_names, writing_names

blueprint = Blueprint("publishing", __name__)
PAGE = 100
PREVIEW, SAVE, EDIT = "forhaandsvis", "kladde", "ret"
# What the preview's buttons do with what was written, besides publishing it.
ACTS = (Act.SUBMIT, Act.ANNOUNCE, Act.PLAN)


@blueprint.get("/udgivelser")
@access(Right.PUBLISH)
def index(work: Work) -> Any:
    """Every task of KOMBIT's and how far the municipalities are; what waits for somebody stands on top."""
    typed = request.args.get("side", "1")
    asked = Wanted(request.args.get("projekt") or None, text=request.args.get("q", "").strip()[:100])
    states = count_states(work, asked)
    chosen = next((state for state in State if state.value == request.args.get("tilstand")), None)
    wanted = replace(asked, state=chosen)
    total = states.get(chosen, 0) if chosen else sum(states.values())
    pages = max(1, -(-total // PAGE))
    page = min(max(int(typed), 1), pages) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 1
    lines = task_lines(work, None, (page - 1) * PAGE, PAGE, wanted=wanted)
    for_approval = [line.task_id for line in lines if line.state == State.FOR_APPROVAL.value]
    return render_template(
        "publishing/index.html",
        lines=lines,
        own=steps.sent_by_actor(work, for_approval),
        projects=_projects(work),
        wanted=wanted,
        states=states,
        any_task=sum(states.values()),
        total=total,
        page=page,
        pages=pages,
        phases={phase.slug: phase.name for phase in work.registry.content.phases},
    )


@blueprint.get("/udgivelser/ny")
@access(Right.PUBLISH)
def new(work: Work) -> Any:
    """First the project or a template, then the form; ``kopi`` copies an earlier task, and a link may bring words."""
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
    words = link_words.read(request.args, work.registry.content)
    if slug is None and link_words.SYSTEM in words:
        slug = next((each.slug for each in projects if each.system_code == words[link_words.SYSTEM]), None)
    if slug is None:
        return render_template(
            "publishing/start.html",
            projects=projects,
            states={state.value: state.label for state in State},
            **beginnings_names(work),
        )
    project = _project(work, slug)
    draft = Draft.from_template(template, project.slug) if template else None
    return _form_page(work, draft_form(work, project, draft, _brought(words) if not template else None))


def _brought(words: Mapping[str, str]) -> dict[str, str]:
    """The form's fields that a link brought words for."""
    fields = {
        "title": link_words.TITLE,
        "description": link_words.TEXT,
        "phase": link_words.PHASE,
        "theme": link_words.THEME,
    }
    found = {field: words[name] for field, name in fields.items() if name in words}
    if link_words.DEADLINE in words:
        found |= {"deadline_rule": FIXED_DATE, "deadline_parameter": words[link_words.DEADLINE]}
    return found


@blueprint.get("/udgivelser/<id:task_id>/ret")
@access(Right.PUBLISH)
def edit(work: Work, task_id: int) -> Any:
    """Go on with a draft, or with a task that is announced or planned."""
    task = door.published_task(work, task_id)
    if leads_to(Act.CHANGE, State(task.state)) is None:
        raise NotFoundError
    try:
        steps.check_words(work, task)
    except RefusedError as error:
        return show_page(work, task_id, error.problems), 422
    draft = publishing.draft_of(work, task_id)
    stored = {"task_id": str(task.id), "version": str(task.version)}
    chosen = recipient_data(publishing.choice_of(task))
    return _form_page(work, draft_form(work, task.project, draft, {**stored, **chosen}))


@blueprint.post("/udgivelser")
@access(Right.PUBLISH)
def take(work: Work) -> Any:
    """What the form and the preview send: look ahead, go back and edit, store, and publish, plan or announce."""
    form = draft_form(work, _project(work, request.form.get("project", "")))
    step = Act.PLAN.value if request.form.get("udgives") else request.form.get("trin", PREVIEW)
    if step == EDIT:
        return _form_page(work, form)
    fine = form.validate()
    draft = read_draft(form)
    if not fine or draft is None:
        return _form_page(work, form), 422
    try:
        return _taken(work, form, draft, step)
    except RefusedError as error:
        if AT in error.problems:
            return _preview_page(work, form, draft, error.problems[AT]), 422
        show_problems(form, error.problems)
        return _form_page(work, form), 422
    except ConflictError as conflict:
        # What was typed stays, and goes in when it is sent again with the newer version.
        form.version.data = str(conflict.version)
        return _form_page(work, form, conflict), 409


def _taken(work: Work, form: DraftForm, draft: Draft, step: str) -> Response | str:
    task_id, version = number_typed(form.task_id.data), number_typed(form.version.data)
    choice = read_choice(form)
    if step == SAVE:
        if task_id:
            publishing.change_draft(work, task_id, draft, version or 0, choice, ticked_roles())
        else:
            task_id = publishing.save_draft(work, draft, form.draft_key.data, choice, ticked_roles())
        bring_files(work, form, task_id)
        flash("Kladden er gemt.", "success")
        return redirect(f"/udgivelser/{task_id}", 303)
    if step in ACTS:
        act = Act(step)
        at = read_moment(work) if act is Act.PLAN else None
        press = publishing.Press(version, form.idempotency_key.data, ticked_roles())
        task_id = life.do_with_draft(work, act, draft, choice, press, task_id=task_id, at=at)
        bring_files(work, form, task_id)
        flash(DONE[act], "success")
        return redirect(f"/udgivelser/{task_id}", 303)
    if step == Act.PUBLISH:
        codes = publishing.recipients(work, choice, draft.project)
        key = form.idempotency_key.data
        published = publishing.publish(
            work,
            draft,
            codes,
            key,
            task_id=task_id,
            version=version,
            choice=choice,
            appoint=ticked_roles(),
        )
        bring_files(work, form, published.task_id)
        appointed = appointing.appoint(work, published, codes, ticked_roles() or ())
        flash(f"Opgaven er udgivet til {plural(published.municipalities, 'kommune', 'kommuner')}.", "success")
        for title, count in appointed.items():
            flash(f"“{title}” er udgivet til {plural(count, 'kommune', 'kommuner')}.", "success")
        return redirect(f"/udgivelser/{published.task_id}", 303)
    return _preview_page(work, form, draft)


@blueprint.get("/udgivelser/<id:task_id>")
@access(Right.PUBLISH)
def show(work: Work, task_id: int) -> Any:
    """One task: its state and what can be done with it, its words, its history, and every municipality's copy."""
    return show_page(work, task_id)


def show_page(work: Work, task_id: int, problems: Mapping[str, str] | None = None) -> str:
    """The page of one task, with what was wrong with the last press."""
    task = door.published_task(work, task_id)
    draft, choice = publishing.draft_of(work, task_id), publishing.choice_of(task)
    copies = copy_lines(work, task_id)
    last_day = last_days(work, [task_id]).get(task_id)
    return render_template(
        "publishing/show.html",
        task=task,
        draft=draft,
        vacant_roles=[work.registry.content.role(role).name for role in steps.kept_roles(task)],
        state=state_words(State(task.state), task.current_number, last_day),
        last_day=last_day,
        acts=possible(work, task),
        steps=steps.of_task(work, task),
        recipients=in_words(work, choice, draft.project) if choice else "",
        key=str(uuid.uuid4()),
        problems=problems or {},
        note=request.form.get("begrundelse", ""),
        copies=copies,
        completed=sum(copy.status is Status.COMPLETED for copy in copies),
        begun=sum(copy.status is Status.IN_PROGRESS for copy in copies),
        not_relevant=not_relevant.of(work, task_id),
        files=files.of(work, task_id),
        file_form=FileForm(None) if may_attach(task) else None,
        circles=links.circles(work, task_id, draft.needs),
        deadline=_deadline_words(work, task),
        content=work.registry.content,
        **words(),
    )


def bring_files(work: Work, form: DraftForm, task_id: int) -> None:
    """The files of the task that was copied, where they were ticked."""
    source = number_typed(form.files_from.data)
    if source and form.files_too.data:
        files.copy(work, source, task_id)


def possible(work: Work, task: Task) -> frozenset[str]:
    """The acts the actor may take with the task now, by their word."""
    acts = set(acts_from(State(task.state)))
    if not steps.may_approve(work, task):
        acts -= steps.APPROVALS
    if not steps.may_reword(work, task):
        acts.discard(Act.CHANGE)
    return frozenset(act.value for act in acts)


def _deadline_words(work: Work, task: Task) -> str:
    version = publishing.current_version(work, task)
    return publishing.explanation(
        work.registry, version.deadline_rule, version.deadline_parameter, version.working_day
    )


def words() -> dict[str, Any]:
    """The labels that the pages of a task share."""
    return {"parts": PARTS, "priorities": PRIORITY_LABELS, "hints": HINTS}


def _form_page(work: Work, form: DraftForm, conflict: ConflictError | None = None) -> str:
    names: dict[str, str] = form.extra_names  # type: ignore[attr-defined]
    return render_template(
        "publishing/form.html",
        form=form,
        conflict=conflict,
        project=_project(work, form.project.data or ""),
        ticked=request.form.getlist(TICKED),
        extras=[form[name] for name in names.values()],
        rules=work.registry.deadline_rules.values(),
        **writing_names(work, form),
        **words(),
    )


def _preview_page(work: Work, form: DraftForm, draft: Draft, problem: str = "") -> str:
    task_id = number_typed(form.task_id.data)
    problems = publishing.check(work, draft, task_id)
    try:
        codes = publishing.recipients(work, read_choice(form), draft.project)
    except RefusedError as error:
        raise RefusedError(problems | error.problems) from error
    if problems:
        raise RefusedError(problems)
    sent = [
        (name, value)
        for name, values in request.form.lists()
        if name not in ("csrf_token", "trin", "udgives", MOMENT, TICKED)
        for value in values
    ]
    task = door.published_task(work, task_id) if task_id else None
    acts = possible(work, task) if task else frozenset(act.value for act in acts_from(State.DRAFT))
    ticked = ticked_roles()
    if ticked is None:
        ticked = steps.kept_roles(task) if task else ()
    return render_template(
        "publishing/preview.html",
        task_id=task_id,
        draft=draft,
        **ahead_names(work, draft, codes, read_choice(form), task_id, understood_sentence(form), ticked),
        project=_project(work, draft.project),
        sent=sent,
        post_to="/udgivelser",
        back_to="",
        acts=acts,
        content=work.registry.content,
        **moments(work, problem),
        **words(),
    )


def _projects(work: Work) -> list[Project]:
    return list(work.session.scalars(select(Project).where(Project.active.is_(True)).order_by(Project.name)))


def _project(work: Work, slug: str) -> Project:
    found = work.session.scalar(select(Project).where(Project.slug == slug, Project.active.is_(True)))
    if found is None:
        raise NotFoundError
    return found
