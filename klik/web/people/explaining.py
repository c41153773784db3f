""" "Hvorfor kan X ikke …?": what one person can do and why, and who can change a task."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template, request

from klik.domain.rights import Right
from klik.models import System
from klik.services import access
from klik.services.errors import NotFoundError
from klik.services.people import explaining
from klik.services.work import Work
from klik.web.base import access as allow
from klik.web.people.views import systems_by_name

blueprint = Blueprint("explaining", __name__)


@blueprint.get("/personer/<id:membership_id>/hvorfor")
@allow(Right.MANAGE_PEOPLE)
def person(work: Work, membership_id: int) -> Any:
    """Everything that can be asked about one person, with the chosen task and system."""
    member = access.membership(work, membership_id)
    task, system = _number("opgave"), request.args.get("system") or None
    if system is not None and (len(system) > 60 or work.session.get(System, system) is None):
        raise NotFoundError
    return render_template(
        "people/why.html",
        member=member,
        answers=explaining.explain(work, membership_id, task, system),
        tasks=explaining.tasks_to_ask_about(work, member),
        task=access.municipal_task(work, task) if task is not None else None,
        systems=systems_by_name(work) if member.municipality_id is not None else {},
        system=system,
    )


@blueprint.get("/opgaver/<id:task_id>/hvem")
@allow(Right.READ_ROLES)
def task(work: Work, task_id: int) -> Any:
    """Who can change a task, and why."""
    about, changers = explaining.changers(work, task_id)
    return render_template(
        "people/changers.html",
        task=about,
        changers=changers,
        manages=work.actor is not None and work.actor.has(Right.MANAGE_PEOPLE),
    )


def _number(name: str) -> int | None:
    typed = request.args.get(name, "")
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) < 16):
        raise NotFoundError
    return int(typed)
