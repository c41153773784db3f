"""KOMBIT's acts on a stored task: approval, announcement, plan, publication and withdrawal."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from klik.domain.life import Act, State
from klik.domain.rights import Right
from klik.services import access as door
from klik.services import publishing
from klik.services.errors import RefusedError
from klik.services.publishing import life, steps, withdrawing
from klik.services.publishing.steps import Press
from klik.services.work import Work
from klik.web.base import access
from klik.web.publishing.ahead import ahead_names
from klik.web.publishing.choices import AT, DONE, moments, read_moment, ticked_roles
from klik.web.publishing.forms import number_typed
from klik.web.publishing.views import possible, show_page, words

blueprint = Blueprint("publishing_life", __name__)
NOTE = "begrundelse"


@blueprint.get("/udgivelser/<id:task_id>/forhaandsvis")
@access(Right.PUBLISH)
def look(work: Work, task_id: int) -> Any:
    """A stored task as it would be published now, with what can be done with it."""
    return _look(work, task_id)


def _look(work: Work, task_id: int, problem: str = "") -> str:
    task = door.published_task(work, task_id)
    if task.state in (State.PUBLISHED.value, State.WITHDRAWN.value):
        raise RefusedError({"": f"Opgaven {task.task_number} er allerede udgivet."})
    draft = publishing.draft_of(work, task_id)
    choice = publishing.choice_of(task)
    if choice is None:
        raise RefusedError({"recipients": "Modtagere: ret opgaven, og vælg, hvem den skal udgives til."})
    problems = publishing.check(work, draft, task_id)
    try:
        codes = publishing.recipients(work, choice, draft.project)
    except RefusedError as error:
        raise RefusedError(problems | error.problems) from error
    if problems:
        raise RefusedError(problems)
    ticked = ticked_roles()
    return render_template(
        "publishing/preview.html",
        task_id=task.id,
        draft=draft,
        **ahead_names(
            work, draft, codes, choice, task_id, ticked=steps.kept_roles(task) if ticked is None else ticked
        ),
        project=task.project,
        sent=[("version", task.version), ("idempotency_key", str(uuid.uuid4()))],
        post_to=f"/udgivelser/{task.id}/skridt",
        back_to=f"/udgivelser/{task.id}",
        acts=possible(work, task),
        content=work.registry.content,
        **moments(work, problem),
        **words(),
    )


@blueprint.post("/udgivelser/<id:task_id>/skridt")
@access(Right.PUBLISH)
def step(work: Work, task_id: int) -> Any:
    """Do what the pressed button says with a stored task."""
    door.published_task(work, task_id)
    act = _act()
    press = Press(
        number_typed(request.form.get("version")), request.form.get("idempotency_key"), ticked_roles()
    )
    try:
        at = read_moment(work) if act is Act.PLAN else None
        life.do(work, act, task_id, press, note=request.form.get(NOTE, ""), at=at)
    except RefusedError as error:
        if AT in error.problems:
            return _look(work, task_id, error.problems[AT]), 422
        return show_page(work, task_id, error.problems), 422
    return _done(act, task_id)


def _act() -> Act:
    if request.form.get("udgives"):
        return Act.PLAN
    try:
        return Act(request.form.get("trin", ""))
    except ValueError:
        raise RefusedError({"": "Vælg, hvad der skal ske med opgaven."}) from None


def _done(act: Act, task_id: int) -> Response:
    flash(DONE.get(act, "Det er gjort."), "success")
    return redirect(f"/udgivelser/{task_id}", 303)


@blueprint.get("/udgivelser/<id:task_id>/traek-tilbage")
@access(Right.PUBLISH)
def withdrawal(work: Work, task_id: int) -> Any:
    """What withdrawing would reach, and the field for the reason."""
    return _withdrawal(work, task_id)


def _withdrawal(work: Work, task_id: int, problems: Mapping[str, str] | None = None) -> str:
    task = door.published_task(work, task_id)
    if not problems:
        steps.check(work, task, Act.WITHDRAW)
    return render_template(
        "publishing/withdraw.html",
        task=task,
        title=publishing.current_version(work, task).title,
        ahead=withdrawing.ahead(work, task),
        problems=problems or {},
        typed=request.form.get(NOTE, ""),
        key=request.form.get("idempotency_key") or str(uuid.uuid4()),
        version=request.form.get("version") or task.version,
        limit=steps.NOTE_LIMIT,
    )


@blueprint.post("/udgivelser/<id:task_id>/traek-tilbage")
@access(Right.PUBLISH)
def withdraw(work: Work, task_id: int) -> Any:
    """Withdraw the task from every municipality."""
    door.published_task(work, task_id)
    press = Press(number_typed(request.form.get("version")), request.form.get("idempotency_key"))
    try:
        life.do(work, Act.WITHDRAW, task_id, press, note=request.form.get(NOTE, ""))
    except RefusedError as error:
        return _withdrawal(work, task_id, error.problems), 422
    return _done(Act.WITHDRAW, task_id)
