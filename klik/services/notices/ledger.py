"""Writing into the ledger of notices: a row for each (recipient, occasion, version), once, before any mail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from klik.models import Notice
from klik.services.notices.recipients import Recipient
from klik.services.work import Work

MAIL = "core.mail"
# What the address of a channel beside the mail begins with; its key follows.
CHANNEL_ADDRESS = "kanal:"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDraft:
    """What is to be told to whom. ``dedupe_key`` says what it is about, without the recipient.

    ``path`` is the page it leads to ("/opgaver/12"); ``about_day`` the day it speaks of. ``withdrawn`` says in
    Danish why it is entered but never sent.
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


def enqueue(work: Work, drafts: Iterable[NoticeDraft]) -> int:
    """Write what is not in the ledger yet and return how many rows that was; one statement however many.

    Nobody is told of their own doing.
    """
    me = work.actor.person_id if work.actor else None
    rows = [
        _row(work, draft)
        for draft in drafts
        if draft.recipient.person_id is None or draft.recipient.person_id != me
    ]
    return _insert(work, rows) if rows else 0


def full_key(about: str, to: Recipient) -> str:
    """The unique key of a notice: what it is about, and who is told."""
    who = f"p{to.person_id}" if to.person_id else to.address.casefold()
    if who.startswith(CHANNEL_ADDRESS):
        who = f"kanal={who.removeprefix(CHANNEL_ADDRESS)}"
    return f"{about}/{who}"[:200]


def _row(work: Work, draft: NoticeDraft) -> dict[str, Any]:
    to = draft.recipient
    return {
        "dedupe_key": full_key(draft.dedupe_key, to),
        "occasion": draft.occasion,
        "channel": draft.channel,
        "municipality_id": to.municipality_id,
        "municipal_task_id": draft.municipal_task_id,
        "task_id": draft.task_id,
        "person_id": to.person_id,
        "address": to.address,
        "reason": to.reason,
        "heading": draft.heading[:300],
        "sentence": draft.sentence,
        "path": draft.path,
        "about_day": draft.about_day,
        "created_at": work.now,
        "due_at": draft.due_at or work.now,
        "withdrawn_at": work.now if draft.withdrawn else None,
        "withdrawal_reason": draft.withdrawn,
    }


def _insert(work: Work, rows: Sequence[dict[str, Any]]) -> int:
    insert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    statement = insert(Notice.__table__).on_conflict_do_nothing(index_elements=["dedupe_key"])
    # One prepared statement, row after row in one round trip: with RETURNING it would be one text with thousands of
    # parameters, which the driver for PostgreSQL takes longer to read than the server to execute.
    connection = work.session.connection()
    return connection.execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount
