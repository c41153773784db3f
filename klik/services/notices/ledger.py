"""Writing into the ledger of notices: a row for each (recipient, occasion, version), once, before any mail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from klik.models import Notice
from klik.services.notices import mail_times
from klik.services.notices.mail_times import MailTimes
from klik.services.notices.recipients import CHANNEL_ADDRESS, Recipient
from klik.services.work import Work

MAIL = "core.mail"
BOUNCES = "adressen kommer retur"
_KEYS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDraft:
    """What is to be told to whom. ``dedupe_key`` says what it is about, without the recipient.

    ``path`` is the page it leads to ("/opgaver/12"); ``about_day`` the day it speaks of. ``withdrawn`` says in
    Danish why it is entered but never sent. ``due_at``: when it may go into a mail; left out, as the recipient wants
    it. ``can_be_late`` false: they came after ``about_day``, so that nothing was missed.
    """

    occasion: str
    dedupe_key: str
    recipient: Recipient
    heading: str
    sentence: str
    path: str
    municipal_task_id: int | None = None
    task_id: int | None = None
    about_day: date | None = None
    due_at: datetime | None = None
    channel: str = MAIL
    withdrawn: str | None = None
    can_be_late: bool = True


def enqueue(work: Work, drafts: Iterable[NoticeDraft]) -> int:
    """Write what is not in the ledger yet and return how many rows that was; two statements however many.

    Nobody is told of their own doing. The first statement asks how the recipients want their mails.
    """
    me = work.actor.person_id if work.actor else None
    told = [draft for draft in drafts if draft.recipient.person_id is None or draft.recipient.person_id != me]
    if not told:
        return 0
    times = mail_times.of_people(work, [draft.recipient.person_id for draft in told])
    return _insert(work, [_row(work, draft, times) for draft in told])


def not_entered(work: Work, drafts: Sequence[NoticeDraft]) -> list[NoticeDraft]:
    """Those that are not in the ledger yet; only reads."""
    keys = [full_key(draft.dedupe_key, draft.recipient) for draft in drafts]
    known: set[str] = set()
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        known.update(work.session.scalars(select(Notice.dedupe_key).where(Notice.dedupe_key.in_(some))))
    return [draft for draft, key in zip(drafts, keys, strict=True) if key not in known]


def full_key(about: str, to: Recipient) -> str:
    """The unique key of a notice: what it is about, and who is told."""
    who = f"p{to.person_id}" if to.person_id else to.address.casefold()
    if who.startswith(CHANNEL_ADDRESS):
        who = f"kanal={who.removeprefix(CHANNEL_ADDRESS)}"
    return f"{about}/{who}"[:200]


def _due_at(work: Work, draft: NoticeDraft, times: MailTimes) -> datetime:
    if draft.due_at is not None:
        return draft.due_at
    if draft.channel != MAIL:
        return work.now  # a channel is nobody's mail of the day
    return times.due_at(
        draft.recipient.person_id,
        draft.occasion,
        work.now,
        about_day=draft.about_day,
        can_be_late=draft.can_be_late,
    )


def _row(work: Work, draft: NoticeDraft, times: MailTimes) -> dict[str, Any]:
    to = draft.recipient
    withdrawn = draft.withdrawn or (BOUNCES if to.bounces else None)
    return {
        "dedupe_key": full_key(draft.dedupe_key, to),
        "occasion": draft.occasion,
        "channel": draft.channel,
        "municipality_id": to.municipality_id,
        "municipal_task_id": draft.municipal_task_id,
        "task_id": draft.task_id,
        "person_id": to.person_id,
        "address": to.address,
        "reason": to.reason[:300],
        "heading": draft.heading[:300],
        "sentence": draft.sentence,
        "path": draft.path,
        "about_day": draft.about_day,
        "created_at": work.now,
        "due_at": _due_at(work, draft, times),
        "withdrawn_at": work.now if withdrawn else None,
        "withdrawal_reason": withdrawn,
    }


def _insert(work: Work, rows: Sequence[dict[str, Any]]) -> int:
    insert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(Notice.__table__).on_conflict_do_nothing(index_elements=["dedupe_key"])
    # One prepared statement, row after row in one round trip: with RETURNING it would be one text with thousands of
    # parameters, which the driver for PostgreSQL takes longer to read than the server to execute.
    connection = work.session.connection()
    return connection.execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount
