"""The mødepakke: two pages before a meeting, and the day of the last one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, request

from klik.domain.calendar import long_date
from klik.domain.rights import Right
from klik.services import meetings, tables
from klik.services.errors import RefusedError
from klik.services.work import Work
from klik.web import printing
from klik.web.base import Afterwards, access, installation, see_other
from klik.web.overview.views import page

blueprint = Blueprint("meetings", __name__)


@blueprint.get("/moedepakke.pdf")
@access(Right.EXPORT)
def as_pdf(work: Work) -> Afterwards:
    """The mødepakke of the actor's municipality, drawn when the transaction is over."""
    document = meetings.collect(work)
    name = tables.named(work, "pdf", "Mødepakke")
    renderer = installation().renderer

    return printing.drawn(lambda: renderer.meeting_pdf(document), name)


@blueprint.post("/moedepakke")
@access(Right.EXPORT)
def remember(work: Work) -> Any:
    """Note the day of the last meeting."""
    typed = request.form.get("sidste_moede", "")
    try:
        day = meetings.remember(work, typed)
    except RefusedError as error:
        shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in typed)
        return page(work, typed=shown, problem=error.problems["sidste_moede"]), 422
    flash(f"Sidste møde er sat til {long_date(day)}.", "success")
    return see_other("overview.show")
