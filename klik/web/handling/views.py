"""Links from mails that do one thing: GET says what will happen, the button does it. Nobody signs in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, make_response, render_template, request
from werkzeug.exceptions import TooManyRequests

from klik.services.errors import ConflictError, RefusedError
from klik.services.notices import acting, actions
from klik.services.notices.actions import Claim, LinkError, WrongLinkError
from klik.services.work import Work
from klik.web.base import access, installation
from klik.web.handling.pace import Pace

blueprint = Blueprint("handling", __name__)
REMEDY = "Log ind for at se opgaven og gøre det dér."
WRONG, PRESSED = "klik-wrong-links", "klik-pressed-links"
MOST_WRONG = MOST_PRESSED = 200  # a quarter of an hour, of one address and of one notice


# Whoever is signed in counts for nothing here: no cookie gives a right, only the signed token does, and it stands
# both in the address and in the form. A page of somebody else's that sends the form must know the token, and who
# knows it could press the button too; so the session's own token would protect nothing, and would refuse people
# whose mail program opens the page where no cookies are kept.
@blueprint.record_once
def _set_up(state: Any) -> None:
    state.app.extensions["csrf"].exempt(blueprint)
    state.app.extensions |= {WRONG: Pace(MOST_WRONG), PRESSED: Pace(MOST_PRESSED)}


@blueprint.after_request
def keep_to_oneself(response: Any) -> Any:
    """The address is a key: it must not travel on as a referrer, be kept, or be found."""
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/handling/<token>")
@access(None)
def show(work: Work, token: str) -> Any:
    """What the link will do; mail scanners and previews fetch this, and nothing happens."""
    try:
        claim = _claim(work, token)
        return _page(claim, token, acting.offer(claim))
    except LinkError as over:
        return _over(over)


@blueprint.post("/handling/<token>")
@access(None)
def act(work: Work, token: str) -> Any:
    """Do what the page said."""
    try:
        claim = _claim(work, token)
        if request.form.get("token") != token:
            return _page(claim, token, acting.offer(claim)), 422
        return _done(claim, acting.carry_out(claim, request.form.get("dag", "")))
    except RefusedError as refused:
        return _page(claim, token, acting.offer(claim), problem=" ".join(refused.problems.values())), 422
    except ConflictError:
        return _over(
            LinkError("Opgaven blev ændret i samme øjeblik. Åbn linket igen, så ser du, hvordan den er nu.")
        )
    except LinkError as over:
        return _over(over)


def _claim(work: Work, token: str) -> Claim:
    who = request.remote_addr or ""
    try:
        claim = actions.claim(work, installation().settings.secret_key, token)
    except WrongLinkError:
        if current_app.extensions[WRONG].too_fast(who, work.now):
            raise TooManyRequests from None
        raise
    if current_app.extensions[PRESSED].too_fast(f"{claim.notice.id}", work.now):
        raise TooManyRequests
    return claim


def _page(claim: Claim, token: str, offer: acting.Offer, problem: str | None = None) -> str:
    return render_template("handling/confirm.html", claim=claim, token=token, offer=offer, problem=problem)


def _done(claim: Claim, sentence: str) -> str:
    return render_template("handling/done.html", claim=claim, sentence=sentence, offer=acting.offer(claim))


def _over(error: LinkError) -> Any:
    status = 404 if isinstance(error, WrongLinkError) else 410
    return make_response(render_template("handling/over.html", sentence=str(error), remedy=REMEDY), status)
