"""A municipality asks KOMBIT from the task's page, and may take the question back."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.services import access as doors
from klik.services import free_text, idempotency, questions
from klik.services.errors import ForbiddenError, NotFoundError, RefusedError
from klik.services.questions import reading
from klik.services.questions.reading import QuestionView
from klik.services.work import Work
from klik.web.base import access
from klik.web.questions.forms import QuestionForm

blueprint = Blueprint("asking", __name__, url_prefix="/opgaver/<id:task_id>/spoergsmaal")


@blueprint.post("")
@access(Right.COMMENT)
def ask(work: Work, task_id: int) -> Any:
    """Ask; where much the same was asked before, that is shown first, and nothing is sent yet."""
    form = QuestionForm()
    if earlier := idempotency.earlier_result(work.session, form.idempotency_key.data):
        return redirect(earlier, 303)
    task = doors.municipal_task(work, task_id)
    if task.task_id is None:
        raise NotFoundError
    if not doors.may_ask(work, task):
        raise ForbiddenError("ask")
    if not form.validate_on_submit():
        return _page(work, task_id, form), 422
    if not form.seen.data:
        alike = reading.similar(reading.of_task(work, task), form.question.data or "")
        if alike:
            form.seen.data, form.seen.raw_data = "ja", None
            return _page(work, task_id, form, alike)
    try:
        asked = questions.ask(
            work,
            task_id,
            form.question.data or "",
            named=bool(form.named.data),
            not_cpr=free_text.is_confirmed(form.question.data),
        )
    except RefusedError as error:
        form.question.errors = [*form.question.errors, *error.problems.values()]
        return _page(work, task_id, form), 422
    answer = redirect(f"{url_for('task.show', task_id=task_id)}#spoergsmaal-{asked.id}", 303)
    idempotency.remember(work, form.idempotency_key.data, "spørg", answer.location)
    flash("Spørgsmålet er sendt til KOMBIT. Du får et varsel, når der er svar.", "success")
    return answer


@blueprint.post("/<id:question_id>/tilbage")
@access(Right.COMMENT)
def take_back(work: Work, task_id: int, question_id: int) -> Response:
    """Take back one's own question."""
    try:
        questions.take_back(work, task_id, question_id)
        flash("Spørgsmålet er taget tilbage.", "success")
    except RefusedError as error:
        flash(str(error), "warning")
    return redirect(f"{url_for('task.show', task_id=task_id)}#spoergsmaal", 303)


def _page(work: Work, task_id: int, form: QuestionForm, alike: tuple[QuestionView, ...] = ()) -> str:
    task = doors.municipal_task(work, task_id)
    return render_template("questions/ask.html", task=task, question_form=form, alike=alike)
