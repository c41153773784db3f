"""The page of one task, and what is done from it."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.models import MunicipalTask
from klik.services import access as doors
from klik.services import free_text, idempotency, listing, past, views
from klik.services.correcting import deviations, versions
from klik.services.criteria import Criteria
from klik.services.deleting import tombstone
from klik.services.errors import ConflictError, NotFoundError, RefusedError
from klik.services.listing import Neighbours
from klik.services.notices import task_account
from klik.services.questions import reading
from klik.services.rendering import RenderingError
from klik.services.tasks import (
    attachments,
    changing,
    commenting,
    drawn,
    exporting,
    mentioning,
    panels,
    read_marks,
    unseen,
)
from klik.services.tasks import details as task_details
from klik.services.tasks import history as task_history
from klik.services.tasks.details import TaskDetails
from klik.services.work import Work
from klik.web import errors
from klik.web.base import Afterwards, access, installation
from klik.web.forms import OnceForm, ticked
from klik.web.questions.forms import QuestionForm
from klik.web.roles import appointing
from klik.web.tasks.checklist import LineForm
from klik.web.tasks.forms import AttachForm, CommentEditForm, CommentForm, EditForm, edit_form, show_problems
from klik.web.tasks.panel import list_address
from klik.web.tasks.way import criteria as criteria_of_list
from klik.web.tasks.way import way

blueprint = Blueprint("task", __name__, url_prefix="/opgaver")


@blueprint.get("/<id:task_id>")
@access(Right.READ_TASKS)
def show(work: Work, task_id: int) -> Any:
    """The task; where it was deleted, who decided so and what is left."""
    try:
        details = task_details.load(work, task_id)
    except NotFoundError:
        return _erased(work, task_id)
    return _page(work, details)


def _erased(work: Work, task_id: int) -> Any:
    stone = tombstone.read(work, task_id)
    return render_template("tasks/erased.html", stone=stone), 410


@blueprint.get("/<id:task_id>.pdf")
@access(Right.EXPORT)
def pdf(work: Work, task_id: int) -> Afterwards:
    """The task as a PDF: drawn when this transaction is over, noted as taken home in one of its own."""
    house, actor, now = installation(), work.actor, work.now
    doors.municipal_task(work, task_id)

    def make() -> Any:
        try:
            pdf = drawn.task(house, actor, now, task_id)
        except RenderingError as problem:
            return errors.page(503, message=str(problem))
        with house.writing(now, actor) as noting:
            exporting.note(noting, pdf.export, pdf.sha256, pdf.size)
        return _attachment(pdf.name, "application/pdf", house.archive.get(pdf.sha256))

    return Afterwards(make)


@blueprint.post("/<id:task_id>/ret")
@access(Right.READ_TASKS)
def change(work: Work, task_id: int) -> Any:
    """Store what was changed, or show the form again: with what is wrong (422) or with both versions (409)."""
    task = doors.task_to_change(work, task_id)
    details = task_details.load(work, task_id)
    form = edit_form(work, task, details.field_values, sent=True)
    if not form.validate_on_submit():
        return _page(work, details, form=form), 422
    version = task.version
    try:
        changed = changing.change(work, task_id, form.version.data or 0, form.changes())
    except RefusedError as error:
        show_problems(form, error)
        return _page(work, details, form=form), 422
    except ConflictError as conflict:
        fresh = task_details.load(work, task_id)
        form.keep_only_touched(edit_form(work, fresh.task, fresh.field_values))
        return _page(work, fresh, form=form, conflict=conflict), 409
    flash("Ændringen er gemt." if changed.version != version else "Intet var ændret.", "success")
    return _back(work, task_id)


@blueprint.post("/<id:task_id>/set")
@access(Right.READ_TASKS)
def mark_read(work: Work, task_id: int) -> Response:
    """ "Set": what the page showed is no longer new to this person; what came meanwhile still is."""
    shown = request.form.get("udgave", "")
    version_id = int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 18 else None
    read_marks.mark_read(work, task_id, _moment(request.form.get("vist", "")), version_id)
    return _back(work, task_id)


@blueprint.post("/<id:task_id>/kommentarer")
@access(Right.COMMENT)
def comment(work: Work, task_id: int) -> Any:
    """Write a comment."""
    form = CommentForm()
    if earlier := idempotency.earlier_result(work.session, form.idempotency_key.data):
        return redirect(earlier, 303)
    details = task_details.load(work, task_id)
    if not form.validate_on_submit():
        return _page(work, details, comment_form=form), 422
    try:
        row = commenting.add(
            work,
            task_id,
            form.words(),
            private=bool(form.private.data),
            not_cpr=free_text.is_confirmed(form.text.data),
        )
    except RefusedError as error:
        show_problems(form, error)
        return _page(work, details, comment_form=form), 422
    answer = _back(work, task_id, f"kommentar-{row.id}")
    idempotency.remember(work, form.idempotency_key.data, "kommentér", answer.location)
    return answer


@blueprint.get("/<id:task_id>/kommentarer/<id:comment_id>/ret")
@access(Right.COMMENT)
def edit_comment(work: Work, task_id: int, comment_id: int) -> str:
    """The form for changing one's own comment."""
    row = doors.own_comment(work, task_id, comment_id)
    text = mentioning.written(work, doors.municipal_task(work, task_id), row.text)
    form = CommentEditForm(data={"version": row.version, "text": text})
    return _comment_page(work, task_id, comment_id, form)


