"""Somebody leaves ("Fratræder"): one page that says what will happen, writes it down, changes it and regrets it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, render_template, request
from wtforms.validators import ValidationError

from klik.domain.calendar import long_date, parse_date, short_date
from klik.domain.errors import InputError
from klik.domain.rights import Level, Right
from klik.models import Departure, Membership
from klik.services import people
from klik.services.departures import announcing, belongings, completing
from klik.services.departures import plan as plans
from klik.services.departures.announcing import Wanted
from klik.services.departures.belongings import Belongings
from klik.services.departures.plan import Plan
from klik.services.departures.telling import counted
from klik.services.errors import NotFoundError, RefusedError
from klik.services.people import NewPerson
from klik.services.work import Work
from klik.web.base import access as allow
from klik.web.base import see_other
from klik.web.departures.forms import DepartureForm, departure_form
from klik.web.roles.views import add_problems

blueprint = Blueprint("departures", __name__)
SHOW, INVITE = "vis", "inviter"


@blueprint.get("/personer/<id:membership_id>/fratraeder")
@allow(Right.MANAGE_PEOPLE)
def show(work: Work, membership_id: int) -> Any:
    """What happens when somebody leaves, with the successors that fit best already chosen."""
    member = _present(work, membership_id)
    departure = announcing.announced(work, member)
    last_day = departure.last_day if departure else work.today
    heirs = announcing.heirs_of(departure) if departure else plans.proposed(work, member, last_day)
    form = _form(
        work,
        member,
        version=departure.version if departure else 0,
        last_day=short_date(last_day),
        note=(departure.note or "") if departure else "",
        heirs=heirs,
    )
    return _page(work, member, departure, form, last_day)


@blueprint.post("/personer/<id:membership_id>/fratraeder")
@allow(Right.MANAGE_PEOPLE)
def announce(work: Work, membership_id: int) -> Any:
    """Write the departure down; or only show what the choices mean, or invite somebody new first."""
    member = _present(work, membership_id)
    departure = announcing.announced(work, member)
    form = _form(work, member)
    last_day = work.today
    try:
        last_day = _typed_day(form)
        valid = form.validate()
    except RefusedError as refused:
        form.validate()
        add_problems(form, refused)
        valid = False
    if not valid:
        return _page(work, member, departure, form, last_day), 422
    act = request.form.get("handling", "")
    if act == SHOW:
        return _page(work, member, departure, form, last_day)
    try:
        if act == INVITE:
            return _invite(work, member, departure, form, last_day)
        wanted = Wanted(last_day, form.note.data or "", form.heirs())
        found = plans.plan(work, member, last_day, wanted.heirs)
        stored = announcing.announce(work, membership_id, wanted, form.version.data or 0)
    except RefusedError as refused:
        _add_problems(form, refused)
        return _page(work, member, departure, form, last_day), 422
    flash(_said(member, found, done=stored.completed_at is not None), "success")
    return see_other("people.show", membership_id=membership_id)


@blueprint.post("/personer/<id:membership_id>/fratraeder/fortryd")
@allow(Right.MANAGE_PEOPLE)
def regret(work: Work, membership_id: int) -> Any:
    """It does not come to it."""
    typed = request.form.get("version", "")
    version = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0
    announcing.regret(work, membership_id, version)
    flash("Fratrædelsen er fortrudt. Alt står, som det gjorde.", "success")
    return see_other("people.show", membership_id=membership_id)


def _present(work: Work, membership_id: int) -> Membership:
    member = announcing.leaver(work, membership_id)
    if not (member.active and member.person.active):
        raise NotFoundError
    return member


def _form(work: Work, member: Membership, **values: Any) -> DepartureForm:
    # Every role somebody has today or later has its field, whatever last day is typed.
    owned = belongings.of(work, member, work.today - timedelta(days=1))
    return departure_form(owned, _role_names(work, owned), plans.members(work, member), **values)


def _role_names(work: Work, owned: Belongings) -> dict[str, str]:
    names = plans.system_names(work)
    return {belongings.role_key(each): plans.role_words(work, each, names) for each in owned.holdings}


def _typed_day(form: DepartureForm) -> date:
    text = (form.last_day.data or "").strip()
    if not text:
        raise RefusedError({"last_day": "Sidste dag: skal udfyldes."})
    try:
        return parse_date(text)
    except InputError as error:
        raise RefusedError({"last_day": f"Sidste dag: {error}"}) from error


def _invite(
    work: Work, member: Membership, departure: Departure | None, form: DepartureForm, last_day: date
) -> Any:
    try:
        made = people.invite(
            work,
            NewPerson(
                name=form.invited.data or "",
                email=form.invited_address.data or "",
                level=Level.USER,
                municipality_id=member.municipality_id,
                address_is_right=form.address_is_right.data,
                existing_is_right=form.existing_is_right.data,
            ),
        )
    except RefusedError as refused:
        fields = {"name": "invited", "email": "invited_address"}
        raise RefusedError(
            {fields.get(key, key): words for key, words in refused.problems.items()}
        ) from refused
    form.offer(made.person)
    flash(
        f"{made.person.name} har fået adgang og en mail, og kan nu vælges på listerne nedenfor. "
        "Fratrædelsen er ikke gemt endnu.",
        "success",
    )
    form.invited.data = form.invited_address.data = ""
    form.address_is_right.data = form.existing_is_right.data = False
    return _page(work, member, departure, form, last_day)


def _add_problems(form: DepartureForm, refused: RefusedError) -> None:
    own = {key: words for key, words in refused.problems.items() if key in form.given}
    for key, words in own.items():
        form.heir(key).errors = [*form.heir(key).errors, words]
    rest = {key: words for key, words in refused.problems.items() if key not in own}
    if rest:
        add_problems(form, RefusedError(rest))


def _page(
    work: Work, member: Membership, departure: Departure | None, form: DepartureForm, last_day: date
) -> str:
    found = plans.plan(work, member, last_day, _chosen(form))
    return render_template(
        "departures/show.html",
        member=member,
        departure=departure,
        form=form,
        plan=found,
        button=_button(found, departure),
        alone=announcing.alone_words(member.person.name)
        if announcing.stays_alone(work, member, last_day)
        else None,
        waits=departure is not None
        and departure.last_day < work.today
        and completing.is_only_administrator(work, member),
        last_day=last_day,
        systems=plans.system_names(work),
    )


def _chosen(form: DepartureForm) -> dict[str, int | None]:
    try:
        return form.heirs()
    except (ValueError, ValidationError):
        return {}


def _button(found: Plan, departure: Departure | None) -> str:
    what = _counts(found)
    return f"{'Gem ændringen' if departure else 'Overdrag'}{f' ({what})' if what else ''}"


def _counts(found: Plan) -> str:
    if found.tasks:
        return counted(len(found.tasks), "opgave", "opgaver")
    return counted(len(found.roles), "rolle", "roller") if found.roles else ""


def _said(member: Membership, found: Plan, *, done: bool) -> str:
    name = member.person.name
    what = " og ".join(
        counted(len(each), one, many)
        for each, one, many in (
            (found.roles, "rolle", "roller"),
            (found.tasks, "opgave", "opgaver"),
        )
        if each
    )
    if done:
        return (
            f"{name} er fratrådt, og adgangen er lukket. {f'{what} er overdraget.' if what else ''}".strip()
        )
    return (
        f"{name} stopper {long_date(found.last_day)}. "
        f"{f'Dagen efter bliver {what} overdraget, og adgangen lukkes.' if what else 'Dagen efter lukkes adgangen.'}"
    )
