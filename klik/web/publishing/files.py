"""KOMBIT's files on a task: put there, fetched, taken away."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_wtf.file import FileField, FileRequired
from werkzeug.wrappers import Response

from klik.domain import filetypes
from klik.domain.life import State
from klik.domain.rights import Right
from klik.models import Task
from klik.services import access as door
from klik.services.errors import RefusedError
from klik.services.publishing import files
from klik.services.work import Work
from klik.web.base import access, installation
from klik.web.forms import OnceForm, offer_tick, ticked
from klik.web.tasks.page import hand_out

blueprint = Blueprint("publishing_files", __name__)


class FileForm(OnceForm):
    """One file."""

    file = FileField("Vælg en fil", [FileRequired("Fil: vælg den fil, der skal vedhæftes.")])


def may_attach(task: Task) -> bool:
    """Whether files may come and go: until the task is withdrawn."""
    return task.state != State.WITHDRAWN.value


@blueprint.get("/udgivelser/<id:task_id>/filer")
@access(Right.PUBLISH)
def index(work: Work, task_id: int) -> Any:
    """The files of one task, and the form for one more."""
    return _page(work, task_id, FileForm(None))


@blueprint.post("/udgivelser/<id:task_id>/filer")
@access(Right.PUBLISH)
def add(work: Work, task_id: int) -> Any:
    """Put a file on the task."""
    form = FileForm()
    if not form.validate():
        return _page(work, task_id, form), 422
    sent = form.file.data
    try:
        content = sent.read(filetypes.LARGEST + 1)
        row = files.add(
            work, installation().files, task_id, sent.filename or "", content, not_cpr=ticked(form.file)
        )
    except RefusedError as refused:
        form.file.errors = list(refused.problems.values())
        offer_tick(form.file)
        return _page(work, task_id, form), 422
    flash(f"Filen “{row.name}” er vedhæftet.", "success")
    return _back(task_id)


@blueprint.post("/udgivelser/<id:task_id>/filer/<id:file_id>/fjern")
@access(Right.PUBLISH)
def remove(work: Work, task_id: int, file_id: int) -> Any:
    """Take a file off the task, in every municipality."""
    name = files.remove(work, task_id, file_id)
    flash(f"Filen “{name}” er fjernet fra opgaven.", "success")
    return _back(task_id)


@blueprint.get("/udgivelser/<id:task_id>/filer/<id:file_id>")
@access(Right.PUBLISH)
def fetch(work: Work, task_id: int, file_id: int) -> Any:
    """One file, as a municipality gets it."""
    return hand_out(files.read, work, task_id, file_id)


def _page(work: Work, task_id: int, form: FileForm) -> str:
    task = door.published_task(work, task_id)
    return render_template(
        "publishing/files_page.html",
        task=task,
        files=files.of(work, task_id),
        file_form=form if may_attach(task) else None,
    )


def _back(task_id: int) -> Response:
    return redirect(url_for("publishing.show", task_id=task_id) + "#filer", 303)
