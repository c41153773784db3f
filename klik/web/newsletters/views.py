"""The archive of newsletters: what was sent, each on a page of its own."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.services.errors import NotFoundError, RefusedError
from klik.services.newsletters import account, archive, sending, writing
from klik.services.work import Work
from klik.web.base import access, see_other, sign_in_first

blueprint = Blueprint("newsletters", __name__, url_prefix="/nyhedsbreve")


def page_typed() -> int:
    """The page asked for; the first where nothing sensible is."""
    typed = request.args.get("side", "1")
    return max(1, int(typed)) if typed.isascii() and typed.isdigit() and len(typed) < 7 else 1


@blueprint.get("")
@access(None)
def index(work: Work) -> str:
    """What was sent; for those who write them also what is on its way."""
    pages = max(1, -(-archive.count_sent(work) // archive.PAGE))
    page = min(page_typed(), pages)
    return render_template(
        "newsletters/index.html",
        letters=archive.sent(work, page),
        under_way=archive.under_way(work),
        writes=archive.writes(work),
        states=writing.STATES,
        page=page,
        pages=pages,
        page_url=lambda number: url_for("newsletters.index", side=number),
    )


@blueprint.get("/<id:letter_id>")
@access(None)
def show(work: Work, letter_id: int) -> Any:
    """One letter; who is not signed in is asked to be, unless it is public."""
    try:
        letter = archive.letter(work, letter_id)
    except NotFoundError:
        if work.actor is None:
            return sign_in_first()
        raise
    writes = archive.writes(work)
    return render_template(
        "newsletters/show.html",
        letter=letter,
        writes=writes,
        states=writing.STATES,
        account=account.account(work, letter.id) if writes and letter.state == writing.SENT else None,
    )


@blueprint.post("/<id:letter_id>/offentlig")
@access(Right.PUBLISH)
def make_public(work: Work, letter_id: int) -> Response:
    """Let anybody read a sent letter, or only those who are signed in."""
    public = request.form.get("offentlig") == "ja"
    try:
        sending.make_public(work, letter_id, public=public)
    except RefusedError as error:
        flash(str(error), "error")
        return see_other("newsletters.show", letter_id=letter_id)
    flash(
        "Alle kan nu læse nyhedsbrevet."
        if public
        else "Nu kan kun de, der er logget ind, læse nyhedsbrevet.",
        "success",
    )
    return see_other("newsletters.show", letter_id=letter_id)
