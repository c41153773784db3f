"""A municipality asks KOMBIT to keep a task beyond the last day; KOMBIT answers."""

from __future__ import annotations

from datetime import date, timedelta

from klik.domain import texts
from klik.domain.calendar import long_date
from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import Deletion, DeletionItem
from klik.services import access, auditing
from klik.services.deleting import notices as deletion_notices
from klik.services.deleting.announcing import MOST_DAYS, NOTE_LIMIT, running
from klik.services.errors import NotFoundError, RefusedError
from klik.services.work import Work

LEAST_REASON = 3


def ask_to_keep(work: Work, item: DeletionItem, reason: str, until: date | None) -> None:
    """The municipality asks KOMBIT to keep a task until a day; it is not deleted before KOMBIT answers."""
    actor = access.require(work, Right.FETCH_DELETION)
    if item.municipality_id != actor.municipality_id:
        raise NotFoundError
    deletion = access.deletion(work, item.deletion_id)
    problems = _wrong_until(work, deletion, until)
    try:
        reason = texts.clean(reason, field="Begrundelse", limit=NOTE_LIMIT, required=True)
        if len(reason) < LEAST_REASON:
            problems["reason"] = f"Begrundelse skal fylde mindst {LEAST_REASON} tegn."
    except InputError as error:
        problems["reason"] = str(error)
    if deletion.state != "varslet" or item.state in ("arkiveret", "slettet"):
        problems["item"] = "Opgaven kan ikke længere bevares: sletningen er fortrudt eller begyndt."
    elif deletion.last_day < work.today:
        problems["item"] = f"Sidste dag var {long_date(deletion.last_day)}; derefter kan I ikke bede om det."
    if problems:
        raise RefusedError(problems)
    item.hold_reason, item.hold_until, item.hold_granted = reason, until, None
    work.session.flush()
    deletion_notices.asked_to_keep(work, deletion, item)
    facts = {"until": until}
    auditing.record(work, "deletion-hold-asked", f"deletion-item/{item.id}", facts, item.municipality_id)


def decide_hold(work: Work, item: DeletionItem, granted: bool, until: date | None = None) -> None:
    """KOMBIT answers: kept until a day (the one asked for, or another), or deleted as announced."""
    deletion = running(work, item.deletion_id)
    if item.hold_reason is None or item.state in ("arkiveret", "slettet"):
        raise RefusedError({"item": "Der er ingen anmodning om at beholde opgaven, som kan besvares."})
    until = until or item.hold_until
    if granted and (problems := _wrong_until(work, deletion, until)):
        raise RefusedError(problems)
    item.hold_granted, item.hold_until = granted, until
    work.session.flush()
    deletion_notices.hold_decided(work, deletion, item)
    facts = {"granted": granted, "until": until}
    auditing.record(work, "deletion-hold-decided", f"deletion-item/{item.id}", facts, item.municipality_id)


def _wrong_until(work: Work, deletion: Deletion, until: date | None) -> dict[str, str]:
    latest = work.today + timedelta(days=MOST_DAYS)
    first = max(deletion.last_day + timedelta(days=1), work.today)
    if until is None or until < first:
        return {"until": f"Bevares til skal ligge efter sidste dag: tidligst {long_date(first)}."}
    return {"until": f"Bevares til må senest være {long_date(latest)}."} if until > latest else {}
