"""KOMBIT's questions: those that wait, oldest first, and one of them to answer, correct or close."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.services import free_text, questions
from klik.services.errors import ConflictError, RefusedError
from klik.services.questions import reading
from klik.services.work import Work
from klik.web.base import access
from klik.web.forms import Form
from klik.web.questions.forms import AnswerForm, CloseForm

blueprint = Blueprint("questions", __name__, url_prefix="/spoergsmaal")
PAGE = 50


@blueprint.get("")
@access(Right.PUBLISH)
def index(work: Work) -> str:
    """What municipalities have asked."""
    answered = request.args.get("vis") == "besvarede"
    known = reading.systems(work)
    system = request.args.get("system") or None
    if system not in dict(known):
        system = None
    total = reading.count(work, answered=answered, system=system)
    pages = max(1, -(-total // PAGE))
    typed = request.args.get("side", "1")
    page = min(max(int(typed), 1), pages) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 1
    return render_template(
        "questions/index.html",
        lines=reading.asked(work, answered=answered, system=system, offset=(page - 1) * PAGE, limit=PAGE),
        answered=answered,
        waiting=total if not answered and system is None else reading.count(work),
        systems=known,
        system=system,
        total=total,
        page=page,
        pages=pages,
    )


@blueprint.get("/<id:question_id>")
@access(Right.PUBLISH)
def show(work: Work, question_id: int) -> str:
    """One question, to answer or to correct."""
    return _page(work, question_id)


@blueprint.post("/<id:question_id>/svar")
@access(Right.PUBLISH)
def answer(work: Work, question_id: int) -> Any:
    """Answer, or correct the answer: what is wrong is shown again (422), and what somebody else wrote first (409)."""
    form = AnswerForm()
    before = reading.to_answer(work, question_id).question
    if not form.validate_on_submit():
        return _page(work, question_id, answer_form=form), 422
    try:
        questions.answer(
            work,
            question_id,
            form.version.data or 0,
            form.text.data or "",
            not_cpr=free_text.is_confirmed(form.text.data),
        )
    except RefusedError as error:
        _show(form, error)
        return _page(work, question_id, answer_form=form), 422
    except ConflictError as conflict:
        return _conflict(work, question_id, form, conflict)
    flash("Svaret er rettet." if before.answer else "Svaret står nu på opgaven hos alle kommuner.", "success")
    return _back(question_id)


@blueprint.post("/<id:question_id>/luk")
@access(Right.PUBLISH)
def close(work: Work, question_id: int) -> Any:
    """Close a question without an answer."""
    form = CloseForm()
    if not form.validate_on_submit():
        return _page(work, question_id, close_form=form), 422
    try:
        questions.close(work, question_id, form.version.data or 0, form.reason.data or "")
    except RefusedError as error:
        _show(form, error)
        return _page(work, question_id, close_form=form), 422
    except ConflictError as conflict:
        return _conflict(work, question_id, form, conflict)
    flash("Spørgsmålet er lukket uden svar.", "success")
    return _back(question_id)


def _conflict(work: Work, question_id: int, form: Form, conflict: ConflictError) -> tuple[str, int]:
    """Both texts side by side; sending the form again is meant to replace what stands there now."""
    form.version.data, form.version.raw_data = conflict.version, None
    forms = {"answer_form": form} if isinstance(form, AnswerForm) else {"close_form": form}
    return _page(work, question_id, conflict=conflict, **forms), 409


def _page(
    work: Work,
    question_id: int,
    *,
    answer_form: AnswerForm | None = None,
    close_form: CloseForm | None = None,
    conflict: ConflictError | None = None,
) -> str:
    asked = reading.to_answer(work, question_id)
    question = asked.question
    start = {"version": question.version}
    return render_template(
        "questions/show.html",
        asked=asked,
        question=question,
        answer_form=answer_form or AnswerForm(None, data=start | {"text": question.answer or ""}),
        close_form=close_form or CloseForm(None, data=start),
        conflict=conflict,
    )


def _show(form: Form, error: RefusedError) -> None:
    for name, sentence in error.problems.items():
        if name in form:
            form[name].errors = [*form[name].errors, sentence]
        else:
            form.form_errors.append(sentence)


def _back(question_id: int) -> Response:
    return redirect(url_for("questions.show", question_id=question_id), 303)
