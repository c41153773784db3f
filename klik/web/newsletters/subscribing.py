"""Leaving the newsletters by a mail's link, and asking for them; no sign-in, and no link acts when it is opened."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from klik.domain.mailaddresses import MailAddressError
from klik.services.newsletters import subscribing
from klik.services.newsletters.links import Links
from klik.services.work import Work
from klik.web.base import access
from klik.web.newsletters.forms import SignUpForm
from klik.web.newsletters.sending import post_of

blueprint = Blueprint("newsletter_subscribing", __name__, url_prefix="/nyhedsbreve")


@blueprint.get("/frameld/<token>")
@access(None)
def leaving(work: Work, token: str) -> Any:
    """What leaving means, and the button; mail scanners open links too, so nothing has happened yet."""
    return _leaving(work, token, done=False)


@blueprint.post("/frameld/<token>")
@access(None)
def leave(work: Work, token: str) -> Any:
    """Leave at once: the page's button, or a mail program with ``List-Unsubscribe=One-Click`` (RFC 8058)."""
    address = _links().address_to_leave(token)
    if address is not None:
        subscribing.leave(work, address)
    return _leaving(work, token, done=True)


@blueprint.post("/frameld/<token>/fortryd")
@access(None)
def come_back(work: Work, token: str) -> Any:
    """Undo it."""
    address = _links().address_to_leave(token)
    if address is None:
        return render_template("newsletters/link_over.html"), 404
    subscribing.come_back(work, address)
    return render_template("newsletters/welcome_back.html", address=address, token=token)


@blueprint.get("/tilmeld")
@access(None)
def sign_up(_work: Work) -> str:
    """The form that asks for an address."""
    return render_template("newsletters/sign_up.html", form=SignUpForm(formdata=None))


@blueprint.post("/tilmeld")
@access(None)
def ask(work: Work) -> Any:
    """Mail a link to confirm; the answer is the same whatever is known of the address."""
    form = SignUpForm()
    if form.validate():
        typed = form.email.data or ""
        try:
            subscribing.ask(work, post_of(), typed, request.remote_addr or "")
        except MailAddressError as error:
            form.email.errors = [str(error)]
        else:
            return render_template("newsletters/asked.html", address=typed)
    return render_template("newsletters/sign_up.html", form=form), 422


@blueprint.get("/bekraeft/<token>")
@access(None)
def confirming(work: Work, token: str) -> Any:
    """What the link confirms, and the button."""
    asked = _links().address_to_confirm(token, work.now)
    if asked is None:
        return render_template("newsletters/link_over.html"), 404
    return render_template("newsletters/confirm.html", address=asked[0], token=token, done=False)


@blueprint.post("/bekraeft/<token>")
@access(None)
def confirm(work: Work, token: str) -> Any:
    """Put the address on the list."""
    asked = _links().address_to_confirm(token, work.now)
    if asked is None or not subscribing.confirm(work, *asked):
        return render_template("newsletters/link_over.html"), 404
    return render_template("newsletters/confirm.html", address=asked[0], token=token, done=True)


def _leaving(work: Work, token: str, *, done: bool) -> Any:
    address = _links().address_to_leave(token)
    if address is None:
        return render_template("newsletters/link_over.html"), 404
    left = done or subscribing.has_left(work, address)
    return render_template("newsletters/leave.html", address=address, token=token, left=left)


def _links() -> Links:
    return post_of().links
