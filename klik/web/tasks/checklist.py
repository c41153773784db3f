"""The checklist on a task's page: plain forms, and with htmx only the list itself is exchanged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from wtforms import IntegerField, StringField
from wtforms.validators import InputRequired

from klik.domain.rights import Right
from klik.services import access as doors
from klik.services import free_text, idempotency
from klik.services.errors import ConflictError, RefusedError
from klik.services.tasks import checklist, unseen
from klik.services.tasks import details as task_details
from klik.services.work import Work
from klik.web.base import access
from klik.web.forms import CleanText, OnceForm, VersionedForm
from klik.web.tasks.forms import show_problems
from klik.web.tasks.way import way

blueprint = Blueprint("checklist", __name__, url_prefix="/opgaver/<id:task_id>/tjekliste")


# Pressed instead of writing a line.
STEPS = "trin"


class LineForm(OnceForm):
    """A new line."""

    # The page has a comment form as well; no two fields may share an id.
    text = StringField("Ny linje", validators=[CleanText(checklist.LIMIT, required=True)], id="ny-linje")


class LineEditForm(VersionedForm):
    """A line, again."""

    text = StringField("Linje", validators=[CleanText(checklist.LIMIT, required=True)])


class TickForm(VersionedForm):
    """Whether a line is done."""

    done = IntegerField(validators=[InputRequired("Vælg, om linjen er gjort.")])


class MoveForm(VersionedForm):
    """One up (-1) or one down (1)."""

    steps = IntegerField(validators=[InputRequired("Vælg op eller ned.")])


@blueprint.post("")
@access(Right.READ_TASKS)
def add(work: Work, task_id: int) -> Any:
    """Put a line at the end, or KOMBIT's steps on an empty list."""
    form = LineForm()
    doors.task_to_change(work, task_id)
    if idempotency.earlier_result(work.session, form.idempotency_key.data):
        return _done(work, task_id)
    if request.form.get(STEPS):
        try:
            checklist.add_steps(work, task_id)
        except RefusedError as error:
            show_problems(form, error)
            return _list(work, task_id, add_form=form), 422
        return _done(work, task_id)
    if not form.validate_on_submit():
        return _list(work, task_id, add_form=form), 422
    try:
        checklist.add(work, task_id, form.text.data or "", not_cpr=free_text.is_confirmed(form.text.data))
    except RefusedError as error:
        show_problems(form, error)
        return _list(work, task_id, add_form=form), 422
    idempotency.remember(work, form.idempotency_key.data, "tilføj-linje", f"/opgaver/{task_id}#tjekliste")
    return _done(work, task_id)


@blueprint.post("/<id:item_id>/kryds")
@access(Right.READ_TASKS)
def tick(work: Work, task_id: int, item_id: int) -> Any:
    """Tick a line, or take the tick away."""
    form = TickForm()
    doors.checklist_item(work, task_id, item_id)
    return _changed(
        work,
        task_id,
        form,
        lambda: checklist.tick(work, task_id, item_id, form.version.data or 0, bool(form.done.data)),
    )


@blueprint.post("/<id:item_id>/flyt")
@access(Right.READ_TASKS)
def move(work: Work, task_id: int, item_id: int) -> Any:
    """Move a line one up or down."""
    form = MoveForm()
    doors.checklist_item(work, task_id, item_id)
    return _changed(
        work,
        task_id,
        form,
        lambda: checklist.move(work, task_id, item_id, form.version.data or 0, form.steps.data or 1),
    )


@blueprint.post("/<id:item_id>/ret")
@access(Right.READ_TASKS)
def rename(work: Work, task_id: int, item_id: int) -> Any:
    """Write a line anew; what was typed stays in the form when it cannot be stored."""
    form = LineEditForm()
    form.text.id = f"linje-{item_id}"
    doors.checklist_item(work, task_id, item_id)
    if not form.validate_on_submit():
        return _list(work, task_id, edit_form=form, item_id=item_id), 422
    try:
        checklist.rename(
            work,
            task_id,
            item_id,
            form.version.data or 0,
            form.text.data or "",
            not_cpr=free_text.is_confirmed(form.text.data),
        )
    except RefusedError as error:
        show_problems(form, error)
        return _list(work, task_id, edit_form=form, item_id=item_id), 422
    except ConflictError as conflict:
        form.version.data, form.version.raw_data = conflict.version, None
        return _list(work, task_id, edit_form=form, item_id=item_id, conflict=conflict), 409
    return _done(work, task_id)


@blueprint.post("/<id:item_id>/fjern")
@access(Right.READ_TASKS)
def remove(work: Work, task_id: int, item_id: int) -> Any:
    """Take a line away."""
    form = VersionedForm()
    doors.checklist_item(work, task_id, item_id)
    return _changed(
        work, task_id, form, lambda: checklist.remove(work, task_id, item_id, form.version.data or 0)
    )


def _changed(work: Work, task_id: int, form: VersionedForm, act: Callable[[], Any]) -> Any:
    if not form.validate_on_submit():
        return _list(work, task_id), 422
    try:
        act()
    except ConflictError as conflict:
        return _list(work, task_id, conflict=conflict), 409
    return _done(work, task_id)


def _done(work: Work, task_id: int) -> Any:
    if "HX-Request" in request.headers:
        return _list(work, task_id)
    return redirect(f"{url_for('task.show', task_id=task_id)}{way(work)}#tjekliste", 303)


def _list(
    work: Work,
    task_id: int,
    *,
    add_form: LineForm | None = None,
    edit_form: LineEditForm | None = None,
    item_id: int | None = None,
    conflict: ConflictError | None = None,
) -> str:
    """The list alone where htmx asks for it, else a page of its own."""
    details = task_details.load(work, task_id)
    template = "tasks/checklist.html" if "HX-Request" in request.headers else "tasks/checklist_page.html"
    return render_template(
        template,
        details=details,
        task=details.task,
        news=unseen.load(work, details),
        may_change=doors.may_change(work, details.task),
        line_form=add_form or LineForm(None),
        line_edit_form=edit_form,
        line_edited=item_id,
        line_conflict=conflict,
        way=way(work),
    )
