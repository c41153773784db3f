"""People: the list, one person, letting somebody in, changing, closing and opening access; and one's own page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from sqlalchemy import select

from klik.domain.rights import Level, Right
from klik.models import Membership, Municipality, Person, System
from klik.services import access, idempotency, people
from klik.services.departures import shown as departures_shown
from klik.services.errors import NotFoundError, RefusedError
from klik.services.notices.bounces import marks
from klik.services.people import (
    NAME_LIMIT,
    NewPerson,
    PersonChange,
    directory,
    invitations,
    leaving,
    new_passwords,
)
from klik.services.people.directory import Sought
from klik.services.work import Work
from klik.web.base import access as allow
from klik.web.base import cookie_name, installation, see_other
from klik.web.lookups import look_up
from klik.web.people.forms import NewPersonForm, OwnPasswordForm, PersonForm, ProfileForm
from klik.web.people.levels import MEANINGS
from klik.web.roles.views import add_problems, place

blueprint = Blueprint("people", __name__)
STATES = {
    directory.WITHOUT_ROLE: "Uden rolle",
    directory.NEVER: "Aldrig logget ind",
    directory.INVITED: "Inviteret, men uden adgangskode",
    directory.CLOSED: "Uden adgang",
}


@blueprint.get("/personer")
@allow(Right.READ_ROLES)
def index(work: Work) -> Any:
    """The people of a municipality, or those of KOMBIT and the suppliers."""
    municipality = _municipality(work, place(work))
    municipality_id = municipality.id if municipality else None
    sought = _sought()
    listed = directory.listed(work, municipality_id, sought)
    look_up("personer", len(listed), municipality_id=municipality_id)
    return render_template(
        "people/index.html",
        people=listed,
        sought=sought,
        levels=[level for level in Level if (level.scope == "municipality") is (municipality is not None)],
        states=[state for state in STATES if directory.may_manage(work) or state == directory.WITHOUT_ROLE],
        state_labels=STATES,
        municipality=municipality,
        municipalities=_municipalities(work),
        manages=directory.may_manage(work),
        systems=systems_by_name(work),
        watches=work.actor is not None and work.actor.has(Right.PUBLISH),
    )


def _sought() -> Sought:
    """What the query string asks for; a word klik does not know narrows nothing."""
    level, state = request.args.get("adgang", ""), request.args.get("vis", "")
    return Sought(
        name=" ".join(request.args.get("navn", "")[:NAME_LIMIT].split()),
        level=level if level in {each.value for each in Level} else "",
        system=request.args.get("system", "")[:60],
        state=state if state in STATES else "",
    )


@blueprint.get("/personer/administratorer")
@allow(Right.PUBLISH)
def administrators(work: Work) -> Any:
    """KOMBIT's list of the municipalities and their administrators; with ``uden`` those that have none."""
    watched = directory.watched(work)
    without = [each for each in watched if not each.administrators]
    only = request.args.get("uden") == "ja"
    return render_template(
        "people/administrators.html",
        rows=without if only else watched,
        only=only,
        without=len(without),
        total=len(watched),
        manages=directory.may_manage(work),
    )


def _municipality(work: Work, municipality_id: int | None) -> Municipality | None:
    if municipality_id is None:
        return None
    found = work.session.scalar(
        select(Municipality).where(Municipality.id == municipality_id, access.municipalities(work))
    )
    if found is None:
        raise NotFoundError
    return found


def _municipalities(work: Work) -> list[Municipality]:
    if work.actor is None or not work.actor.kombit:
        return []
    return list(
        work.session.scalars(
            select(Municipality).where(Municipality.active.is_(True)).order_by(Municipality.name_key)
        )
    )


def _systems(work: Work) -> list[System]:
    return list(work.session.scalars(select(System).order_by(System.name)))


def systems_by_name(work: Work) -> dict[str, str]:
    """The systems' names by their codes, in the order of the names."""
    return {system.code: system.name for system in _systems(work)}


@blueprint.get("/personer/ny")
@allow(Right.MANAGE_PEOPLE)
def new(work: Work) -> Any:
    """The form for letting somebody in."""
    return _new_page(work, NewPersonForm(formdata=None, level=request.args.get("adgang") or None))


