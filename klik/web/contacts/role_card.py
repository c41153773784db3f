"""A municipality's roles on one page: on the screen, on paper and as a PDF."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from klik.domain.rights import Right
from klik.domain.texts import file_name
from klik.services.contacts import role_card, wanted
from klik.services.documents import RoleCardDocument
from klik.services.work import Work
from klik.web import printing
from klik.web.base import access, installation, see_other
from klik.web.lookups import look_up
from klik.web.roles.views import place

blueprint = Blueprint("role_card", __name__)


@blueprint.get("/roller/kort")
@access(Right.READ_ROLES)
def show(work: Work) -> Any:
    """The card; KOMBIT chooses a municipality first."""
    code = place(work)
    if code is None:
        return render_template(
            "contacts/choose_card.html", municipalities=wanted.choices(work).municipalities
        )
    return render_template("contacts/card.html", card=_collected(work, code), code=code)


@blueprint.get("/roller/kort.pdf")
@access(Right.EXPORT)
def as_pdf(work: Work) -> Any:
    """The card on one A4, drawn when the transaction is over."""
    code = place(work)
    if code is None:
        return see_other("role_card.show")
    document = _collected(work, code)
    name = file_name(f"Roller {document.municipality} {work.today.isoformat()}", "pdf")
    renderer = installation().renderer

    return printing.drawn(lambda: renderer.role_card_pdf(document), name)


def _collected(work: Work, code: int) -> RoleCardDocument:
    document = role_card.collect(work, code)
    look_up("kort", document.people, municipality_id=code)
    return document
