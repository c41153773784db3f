"""Is the file genuine? A code or a file is asked about by anybody; no sign-in, nothing is stored."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, render_template, request
from flask_wtf.file import FileField
from werkzeug.wrappers import Response
from wtforms import StringField

from klik.domain import proof_codes
from klik.domain.proof_codes import CodeError
from klik.services import verifying
from klik.services.people.sessions import TooManyAttemptsError
from klik.services.verifying import Answer, Verdict
from klik.services.work import Work
from klik.web import errors
from klik.web.base import Afterwards, access, installation, see_other
from klik.web.forms import Form, showable
from klik.web.verifying.streaming import Passing

blueprint = Blueprint("verifying", __name__)


class CodeForm(Form):
    """The code, as it stands on the file."""

    class Meta(Form.Meta):
        """A question changes nothing: it is a link that may be shared."""

        csrf = False

    kode = StringField("Koden på filen")


class FileForm(Form):
    """The file itself; ``kode`` is the code that was asked about before."""

    kode = StringField("Koden på filen")
    file = FileField("Filen")


@blueprint.get("/verificer")
@access(None)
def ask(_work: Work) -> Any:
    """The two questions; a typed code goes on to its own address."""
    typed = request.args.get("kode")
    if typed is None:
        return _page()
    try:
        return see_other("verifying.show", code=proof_codes.read(typed[:200]))
    except CodeError as error:
        return _page(typed=typed[:200], wrong_code=str(error), status=422)


@blueprint.get("/verificer/<code>")
@access(None)
def show(work: Work, code: str) -> Any:
    """What is known of the code: what the QR on a file leads to."""
    address = request.remote_addr or ""
    try:
        read = proof_codes.read(code)
        verifying.require_few_tries(work, address)
    except CodeError as error:
        return _page(typed=code[:200], wrong_code=str(error), status=404)
    except TooManyAttemptsError as error:
        return _too_many(error)
    answer = verifying.by_code(work, read)
    if answer.verdict is not Verdict.UNKNOWN:
        return _page(answer, typed=read)
    response = _page(answer, typed=read, status=404)

    def note() -> Response:
        with installation().writing(work.now) as noting:
            verifying.note_try(noting, address)
        return response

    return Afterwards(note)


@blueprint.post("/verificer")
@access(None)
def look(work: Work) -> Any:
    """Whether the file is as it was exported; it was hashed on its way in and is gone."""
    address = request.remote_addr or ""
    try:
        verifying.require_few_tries(work, address)
    except TooManyAttemptsError as error:
        return _too_many(error)
    form = FileForm()
    if not form.validate():
        return _page(
            wrong_file="; ".join(each for found in form.errors.values() for each in found), status=422
        )
    sent, typed = form.file.data, form.kode.data or ""
    passed = sent.stream if sent else None
    if not isinstance(passed, Passing):
        return _page(typed=typed, wrong_file="Fil: vælg den fil, der skal undersøges.", status=422)
    if passed.print_of.size == 0:
        return _page(typed=typed, wrong_file="Fil: filen er tom (0 byte).", status=422)
    if passed.print_of.size > verifying.LARGEST:
        return _page(typed=typed, wrong_file=f"Fil: filen må højst fylde {_largest()}.", status=422)
    try:
        code = proof_codes.read(typed[:200]) if typed.strip() else None
    except CodeError as error:
        return _page(typed=typed, wrong_code=str(error), status=422)
    verifying.note_try(work, address)
    # 200 whatever the answer: an answer of 400 or more would forget that the address has asked.
    return _page(verifying.by_file(work, passed.print_of, code), typed=code or "")


def _page(
    answer: Answer | None = None,
    *,
    typed: str = "",
    wrong_code: str = "",
    wrong_file: str = "",
    status: int = 200,
) -> Response:
    code_form, file_form = CodeForm(formdata=None, kode=showable(typed)), FileForm(formdata=None)
    code_form.kode.errors = [wrong_code] if wrong_code else []
    file_form.file.errors = [wrong_file] if wrong_file else []
    asked = typed if answer is not None and answer.verdict is Verdict.KNOWN_CODE else ""
    response = make_response(
        render_template(
            "verifying/show.html",
            answer=answer,
            asked=asked,
            typed=showable(typed),
            code_form=code_form,
            file_form=file_form,
            largest=_largest(),
        ),
        status,
    )
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _too_many(error: TooManyAttemptsError) -> Any:
    text, code = errors.page(429)[:2]
    return text, code, {"Retry-After": str(error.minutes * 60)}


def _largest() -> str:
    return f"{verifying.LARGEST // 1024 // 1024} MB"
