"""The municipality's answer where KOMBIT's correction met its own value: one press."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for

from klik.domain.rights import Right
from klik.services.correcting import answering
from klik.services.correcting.deviations import FOLLOW
from klik.services.errors import ConflictError
from klik.services.work import Work
from klik.web import errors
from klik.web.base import access
from klik.web.tasks.way import way

blueprint = Blueprint("deviations", __name__, url_prefix="/opgaver/<id:task_id>/afvigelser")
OVERTAKEN = (
    "Afvigelsen er besvaret, eller KOMBIT har rettet opgaven igen imens. Intet er ændret. "
    "Gå tilbage, og se opgaven, som den er nu."
)


@blueprint.post("/<id:deviation_id>")
@access(Right.READ_TASKS)
def answer(work: Work, task_id: int, deviation_id: int) -> Any:
    """ "Følg KOMBIT" or "Behold jeres"."""
    given, seen = request.form.get("svar", ""), request.form.get("version", "")
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else 0
    try:
        answering.answer(work, task_id, deviation_id, version, given)
    except ConflictError:
        return errors.page(409, message=OVERTAKEN)
    said = "I følger nu KOMBIT." if given == FOLLOW else "Jeres eget valg er beholdt."
    flash(said, "success")
    return redirect(f"{url_for('task.show', task_id=task_id)}{way(work)}", 303)