@blueprint.post("/<id:task_id>/kommentarer/<id:comment_id>/ret")
@access(Right.COMMENT)
def store_comment(work: Work, task_id: int, comment_id: int) -> Any:
    """Store one's own changed comment."""
    form = CommentEditForm()
    doors.own_comment(work, task_id, comment_id)
    if not form.validate_on_submit():
        return _comment_page(work, task_id, comment_id, form), 422
    try:
        commenting.edit(
            work,
            task_id,
            comment_id,
            form.version.data or 0,
            form.text.data or "",
            not_cpr=free_text.is_confirmed(form.text.data),
        )
    except RefusedError as error:
        show_problems(form, error)
        return _comment_page(work, task_id, comment_id, form), 422
    except ConflictError as conflict:
        form.version.data, form.version.raw_data = conflict.version, None
        return _comment_page(work, task_id, comment_id, form, conflict), 409
    return _back(work, task_id, f"kommentar-{comment_id}")


@blueprint.post("/<id:task_id>/kommentarer/<id:comment_id>/slet")
@access(Right.COMMENT)
def delete_comment(work: Work, task_id: int, comment_id: int) -> Response:
    """Remove one's own comment."""
    commenting.delete(work, task_id, comment_id)
    flash("Kommentaren er slettet.", "success")
    return _back(work, task_id, "kommentarer")


@blueprint.post("/<id:task_id>/filer")
@access(Right.READ_TASKS)
def attach(work: Work, task_id: int) -> Any:
    """Attach a file."""
    form = AttachForm()
    if earlier := idempotency.earlier_result(work.session, form.idempotency_key.data):
        return redirect(earlier, 303)
    doors.task_to_change(work, task_id)
    details = task_details.load(work, task_id)
    upload = request.files.get("file")
    try:
        if not form.validate_on_submit() or upload is None or not upload.filename:
            raise RefusedError({"file": "Vælg den fil, der skal vedhæftes."})
        not_cpr = ticked(form.file)
        content = upload.stream.read()
        attachments.add(work, installation().files, task_id, upload.filename, content, not_cpr=not_cpr)
    except RefusedError as error:
        show_problems(form, error)
        return _page(work, details, attach_form=form), 422
    answer = _back(work, task_id, "filer")
    idempotency.remember(work, form.idempotency_key.data, "vedhæft-fil", answer.location)
    flash("Filen er vedhæftet.", "success")
    return answer


@blueprint.post("/<id:task_id>/filer/<id:file_id>/fjern")
@access(Right.READ_TASKS)
def detach(work: Work, task_id: int, file_id: int) -> Response:
    """Take one of the municipality's own files off the task."""
    attachments.remove(work, task_id, file_id)
    flash("Filen er fjernet fra opgaven.", "success")
    return _back(work, task_id, "filer")


@blueprint.get("/<id:task_id>/filer/<id:file_id>")
@access(Right.READ_TASKS)
def file(work: Work, task_id: int, file_id: int) -> Any:
    """The municipality's own file."""
    return hand_out(attachments.own, work, task_id, file_id)


@blueprint.get("/<id:task_id>/kombits-filer/<id:file_id>")
@access(Right.READ_TASKS)
def kombit_file(work: Work, task_id: int, file_id: int) -> Any:
    """A file KOMBIT put on the task."""
    return hand_out(attachments.from_kombit, work, task_id, file_id)


