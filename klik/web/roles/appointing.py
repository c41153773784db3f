"""Filling a role from the page of a task: the panel of one that appoints it, and the way back."""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from klik.content.roles import Holders
from klik.domain.calendar import short_date
from klik.models import MunicipalTask
from klik.services import access as doors
from klik.services.errors import NotFoundError
from klik.services.roles import fulfilling
from klik.services.roles import holdings as role_holdings
from klik.services.work import Work
from klik.web.roles.forms import FillForm

TASK = "opgave"


def panel(work: Work, task: MunicipalTask) -> dict[str, Any]:
    """What the task page needs: the role it appoints, and the form for who may fill it there."""
    appointment = fulfilling.appointment(work, task)
    form = None
    if appointment is not None and appointment.may_fill and appointment.fillable and not appointment.holders:
        form = FillForm(
            formdata=None,
            valid_from=short_date(work.today),
            primary=appointment.role.holders is not Holders.SEVERAL,
        )
        form.offer(role_holdings.candidates(work))
    return {"appointment": appointment, "fill_form": form}


def task_of_address(work: Work) -> MunicipalTask | None:
    """The task that the form was opened from, when the address names one of the actor's own."""
    typed = request.args.get(TASK, "")
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        return None
    try:
        task = doors.municipal_task(work, int(typed))
    except NotFoundError:
        return None
    return task if work.actor and task.municipality_id == work.actor.municipality_id else None


def way_back(work: Work) -> str | None:
    """The address of that task."""
    task = task_of_address(work)
    return url_for("task.show", task_id=task.id) if task else None
