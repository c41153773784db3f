"""What the demo's people were told before it opened: delivered long ago, read by most."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from sqlalchemy import bindparam, insert, select, update

from klik.models import Mail, Notice
from klik.services.work import Work

RECENT = timedelta(days=7)


def deliver_past(work: Work) -> None:
    """Give every notice older than today a mail that was handed over on its day: one a person and day."""
    rows = work.session.execute(
        select(Notice.id, Notice.person_id, Notice.address, Notice.heading, Notice.created_at).where(
            Notice.mail_id.is_(None), Notice.created_at < work.now - timedelta(hours=20)
        )
    ).all()
    groups: dict[tuple[str, object], list[tuple[int, int | None, str]]] = defaultdict(list)
    for notice_id, person_id, address, heading, at in rows:
        groups[address, at].append((notice_id, person_id, heading))
    mails = []
    for number, ((address, at), notices) in enumerate(groups.items(), 1):
        subject = notices[0][2] if len(notices) == 1 else f"klik: {len(notices)} nye opgaver"
        text = "\r\n".join(heading for _id, _person, heading in notices)
        mails.append(
            {
                "message_id": f"<demo-{number}@demo.example>",
                "channel": "core.mail",
                "person_id": notices[0][1],
                "address": address,
                "subject": subject[:300],
                "content": f"To: {address}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode(),
                "state": "sent",
                "attempts": 1,
                "next_attempt_at": at,
                "created_at": at,
                "expires_at": at + timedelta(days=3),  # type: ignore[operator]
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
                "notice": notice_id,
                "mail": mail_id,
                "read": at + timedelta(hours=5) if at < work.now - RECENT else None,  # type: ignore[operator]
            }
            for mail_id, ((_address, at), notices) in zip(ids, groups.items(), strict=True)
            for notice_id, _person, _heading in notices
        ],
    )