def hand_out(load: Any, work: Work, task_id: int, file_id: int) -> Any:
    """The file that ``load`` finds, as a download that no browser runs; a page where its bytes are lost."""
    try:
        found = load(work, installation().files, task_id, file_id)
    except attachments.FileLostError as lost:
        return errors.page(
            404,
            message=f"Filen “{lost.name}” kan ikke hentes: den mangler eller er beskadiget på serveren. "
            "Sig det til driften, så den kan hentes fra en sikkerhedskopi.",
        )
    response = _attachment(found.name, found.media_type, found.content)
    # Nobody's file may run as part of klik, whatever a browser takes it for.
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _attachment(name: str, media_type: str, content: bytes) -> Response:
    response = send_file(io.BytesIO(content), media_type, as_attachment=True, download_name=name, etag=False)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _moment(text: str) -> datetime | None:
    """The moment a page was drawn, as its form sends it back."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None


def _back(work: Work, task_id: int, anchor: str = "") -> Response:
    return redirect(f"{url_for('task.show', task_id=task_id)}{way(work)}{anchor and '#'}{anchor}", 303)


def _comment_page(
    work: Work, task_id: int, comment_id: int, form: CommentEditForm, conflict: ConflictError | None = None
) -> str:
    details = task_details.load(work, task_id)
    return render_template(
        "tasks/comment.html", details=details, comment_id=comment_id, form=form, conflict=conflict
    )


def _page(
    work: Work,
    details: TaskDetails,
    *,
    form: EditForm | None = None,
    conflict: ConflictError | None = None,
    comment_form: CommentForm | None = None,
    attach_form: AttachForm | None = None,
) -> str:
    """The whole page; forms the actor may not use are left out."""
    task = details.task
    assert work.actor is not None
    criteria = criteria_of_list(work)
    neighbours = _neighbours(work, criteria, task.id)
    view = views.municipal_task_views(work, [task])[0]
    may_change, may_comment = doors.may_change(work, task), doors.may_comment(work, task)
    content = work.registry.content
    comment_form = (comment_form or CommentForm(None)) if may_comment else None
    if comment_form:
        comment_form.mention.choices = _mentionable(work, task)
    return render_template(
        "tasks/page.html",
        details=details,
        task=task,
        phase=content.phase(task.phase),
        theme=content.theme(task.theme),
        form=(form or edit_form(work, task, details.field_values)) if may_change else None,
        conflict=conflict,
        comment_form=comment_form,
        attach_form=(attach_form or AttachForm(None)) if may_change else None,
        panels=panels.task_panels(work, view),
        questions=reading.of_task(work, task),
        question_form=QuestionForm(None) if doors.may_ask(work, task) else None,
        history=task_history.history(work, task, own=details.own),
        told=task_account.of_task(work, task),
        next_reminder=task_account.upcoming(work, task, view),
        news=unseen.load(work, details),
        deviations=deviations.open_on(work, task) if details.own or details.sees_people else (),
        corrections=versions.of_copy(work, task),
        may_change=may_change,
        line_form=LineForm(None),
        line_edit_form=None,
        line_edited=None,
        line_conflict=None,
        may_export=work.actor.has(Right.EXPORT),
        once=OnceForm(None),
        **appointing.panel(work, task),
        may_keep=work.actor.has(Right.FETCH_DELETION),
        # The bar is about this task, or it is not there.
        **({} if details.deletion else {"countdown": None}),
        today=work.today,
        way=way(work),
        back=_list_address(criteria, task.id, neighbours),
        neighbours=neighbours,
    )


def _list_address(criteria: Criteria | None, task_id: int, neighbours: Neighbours | None) -> str:
    """The way back: the list as it was, on the page and the row where the task stands now."""
    if criteria is None:
        return url_for("tasks.index")
    if neighbours is None:
        return list_address(criteria)
    page = (neighbours.place - 1) // criteria.page_size + 1
    return f"{list_address(criteria.on_page(page))}#opgave-{task_id}"


def _neighbours(work: Work, criteria: Criteria | None, task_id: int) -> Neighbours | None:
    if criteria is None:
        return None
    with past.asked(work, criteria) as standing:
        return listing.neighbours(standing.work, standing.criteria, task_id)


def _mentionable(work: Work, task: MunicipalTask) -> dict[str, str]:
    """Whom a comment can name, as the list beside it has them: everybody but oneself."""
    me = work.actor.person_id if work.actor else None
    others = [each for each in mentioning.people(work, task) if each.id != me]
    return {"": "Ingen"} | {each.written: each.written for each in others}
