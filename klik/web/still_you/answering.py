""" "Er det stadig dig?": the page with all of somebody's roles, behind the link of a mail and for who is signed in."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Blueprint, current_app, flash, make_response, render_template, request
from werkzeug.exceptions import TooManyRequests

from klik.domain.rights import Right
from klik.models import RoleHolding
from klik.services.errors import NotFoundError, RefusedError
from klik.services.notices import actions
from klik.services.notices.actions import LinkError, RolesClaim, WrongLinkError
from klik.services.roles import answering, asking, rounds
from klik.services.roles.asking import Asked, Question
from klik.services.work import Work
from klik.web.base import access, installation, see_other
from klik.web.handling import views as handling
from klik.web.still_you.forms import ALL, Typed, answers, numbers, typed

blueprint = Blueprint("answering_roles", __name__)
linked = Blueprint("roles_by_link", __name__)
COUNTS = (
    "",
    "",
    "begge to",
    "alle tre",
    "alle fire",
    "alle fem",
    "alle seks",
    "alle syv",
    "alle otte",
    "alle ni",
)
REMEDY = "Log ind for at se dine roller."
NOTHING = "Vælg et svar til mindst én rolle."


# As for the other links of mails: the signed token is the key, in the address and in the form, and no cookie counts.
@linked.record_once
def _set_up(state: Any) -> None:
    state.app.extensions["csrf"].exempt(linked)


linked.after_request(handling.keep_to_oneself)


@blueprint.app_template_filter("overdue")
def is_overdue(holding: RoleHolding, today: date) -> bool:
    """Whether nobody has confirmed a holding for twelve months."""
    at: datetime | None = holding.confirmed_at
    return rounds.overdue(at, holding.valid_from, today)


@blueprint.app_template_filter("every_one")
def every_one(count: int) -> str:
    """ "alle tre", as one says it."""
    return COUNTS[count] if 1 < count < len(COUNTS) else f"alle {count}"


@linked.get("/bekraeft/<token>")
@access(None)
def show(work: Work, token: str) -> Any:
    """All the holder's roles; mail scanners and previews fetch this, and nothing happens."""
    try:
        claim = _claim(work, token)
    except LinkError as over:
        return _over(over)
    return _linked_page(claim, token, Typed())


@linked.post("/bekraeft/<token>")
@access(None)
def act(work: Work, token: str) -> Any:
    """Take the answers."""
    try:
        claim = _claim(work, token)
    except LinkError as over:
        return _over(over)
    if request.form.get("token") != token:
        return _linked_page(claim, token, typed(request.form)), 422
    try:
        done = _answer(claim.work, claim.asked)
    except RefusedError as refused:
        return _linked_page(claim, token, typed(request.form, refused.problems)), 422
    except NotFoundError:
        gone = RefusedError({"": "Rollerne er ændret imens. Se dem igennem igen."})
        return _linked_page(claim, token, typed(request.form, gone.problems)), 422
    return _linked_page(claim, token, Typed(), said=done.sentence)


def _claim(work: Work, token: str) -> RolesClaim:
    try:
        claim = actions.roles_claim(work, installation().settings.secret_key, token)
    except WrongLinkError:
        if current_app.extensions[handling.WRONG].too_fast(request.remote_addr or "", work.now):
            raise TooManyRequests from None
        raise
    if current_app.extensions[handling.PRESSED].too_fast(f"{claim.notice.id}", work.now):
        raise TooManyRequests
    return claim


def _answer(work: Work, asked: Asked) -> answering.Done:
    if request.form.get(ALL):
        return answering.confirm_all(work, asked, numbers([request.form.get("vist", "")]))
    given = answers(request.form)
    if not given:
        raise RefusedError({"": NOTHING})
    return answering.answer(work, asked, given)


def _linked_page(claim: RolesClaim, token: str, form: Typed, said: str | None = None) -> str:
    work = claim.work
    return render_template(
        "still_you/linked.html",
        **_facts(work, claim.asked, form, said),
        claim=claim,
        token=token,
        address=request.path,
    )


def _facts(work: Work, asked: Asked, form: Typed, said: str | None) -> dict[str, Any]:
    found: list[Question] = asking.questions(work, asked)
    return {
        "questions": found,
        "open": [each for each in found if each.open],
        "form": form,
        "said": said,
        "last_day": rounds.of(work.today).last_day,
        "mailbox": asked.mailbox,
    }


def _over(error: LinkError) -> Any:
    status = 404 if isinstance(error, WrongLinkError) else 410
    return make_response(render_template("handling/over.html", sentence=str(error), remedy=REMEDY), status)


@blueprint.get("/roller/bekraeft")
@access(Right.READ_ROLES)
def own(work: Work) -> Any:
    """The signed-in person's own roles."""
    return _own_page(work, Typed())


@blueprint.post("/roller/bekraeft")
@access(Right.READ_ROLES)
def answer_own(work: Work) -> Any:
    """Take the answers about one's own roles."""
    assert work.actor is not None
    try:
        done = _answer(work, Asked.actor(work.actor))
    except RefusedError as refused:
        return _own_page(work, typed(request.form, refused.problems)), 422
    flash(done.sentence, "success")
    return see_other("answering_roles.own")


def _own_page(work: Work, form: Typed) -> str:
    assert work.actor is not None
    return render_template("still_you/own.html", **_facts(work, Asked.actor(work.actor), form, None))
