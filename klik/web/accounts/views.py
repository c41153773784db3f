"""Signing in and out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, session
from flask_login import current_user
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.services.people import sessions
from klik.services.people.sessions import TooManyAttemptsError
from klik.services.work import Work
from klik.web.accounts.forms import SignInForm
from klik.web.base import access, cookie_name, installation, safe_next, see_other

blueprint = Blueprint("accounts", __name__)
WRONG = "Mailadressen eller adgangskoden er forkert."


@blueprint.get("/log-ind")
@access(None)
def sign_in(work: Work) -> Any:
    """The form; those already signed in go on."""
    if work.actor:
        return redirect(safe_next(request.args.get("next")), 303)
    return render_template(
        "accounts/sign_in.html", form=SignInForm(data={"next": request.args.get("next", "")})
    )


@blueprint.post("/log-ind")
@access(None)
def open_session(work: Work) -> Any:
    """Sign in; the answer is the same for an unknown address and a wrong password."""
    form = SignInForm()
    if not form.validate():
        return render_template("accounts/sign_in.html", form=form), 422
    email, password = form.email.data or "", form.password.data or ""
    address = request.remote_addr or ""
    try:
        cookie = sessions.sign_in(work, email, password, address, request.user_agent.string)
    except TooManyAttemptsError as error:
        form.password.errors = [f"For mange forkerte forsøg. Prøv igen om {error.minutes} minutter."]
        return (
            render_template("accounts/sign_in.html", form=form),
            429,
            {"Retry-After": str(error.minutes * 60)},
        )
    if cookie is None:
        sessions.note_failure(work, email, address)
        form.password.errors = [WRONG]
        # 200, not 4xx: the failed attempt must be stored, and an answer of 400 or more undoes the transaction.
        return render_template("accounts/sign_in.html", form=form)
    session.clear()
    response = redirect(safe_next(form.next.data), 303)
    _set_cookie(response, cookie)
    return response


@blueprint.get("/log-ud")
@access(None)
def ask_to_sign_out(work: Work) -> Any:
    """A button: following a link must not sign anybody out."""
    if work.actor is None:
        return see_other("accounts.sign_in")
    return render_template("accounts/sign_out.html")


@blueprint.post("/log-ud")
@access(Right.SIGNED_IN)
def close_session(work: Work) -> Any:
    """Sign out; the session is over on the server too."""
    sessions.sign_out(work, request.cookies.get(cookie_name()))
    session.clear()
    response = see_other("accounts.sign_in")
    response.delete_cookie(
        cookie_name(), secure=installation().settings.secure, httponly=True, samesite="Lax"
    )
    return response


@blueprint.post("/skift-kommune")
@access(Right.SIGNED_IN)
def switch(work: Work) -> Any:
    """Go on in another municipality one belongs to."""
    wanted = request.form.get("membership_id", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 10:
        sessions.switch(work, current_user.session_id, int(wanted))
    return redirect("/", 303)


def _set_cookie(response: Response, cookie: str) -> None:
    response.set_cookie(
        cookie_name(),
        cookie,
        max_age=int(sessions.ABSOLUTE.total_seconds()),
        secure=installation().settings.secure,
        httponly=True,
        samesite="Lax",
        path="/",
    )
