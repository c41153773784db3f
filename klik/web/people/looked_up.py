"""The page of look-ups: who opened the gallery or took people home, for those who answer for it."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from klik.domain.rights import Right
from klik.services.roles import lookups
from klik.services.work import Work
from klik.web.base import access as allow

blueprint = Blueprint("looked_up", __name__)


@blueprint.get("/personer/opslag")
@allow(Right.MANAGE_PEOPLE)
def index(work: Work) -> str:
    """The newest first, a hundred a page."""
    typed = request.args.get("side", "1")
    page = max(int(typed), 1) if typed.isascii() and typed.isdigit() and len(typed) < 5 else 1
    found = lookups.listed(work, page)
    return render_template(
        "people/looked_up.html",
        found=found[: lookups.PAGE],
        page=page,
        more=len(found) > lookups.PAGE,
        role=work.registry.content.role,
    )
