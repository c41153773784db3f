"""What the demo's people were told before it opened: delivered long ago, read by most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, func, insert, select, update

from klik.models import Mail, Notice
from klik.services.work import Work

RECENT = timedelta(days=7)


class _Past(NamedTuple):
    id: int
    person_id: int | None
    heading: str
    occasion: str


def deliver_past(work: Work) -> None:
    """Give every notice older than today a mail that was handed over on its day: one a person and day."""
    rows = work.session.execute(
        select(
            Notice.id,
            Notice.person_id,
            Notice.address,
            Notice.heading,
            Notice.occasion,
            Notice.created_at,
            Notice.due_at,
        ).where(
            Notice.mail_id.is_(None),
            Notice.withdrawn_at.is_(None),
            Notice.created_at < work.now - timedelta(hours=20),
        )
    ).all()
    earlier = work.session.scalar(select(func.max(Mail.id))) or 0
    groups: dict[tuple[str, datetime], list[_Past]] = defaultdict(list)
    for notice_id, person_id, address, heading, occasion, created, due in rows:
        # What was told over a weekend would wait for Monday; here it is past.
        at = due if due < work.now else created
        groups[address, at].append(_Past(notice_id, person_id, heading, occasion))
    mails = []
    for number, ((address, at), notices) in enumerate(groups.items(), earlier + 1):
        text = "\r\n".join(each.heading for each in notices)
        mails.append(
            {
                "message_id": f"<demo-{number}@demo.example>",
                "channel": "core.mail",
                "person_id": notices[0].person_id,
                "address": address,
                "subject": _subject(notices)[:300],
                "content": f"To: {address}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode(),
                "state": "sent",
                "attempts": 1,
                "next_attempt_at": at,
                "created_at": at,
                "expires_at": at + timedelta(days=3),
                "sent_at": at,
                "reply": "250 OK",
            }
        )
    ids = work.session.scalars(insert(Mail).returning(Mail.id, sort_by_parameter_order=True), mails).all()
    table = Notice.__table__
    work.session.connection().execute(
        update(table)
        .where(table.c.id == bindparam("notice"))
        .values(mail_id=bindparam("mail"), read_at=bindparam("read")),
        [
            {
                "notice": each.id,
                "mail": mail_id,
                "read": at + timedelta(hours=5) if at < work.now - RECENT else None,
            }
            for mail_id, ((_address, at), notices) in zip(ids, groups.items(), strict=True)
            for each in notices
        ],
    )


def _subject(notices: Sequence[_Past]) -> str:
    if len(notices) == 1:
        return notices[0].heading
    new = all(each.occasion == "udgivet" for each in notices)
    return f"klik: {len(notices)} {'nye opgaver' if new else 'varsler'}"