@blueprint.post("/personer/ny")
@allow(Right.MANAGE_PEOPLE)
def create(work: Work) -> Any:
    """Let somebody in and mail them a link."""
    form = NewPersonForm()
    earlier = idempotency.earlier_result(work.session, form.idempotency_key.data)
    if earlier:
        return redirect(earlier, 303)
    municipality = _municipality(work, place(work))
    form.offer(people.levels_to_give(work, municipality.id if municipality else None), _systems(work))
    if not form.validate():
        return _new_page(work, form), 422
    try:
        member = people.invite(
            work,
            NewPerson(
                name=form.name.data or "",
                email=form.email.data or "",
                phone=form.phone.data or "",
                level=Level(form.level.data),
                municipality_id=municipality.id if municipality else None,
                organisation=form.organisation.data or "",
                systems=tuple(form.systems.data or ()),
                address_is_right=form.address_is_right.data,
                existing_is_right=form.existing_is_right.data,
            ),
        )
    except RefusedError as refused:
        add_problems(form, refused)
        return _new_page(work, form), 422
    result = url_for("people.show", membership_id=member.id)
    idempotency.remember(work, form.idempotency_key.data, "person-opret", result)
    flash(
        f"{member.person.name} har fået adgang, og klik sender en mail til {member.person.email}.", "success"
    )
    return redirect(result, 303)


def _new_page(work: Work, form: NewPersonForm) -> str:
    municipality = _municipality(work, place(work))
    form.offer(people.levels_to_give(work, municipality.id if municipality else None), _systems(work))
    return render_template("people/new.html", form=form, municipality=municipality, meanings=MEANINGS)


@blueprint.get("/personer/<id:membership_id>")
@allow(Right.READ_ROLES)
def show(work: Work, membership_id: int) -> Any:
    """One person in one place."""
    member = directory.membership(work, membership_id)
    person = member.person
    look_up("person", 1, municipality_id=member.municipality_id, about_person_id=person.id)
    form = PersonForm(
        formdata=None,
        version=member.version,
        name=person.name,
        phone=person.phone or "",
        level=member.level,
        systems=[link.system_code for link in member.systems],
    )
    return _person_page(work, member, form)


@blueprint.post("/personer/<id:membership_id>")
@allow(Right.MANAGE_PEOPLE)
def change(work: Work, membership_id: int) -> Any:
    """Store what an administrator wrote about somebody."""
    member = access.membership(work, membership_id)
    form = PersonForm()
    form.offer(people.levels_to_give(work, member.municipality_id), _systems(work))
    if not form.validate():
        return _person_page(work, member, form), 422
    changed = PersonChange(
        name=form.name.data or "",
        phone=form.phone.data or "",
        level=Level(form.level.data),
        systems=tuple(form.systems.data or ()),
    )
    try:
        people.change(work, membership_id, changed, form.version.data)
    except RefusedError as refused:
        add_problems(form, refused)
        return _person_page(work, member, form), 422
    flash("Ændringen er gemt.", "success")
    return see_other("people.show", membership_id=membership_id)


def _person_page(work: Work, member: Membership, form: PersonForm) -> str:
    form.offer(people.levels_to_give(work, member.municipality_id), _systems(work))
    return render_template(
        "people/show.html",
        form=form,
        member=member,
        level=Level(member.level),
        left=directory.left_open(work, member),
        forgotten_on=leaving.forgotten_on(member),
        manages=directory.may_manage(work),
        role=work.registry.content.role,
        systems=systems_by_name(work),
        municipality=_municipality(work, member.municipality_id),
        meanings=MEANINGS,
        leaving=departures_shown.leaving(work, member.municipality_id).get(member.person_id),
        returned=marks.of(work, [member.person.email]).get(marks.key_of(member.person.email)),
        invitation=_invitation(work, member),
    )


def _invitation(work: Work, member: Membership) -> invitations.Invitation | None:
    if not (directory.may_manage(work) and member.active):
        return None
    return invitations.of(work, [member.person_id]).get(member.person_id)


@blueprint.post("/personer/<id:membership_id>/send-igen")
@allow(Right.MANAGE_PEOPLE)
def send_again(work: Work, membership_id: int) -> Any:
    """Mail somebody a new link to choose a password with; the one before it dies."""
    try:
        member = invitations.send_again(work, membership_id)
    except RefusedError as refused:
        flash(" ".join(refused.problems.values()), "error")
        return see_other("people.show", membership_id=membership_id)
    flash(f"Klik har sendt et nyt link til {member.person.email}. Det virker i 7 dage.", "success")
    return see_other("people.show", membership_id=membership_id)


