"""Everybody's own notices: reading, putting off, and going on from one to what it is about."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for

from klik.domain import wake_days
from klik.domain.calendar import long_date, weekday
from klik.domain.rights import Right
from klik.services.errors import RefusedError
from klik.services.notices import inbox
from klik.services.work import Work
from klik.web.base import access
from klik.web.notices.paging import PAGE, address_of, page_asked

blueprint = Blueprint("inbox", __name__, url_prefix="/varsler")


@blueprint.get("/mine")
@access(Right.SIGNED_IN)
def mine(work: Work) -> Any:
    """The own notices, all of them."""
    return page(work)


def page(work: Work, problem: tuple[int, str, str] | None = None) -> str:
    """The inbox; ``problem`` is a notice, what is wrong with the day typed for it, and what was typed."""
    total = inbox.count(work)
    pages = max(1, -(-total // PAGE))
    number = min(page_asked(), pages)
    shown = inbox.letters(work, first=(number - 1) * PAGE, most=PAGE)
    return render_template(
        "notices/inbox.html",
        heaps=inbox.heaps(shown, work.today),
        first=(number - 1) * PAGE + 1,
        shown=len(shown),
        unread_count=inbox.unread(work),
        total=total,
        page=number,
        pages=pages,
        page_url=lambda number: url_for("inbox.mine", side=number),
        wake_days=wake_days.suggested(work.today, 7),
        most_days=inbox.MOST_SNOOZED,
        problem=problem,
        settings=address_of("/varsler/indstillinger"),
    )


@blueprint.post("/<id:notice_id>/aabn")
@access(Right.SIGNED_IN)
def open_one(work: Work, notice_id: int) -> Any:
    """Go to what a notice is about; it is read, and so is all else about the same task."""
    return redirect(inbox.open_one(work, notice_id), 303)


@blueprint.post("/<id:notice_id>/laest")
@access(Right.SIGNED_IN)
def mark_read(work: Work, notice_id: int) -> Any:
    """Mark one of the own notices as read."""
    inbox.mark_read(work, notice_id)
    return _back()


@blueprint.post("/<id:notice_id>/ulaest")
@access(Right.SIGNED_IN)
def mark_unread(work: Work, notice_id: int) -> Any:
    """Take one of the own notices out again."""
    inbox.mark_unread(work, notice_id)
    return _back()


@blueprint.post("/<id:notice_id>/mind")
@access(Right.SIGNED_IN)
def snooze(work: Work, notice_id: int) -> Any:
    """Put one of the own notices off: until a day with a button of its own, or the one that was typed."""
    typed = (request.form.get("dag") or request.form.get("dato") or "")[:100]
    try:
        day = inbox.snooze(work, notice_id, typed)
    except RefusedError as wrong:
        return page(work, (notice_id, wrong.problems["dag"], typed)), 422
    flash(f"Varslet kommer frem igen {weekday(day)} den {long_date(day)}.", "success")
    return _back()


@blueprint.post("/laest")
@access(Right.SIGNED_IN)
def mark_all_read(work: Work) -> Any:
    """Mark all of the own unread notices as read."""
    count = inbox.mark_all_read(work)
    flash(f"{count} {'varsel' if count == 1 else 'varsler'} er markeret som læst.", "success")
    return _back()


def _back() -> Any:
    number = page_asked()
    return redirect(url_for("inbox.mine", **({"side": number} if number > 1 else {})), 303)
