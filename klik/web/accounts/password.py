"""Choosing a password with a link from a mail, and asking for such a link."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, session
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from klik.services.errors import NotFoundError, RefusedError
from klik.services.people import new_passwords, passwords
from klik.services.work import Work
from klik.web.base import access, see_other
from klik.web.forms import Form

blueprint = Blueprint("password", __name__)


class ForgottenForm(Form):
    """Where to send the link."""

    email = StringField(
        "Mailadresse",
        [
            InputRequired("Mailadresse: skal udfyldes."),
            Length(max=320, message="Mailadresse: må højst være på 320 tegn."),
        ],
    )


class PasswordForm(Form):
    """A new password."""

    password = PasswordField(
        "Ny adgangskode",
        [InputRequired("Ny adgangskode: skal udfyldes.")],
        description=f"Mindst {passwords.LEAST} tegn. Brug gerne flere ord, der ikke hører sammen.",
    )


@blueprint.get("/glemt-adgangskode")
@access(None)
def forgotten(_work: Work) -> Any:
    """The form that asks for a link."""
    return render_template("accounts/forgotten.html", form=ForgottenForm(formdata=None))


@blueprint.post("/glemt-adgangskode")
@access(None)
def send_link(work: Work) -> Any:
    """Send a link if somebody has the address; the answer is the same either way."""
    form = ForgottenForm()
    if not form.validate():
        return render_template("accounts/forgotten.html", form=form), 422
    new_passwords.forgot(work, form.email.data or "")
    return render_template("accounts/link_sent.html")


@blueprint.get("/adgangskode/<secret>")
@access(None)
def choose(work: Work, secret: str) -> Any:
    """The form behind the link; opening it uses nothing up, as mail programs look at links too."""
    try:
        person = new_passwords.person_of(work, secret)
    except NotFoundError:
        return render_template("accounts/link_over.html"), 404
    form = PasswordForm(formdata=None)
    return render_template("accounts/choose_password.html", form=form, person=person, secret=secret)


@blueprint.post("/adgangskode/<secret>")
@access(None)
def store(work: Work, secret: str) -> Any:
    """Set the password; the link is used up."""
    try:
        person = new_passwords.person_of(work, secret)
    except NotFoundError:
        return render_template("accounts/link_over.html"), 404
    form = PasswordForm()
    page = {"form": form, "person": person, "secret": secret}
    if not form.validate():
        return render_template("accounts/choose_password.html", **page), 422
    try:
        new_passwords.choose(work, secret, form.password.data or "")
    except RefusedError as refused:
        form.password.errors = list(refused.problems.values())
        return render_template("accounts/choose_password.html", **page), 422
    session.clear()
    flash("Din adgangskode er gemt. Log ind med den.", "success")
    return see_other("accounts.sign_in")
