"""A municipality asks KOMBIT to keep a task beyond the last day; KOMBIT answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import select

from klik.domain.calendar import long_date
from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.models import Deletion, DeletionItem
from klik.services import access, auditing, free_text
from klik.services.auditing import Act
from klik.services.deleting import notices as deletion_notices
from klik.services.deleting.announcing import MOST_DAYS, NOTE_LIMIT, running
from klik.services.errors import NotFoundError, RefusedError
from klik.services.work import Work

LEAST_REASON = 3


MOST_AT_ONCE = 1_000


def ask_to_keep(work: Work, item: DeletionItem, reason: str, until: date | None) -> None:
    """The municipality asks KOMBIT to keep a task until a day; it is not deleted before KOMBIT answers."""
    ask_to_keep_all(work, item.deletion_id, [item.id], reason, until)


def ask_to_keep_all(
    work: Work, deletion_id: int, item_ids: Sequence[int], reason: str, until: date | None
) -> int:
    """The same for several tasks of one deletion at once: one request, one notice; returns how many tasks.

    Raises NotFoundError for another municipality's, RefusedError by field ("reason", "until", "item").
    """
    actor = access.require(work, Right.FETCH_DELETION)
    deletion = access.deletion(work, deletion_id)
    items = _items(work, deletion, item_ids)
    if any(item.municipality_id != actor.municipality_id for item in items):
        raise NotFoundError
    problems = _wrong_until(work, deletion, until)
    try:
        reason = free_text.clean(reason, field="Begrundelse", limit=NOTE_LIMIT, required=True)
        if len(reason) < LEAST_REASON:
            problems["reason"] = f"Begrundelse skal fylde mindst {LEAST_REASON} tegn."
    except InputError as error:
        problems["reason"] = str(error)
    if problem := _too_late(work, deletion, items):
        problems["item"] = problem
    if problems:
        raise RefusedError(problems)
    for item in items:
        item.hold_reason, item.hold_until, item.hold_granted = reason, until, None
    work.session.flush()
    deletion_notices.asked_to_keep(work, deletion, items)
    auditing.record_all(
        work,
        [
            Act("deletion-hold-asked", f"deletion-item/{item.id}", {"until": until}, item.municipality_id)
            for item in items
        ],
    )
    return len(items)


def _items(work: Work, deletion: Deletion, item_ids: Sequence[int]) -> Sequence[DeletionItem]:
    if not item_ids:
        raise RefusedError({"item": "Opgaver: sæt kryds ved mindst én opgave."})
    if len(item_ids) > MOST_AT_ONCE:
        raise RefusedError({"item": f"Opgaver: vælg højst {MOST_AT_ONCE} ad gangen."})
    found = work.session.scalars(
        select(DeletionItem)
        .where(
            DeletionItem.deletion_id == deletion.id,
            DeletionItem.id.in_(item_ids),
            access.deletion_items(work),
        )
        .order_by(DeletionItem.id)
        .with_for_update()
    ).all()
    if len(found) != len(set(item_ids)):
        raise NotFoundError
    return found


def _too_late(work: Work, deletion: Deletion, items: Sequence[DeletionItem]) -> str | None:
    """A task that was kept may be asked for again until that day is over; any other one until the last day is."""
    if deletion.state != "varslet" or any(item.state in ("arkiveret", "slettet") for item in items):
        return "Opgaven kan ikke længere bevares: sletningen er fortrudt eller begyndt."
    for item in items:
        kept = item.hold_until if item.hold_granted and item.hold_until else deletion.last_day
        if max(deletion.last_day, kept) < work.today:
            return (
                f"Sidste dag var {long_date(max(deletion.last_day, kept))}; derefter kan I ikke bede om det."
            )
    return None


def decide_hold(work: Work, item: DeletionItem, granted: bool, until: date | None = None) -> None:
    """KOMBIT answers: kept until a day (the one asked for, or another), or deleted as announced."""
    decide_holds(work, item.deletion_id, [item.id], granted, until)


def decide_holds(
    work: Work, deletion_id: int, item_ids: Sequence[int], granted: bool, until: date | None = None
) -> int:
    """The same answer to several requests: one notice a municipality; returns how many tasks.

    Each is kept until the day asked for unless ``until`` says another.
    """
    deletion = running(work, deletion_id)
    items = _items(work, deletion, item_ids)
    if any(item.hold_reason is None or item.state in ("arkiveret", "slettet") for item in items):
        raise RefusedError({"item": "Der er ingen anmodning om at beholde opgaven, som kan besvares."})
    for item in items:
        wanted = until or item.hold_until
        if granted and (problems := _wrong_until(work, deletion, wanted)):
            raise RefusedError(problems)
        item.hold_granted, item.hold_until = granted, wanted
    work.session.flush()
    deletion_notices.hold_decided(work, deletion, items)
    auditing.record_all(
        work,
        [
            Act(
                "deletion-hold-decided",
                f"deletion-item/{item.id}",
                {"granted": granted, "until": item.hold_until},
                item.municipality_id,
            )
            for item in items
        ],
    )
    return len(items)


def _wrong_until(work: Work, deletion: Deletion, until: date | None) -> dict[str, str]:
    latest = work.today + timedelta(days=MOST_DAYS)
    first = max(deletion.last_day + timedelta(days=1), work.today)
    if until is None or until < first:
        return {"until": f"Bevares til skal ligge efter sidste dag: tidligst {long_date(first)}."}
    return {"until": f"Bevares til må senest være {long_date(latest)}."} if until > latest else {}
