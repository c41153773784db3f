"""Writing a newsletter: the form with the text as it will read, stored as a draft, changed and copied."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.models import Newsletter
from klik.services import idempotency
from klik.services.errors import ConflictError, RefusedError
from klik.services.newsletters import archive, letter, writing
from klik.services.newsletters.letter import Words
from klik.services.work import Work
from klik.web import forms
from klik.web.base import access, see_other
from klik.web.newsletters.forms import LetterForm, letter_form, read_audience, read_words

blueprint = Blueprint("newsletter_writing", __name__, url_prefix="/nyhedsbreve")
BEGUN = "nyhedsbrev-opret"


@blueprint.get("/ny")
@access(Right.PUBLISH)
def new(work: Work) -> str:
    """An empty letter to those who usually get it."""
    return _page(work, letter_form(work))


@blueprint.post("/ny")
@access(Right.PUBLISH)
def begin(work: Work) -> Any:
    """Store a new draft; a second press finds the first one's."""
    form = letter_form(work)
    earlier = idempotency.taken(work, form.idempotency_key.data, BEGUN)
    if earlier is not None:
        return redirect(earlier, 303)
    if not form.validate_on_submit():
        return _page(work, form), 422
    try:
        row = writing.begin(work, read_words(form), read_audience(form))
    except RefusedError as error:
        show_problems(form, error)
        return _page(work, form), 422
    there = url_for("newsletter_sending.preview", letter_id=row.id)
    idempotency.remember(work, form.idempotency_key.data, BEGUN, there)
    flash("Kladden er gemt.", "success")
    return redirect(there, 303)


@blueprint.get("/<id:letter_id>/ret")
@access(Right.PUBLISH)
def edit(work: Work, letter_id: int) -> Any:
    """A draft as it is stored; what is planned or sent is shown instead."""
    try:
        row = archive.letter(work, letter_id)
        writing.check_open(row)
    except RefusedError as error:
        flash(str(error), "warning")
        return see_other("newsletters.show", letter_id=letter_id)
    return _page(work, letter_form(work, row), row)


@blueprint.post("/<id:letter_id>/ret")
@access(Right.PUBLISH)
def save(work: Work, letter_id: int) -> Any:
    """Store a draft: what is wrong is shown again (422), and what somebody else stored first (409)."""
    row = writing.held(work, letter_id)
    form = letter_form(work)
    if not form.validate_on_submit():
        return _page(work, form, row), 422
    try:
        writing.save(work, letter_id, form.version.data or 0, read_words(form), read_audience(form))
    except RefusedError as error:
        show_problems(form, error)
        return _page(work, form, row), 422
    except ConflictError as conflict:
        form.version.data, form.version.raw_data = conflict.version, None
        return _page(work, form, row, conflict), 409
    flash("Kladden er gemt.", "success")
    return see_other("newsletter_sending.preview", letter_id=letter_id)


@blueprint.post("/<id:letter_id>/kopi")
@access(Right.PUBLISH)
def copy(work: Work, letter_id: int) -> Response:
    """A new draft from any letter."""
    row = writing.copy(work, letter_id)
    flash("Kopien er gemt som kladde.", "success")
    return see_other("newsletter_writing.edit", letter_id=row.id)


@blueprint.post("/laes")
@access(Right.PUBLISH)
def read(work: Work) -> str:
    """The text as it will read, and what the server would say to it; nothing is stored."""
    forms.stores_nothing()
    return render_template("newsletters/reading.html", reading=_reading(request.form))


def show_problems(form: Any, error: RefusedError) -> None:
    """Put each sentence at its field, or at the top."""
    for name, sentence in error.problems.items():
        if name in form:
            form[name].errors = [*form[name].errors, sentence]
        else:
            form.form_errors.append(sentence)


def _reading(typed: Any) -> dict[str, Any]:
    # A subject not written yet is no fault in the text.
    words = Words(typed.get("subject") or "-", typed.get("body") or "")
    return {"body": words.body, "problems": tuple(letter.problems(words).values())}


def _page(
    work: Work, form: LetterForm, row: Newsletter | None = None, conflict: ConflictError | None = None
) -> str:
    return render_template(
        "newsletters/form.html",
        form=form,
        letter=row,
        conflict=conflict,
        reading=_reading({"subject": form.subject.data, "body": form.body.data}),
        unsaved=request.method == "POST",
    )
