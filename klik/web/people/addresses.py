"""Changing a mail address: an administrator's page, one's own, and the link that was mailed to the new address."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, session

from klik.domain.rights import Right
from klik.models import Membership
from klik.services import access
from klik.services.errors import NotFoundError, RefusedError
from klik.services.people import addresses
from klik.services.work import Work
from klik.web.base import access as allow
from klik.web.base import cookie_name, installation, see_other
from klik.web.people.forms import AddressForm, OwnAddressForm
from klik.web.roles.views import add_problems

blueprint = Blueprint("addresses", __name__)


@blueprint.get("/personer/<id:membership_id>/mailadresse")
@allow(Right.MANAGE_PEOPLE)
def edit(work: Work, membership_id: int) -> Any:
    """The form for somebody's new address."""
    member = _member(work, membership_id)
    return _page(member, AddressForm(formdata=None, version=member.version))


@blueprint.post("/personer/<id:membership_id>/mailadresse")
@allow(Right.MANAGE_PEOPLE)
def change(work: Work, membership_id: int) -> Any:
    """Give somebody a new address."""
    member = _member(work, membership_id)
    form = AddressForm()
    if not form.validate():
        return _page(member, form), 422
    try:
        addresses.change(
            work,
            membership_id,
            form.email.data or "",
            address_is_right=form.address_is_right.data,
            version=form.version.data,
        )
    except RefusedError as refused:
        add_problems(form, refused)
        return _page(member, form), 422
    flash(f"Mailadressen er nu {member.person.email}, og personen er logget ud.", "success")
    return see_other("people.show", membership_id=membership_id)


def _member(work: Work, membership_id: int) -> Membership:
    member = access.membership(work, membership_id)
    if not (member.active and member.person.active):
        raise NotFoundError
    return member


def _page(member: Membership, form: AddressForm) -> str:
    return render_template("people/address.html", form=form, member=member)


@blueprint.get("/min-side/mailadresse")
@allow(Right.SIGNED_IN)
def want(_work: Work) -> Any:
    """The form for an address of one's own."""
    return render_template("people/own_address.html", form=OwnAddressForm(formdata=None))


@blueprint.post("/min-side/mailadresse")
@allow(Right.SIGNED_IN)
def ask(work: Work) -> Any:
    """Mail a link to the new address; the answer says nothing of whether somebody has it."""
    form = OwnAddressForm()
    if not form.validate():
        return render_template("people/own_address.html", form=form), 422
    try:
        email = addresses.ask(
            work, form.email.data or "", form.password.data or "", address_is_right=form.address_is_right.data
        )
    except RefusedError as refused:
        add_problems(form, refused)
        return render_template("people/own_address.html", form=form), 422
    return render_template("people/address_asked.html", email=email)


@blueprint.get("/mailadresse/<secret>")
@allow(None)
def confirming(work: Work, secret: str) -> Any:
    """The button behind the link; opening it uses nothing up, as mail programs look at links too."""
    try:
        person, email = addresses.wanted(work, secret)
    except NotFoundError:
        return render_template("people/address_over.html"), 404
    return render_template("people/confirm_address.html", person=person, email=email, secret=secret)


@blueprint.post("/mailadresse/<secret>")
@allow(None)
def confirm(work: Work, secret: str) -> Any:
    """Change over to the new address; every session ends."""
    try:
        person = addresses.confirm(work, secret)
    except (NotFoundError, RefusedError):
        return render_template("people/address_over.html"), 404
    session.clear()
    flash(f"Din mailadresse er nu {person.email}. Log ind med den og din sædvanlige adgangskode.", "success")
    response = see_other("accounts.sign_in")
    secure = installation().settings.secure
    response.delete_cookie(cookie_name(), secure=secure, httponly=True, samesite="Lax")
    return response
