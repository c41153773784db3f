"""A municipality's roles on one page: on the screen, on paper and as a PDF."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, render_template, send_file

from klik.domain.rights import Right
from klik.domain.texts import file_name
from klik.services.contacts import role_card, wanted
from klik.services.documents import RoleCardDocument
from klik.services.rendering import RenderingError
from klik.services.work import Work
from klik.web import errors
from klik.web.base import Afterwards, access, installation, see_other
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

    def make() -> Any:
        try:
            content = renderer.role_card_pdf(document)
        except RenderingError as problem:
            return errors.page(503, message=str(problem))
        return send_file(
            io.BytesIO(content), "application/pdf", as_attachment=True, download_name=name, max_age=0
        )

    return Afterwards(make)


def _collected(work: Work, code: int) -> RoleCardDocument:
    document = role_card.collect(work, code)
    look_up("kort", document.people, municipality_id=code)
    return document