@blueprint.post("/personer/<id:membership_id>/traek-tilbage")
@allow(Right.MANAGE_PEOPLE)
def take_back(work: Work, membership_id: int) -> Any:
    """Take an invitation back that was never used."""
    invitations.waiting(work, membership_id)
    return _open_or_close(
        work, membership_id, people.disable, "Invitationen er trukket tilbage, og linket virker ikke mere."
    )


@blueprint.post("/personer/<id:membership_id>/proev-igen")
@allow(Right.MANAGE_PEOPLE)
def try_again(work: Work, membership_id: int) -> Any:
    """Mail somebody's address again, from which mails have come back."""
    member = access.membership(work, membership_id)
    address = member.person.email
    if marks.clear(work, address, f"membership/{member.id}", member.municipality_id):
        flash(f"Klik sender igen mails til {address}.", "success")
    return see_other("people.show", membership_id=membership_id)


@blueprint.post("/personer/<id:membership_id>/luk")
@allow(Right.MANAGE_PEOPLE)
def disable(work: Work, membership_id: int) -> Any:
    """Close somebody's access."""
    return _open_or_close(
        work, membership_id, people.disable, "Adgangen er lukket, og personen er logget ud."
    )


@blueprint.post("/personer/<id:membership_id>/genaabn")
@allow(Right.MANAGE_PEOPLE)
def enable(work: Work, membership_id: int) -> Any:
    """Open somebody's access again."""
    return _open_or_close(work, membership_id, people.enable, "Adgangen er åben igen.")


def _open_or_close(work: Work, membership_id: int, act: Any, said: str) -> Any:
    typed = request.form.get("version", "")
    version = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else None
    try:
        act(work, membership_id, version)
    except RefusedError as refused:
        for sentence in refused.problems.values():
            flash(sentence, "error")
        return see_other("people.show", membership_id=membership_id)
    flash(said, "success")
    return see_other("people.show", membership_id=membership_id)


@blueprint.get("/min-side")
@allow(Right.SIGNED_IN)
def profile(work: Work) -> Any:
    """One's own name, phone, password and rights."""
    person = _me(work)
    form = ProfileForm(formdata=None, name=person.name, phone=person.phone or "")
    return _profile_page(work, form, OwnPasswordForm(formdata=None))


@blueprint.post("/min-side")
@allow(Right.SIGNED_IN)
def change_own(work: Work) -> Any:
    """Change one's own name and phone."""
    form = ProfileForm()
    if not form.validate():
        return _profile_page(work, form, OwnPasswordForm(formdata=None)), 422
    try:
        people.change_own(work, form.name.data or "", form.phone.data or "")
    except RefusedError as refused:
        add_problems(form, refused)
        return _profile_page(work, form, OwnPasswordForm(formdata=None)), 422
    flash("Dine oplysninger er gemt.", "success")
    return see_other("people.profile")


@blueprint.post("/min-side/adgangskode")
@allow(Right.SIGNED_IN)
def change_password(work: Work) -> Any:
    """Change one's own password; every session ends, this one too."""
    form = OwnPasswordForm()
    person = _me(work)
    other = ProfileForm(formdata=None, name=person.name, phone=person.phone or "")
    if not form.validate():
        return _profile_page(work, other, form), 422
    try:
        new_passwords.change_own(work, form.current.data or "", form.password.data or "")
    except RefusedError as refused:
        add_problems(form, refused)
        return _profile_page(work, other, form), 422
    session.clear()
    flash("Din adgangskode er skiftet, og du er logget ud alle steder. Log ind med den nye.", "success")
    response = see_other("accounts.sign_in")
    secure = installation().settings.secure
    response.delete_cookie(cookie_name(), secure=secure, httponly=True, samesite="Lax")
    return response


def _me(work: Work) -> Person:
    assert work.actor is not None
    return work.session.get_one(Person, work.actor.person_id)


def _profile_page(work: Work, form: ProfileForm, password_form: OwnPasswordForm) -> str:
    assert work.actor is not None
    member = work.session.get_one(Membership, work.actor.membership_id)
    return render_template(
        "people/profile.html",
        form=form,
        password_form=password_form,
        followed=[link.system_code for link in member.systems],
        systems=systems_by_name(work),
        level=work.actor.level,
        meanings=MEANINGS,
        may_save=work.actor.has(Right.SAVE_FILTERS),
        may_export=work.actor.has(Right.EXPORT),
        may_change=access.is_changer(work),
        places=[(each.id, name, Level(each.level).label) for each, name in directory.places(work)],
    )
