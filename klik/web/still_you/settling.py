"""The administrator's page of answers about roles, and KOMBIT's page of how many are confirmed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from sqlalchemy import select

from klik.domain.rights import Level, Right
from klik.models import System
from klik.services import people
from klik.services.errors import RefusedError
from klik.services.people import NewPerson
from klik.services.roles import rounds, settling
from klik.services.work import Work
from klik.web.base import access, see_other
from klik.web.people.forms import NewPersonForm
from klik.web.people.levels import MEANINGS
from klik.web.roles.views import add_problems
from klik.web.still_you.forms import numbers

blueprint = Blueprint("role_answers", __name__)
# Which municipalities KOMBIT's page shows.
SHOWN = {"": "Alle kommuner", "mangler": "Ikke alle bekræftet", "markeret": "Markerede"}


@blueprint.get("/roller/svar")
@access(Right.EDIT_ROLES)
def index(work: Work) -> Any:
    """What was answered and waits, and what nobody has confirmed."""
    return _page(work)


def _page(work: Work, problem: str | None = None, about: int | None = None, note: str = "") -> str:
    assert work.actor is not None and work.actor.municipality_id is not None
    by_holder, by_system = settling.unconfirmed(work)
    return render_template(
        "still_you/answers.html",
        proposals=settling.proposals(work),
        by_holder=by_holder,
        by_system=by_system,
        share=rounds.share(work, work.actor.municipality_id),
        problem=problem,
        about=about,
        note=note,
    )


@blueprint.post("/roller/svar/bekraeft")
@access(Right.EDIT_ROLES)
def confirm(work: Work) -> Any:
    """Confirm for others: all of a person, or of a system."""
    count = settling.confirm_for_others(work, numbers(request.form.getlist("vist")))
    flash("1 rolle er bekræftet." if count == 1 else f"{count} roller er bekræftet.", "success")
    return see_other("role_answers.index")


@blueprint.post("/roller/svar/<id:answer_id>/udfoer")
@access(Right.EDIT_ROLES)
def carry_out(work: Work, answer_id: int) -> Any:
    """Do what was proposed; somebody without access is given it first."""
    try:
        said = settling.carry_out(work, answer_id)
    except RefusedError as refused:
        if "person" in refused.problems and settling.needs_access(work, answer_id):
            return see_other("role_answers.invite", answer_id=answer_id)
        return _page(work, " ".join(refused.problems.values())), 422
    flash(said, "success")
    return see_other("role_answers.index")


@blueprint.post("/roller/svar/<id:answer_id>/afvis")
@access(Right.EDIT_ROLES)
def dismiss(work: Work, answer_id: int) -> Any:
    """Let the holder go on, and say why."""
    typed = request.form.get("begrundelse", "")
    try:
        settling.dismiss(work, answer_id, typed)
    except RefusedError as refused:
        return _page(work, " ".join(refused.problems.values()), answer_id, typed), 422
    flash("Svaret er afvist, og indehaveren får besked.", "success")
    return see_other("role_answers.index")


@blueprint.get("/roller/svar/<id:answer_id>/adgang")
@access(Right.EDIT_ROLES)
def invite(work: Work, answer_id: int) -> Any:
    """The form that gives the proposed person access, filled in."""
    try:
        found = settling.proposal(work, answer_id)
    except RefusedError as refused:
        return _page(work, " ".join(refused.problems.values())), 422
    if not settling.needs_access(work, answer_id):
        return see_other("role_answers.index")
    form = NewPersonForm(
        formdata=None,
        name=found.row.proposed_name,
        email=found.row.proposed_email,
        level=Level.PLUS_USER.value if settling.wants_plus_user(work, found) else Level.USER.value,
        systems=[found.holding.system_code] if found.holding.system_code else [],
    )
    return _invite_page(work, answer_id, form)


@blueprint.post("/roller/svar/<id:answer_id>/adgang")
@access(Right.EDIT_ROLES)
def let_in(work: Work, answer_id: int) -> Any:
    """Give the proposed person access, and the role."""
    form = NewPersonForm()
    try:
        found = settling.proposal(work, answer_id)
    except RefusedError as refused:
        return _page(work, " ".join(refused.problems.values())), 422
    assert work.actor is not None
    municipality = work.actor.municipality_id
    form.offer(people.levels_to_give(work, municipality), _systems(work))
    if not form.validate():
        return _invite_page(work, answer_id, form), 422
    try:
        said = settling.invite_and_carry_out(
            work,
            answer_id,
            NewPerson(
                name=form.name.data or "",
                email=form.email.data or "",
                phone=form.phone.data or "",
                level=Level(form.level.data),
                municipality_id=municipality,
                systems=tuple(form.systems.data or ()),
                address_is_right=form.address_is_right.data,
                existing_is_right=form.existing_is_right.data,
            ),
        )
    except RefusedError as refused:
        add_problems(form, refused)
        return _invite_page(work, found.row.id, form), 422
    flash(said, "success")
    return see_other("role_answers.index")


def _invite_page(work: Work, answer_id: int, form: NewPersonForm) -> str:
    assert work.actor is not None
    form.offer(people.levels_to_give(work, work.actor.municipality_id), _systems(work))
    return render_template(
        "still_you/invite.html", form=form, found=settling.proposal(work, answer_id), meanings=MEANINGS
    )


def _systems(work: Work) -> list[System]:
    return list(work.session.scalars(select(System).order_by(System.name)))


@blueprint.get("/roller/bekraeftelser")
@access(Right.READ_ROLES)
def shares(work: Work) -> Any:
    """KOMBIT's list of municipalities, the least confirmed first."""
    chosen = request.args.get("vis", "")
    chosen = chosen if chosen in SHOWN else ""
    found = rounds.shares(work)
    wanted = {
        "": found,
        "mangler": [each for each in found if each.confirmed < each.total],
        "markeret": [each for each in found if each.flagged],
    }
    return render_template(
        "still_you/shares.html",
        rows=wanted[chosen],
        total=sum(each.total for each in found),
        confirmed=sum(each.confirmed for each in found),
        choices=[
            (key, words, len(wanted[key]), url_for("role_answers.shares", vis=key or None))
            for key, words in SHOWN.items()
        ],
        chosen=chosen,
        current=rounds.of(work.today),
    )
