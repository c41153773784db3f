"""Leaving the newsletters and asking for them; role notices and mails about deadlines are not touched by either."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from klik.db import rows_changed
from klik.domain.mailaddresses import normalise
from klik.models import LoginAttempt, Mail, NewsletterAddress, NewsletterRecipient
from klik.services import auditing
from klik.services.newsletters import letter
from klik.services.newsletters.links import VALID_FOR
from klik.services.newsletters.sending import Post, outgoing
from klik.services.work import Work

# Whoever presses again and again must not fill somebody else's inbox, nor one computer many of them.
MOST_MAILS, MAILS_WINDOW = 3, timedelta(days=1)
MOST_FROM_ONE_PLACE, PLACE_WINDOW = 20, timedelta(minutes=15)
LEFT = "modtageren har frameldt sig nyhedsbreve"


def ask(work: Work, post: Post, typed: str, place: str) -> None:
    """Mail a link that confirms the sign-up; what is known of the address makes no difference to be seen.

    ``place`` is where the request came from. Raises MailAddressError for what is no address. Too many requests
    are taken without a word, and nothing is sent.
    """
    address = normalise(typed)
    if _too_many(work, place):
        return
    row = _row(work, address)
    if row.asked_at is not None and row.asked_at > work.now - MAILS_WINDOW:
        if row.asked_count >= MOST_MAILS:
            return
        row.asked_count += 1
    else:
        row.asked_at, row.asked_count = work.now, 1
    rendered = letter.confirmation(post.links.confirm(address, work.now))
    work.session.execute(insert(Mail), [outgoing(work, post, rendered, None, address)])
    auditing.record(work, "nyhedsbrev-tilmeld", f"abonnent/{row.id}")


def confirm(work: Work, address: str, asked_at: datetime) -> bool:
    """Put the address on the list; False when it has left since the link was asked for."""
    row = _row(work, address)
    if row.unsubscribed_at is not None and row.unsubscribed_at > asked_at + timedelta(seconds=1):
        return False
    if row.confirmed_at is None or row.unsubscribed_at is not None:
        row.confirmed_at, row.unsubscribed_at = work.now, None
        work.session.flush()
        auditing.record(work, "nyhedsbrev-bekraeft", f"abonnent/{row.id}")
    return True


def leave(work: Work, address: str) -> None:
    """Take the address off; mails that have not gone yet are held back. Doing it again changes nothing."""
    row = _row(work, address)
    if row.unsubscribed_at is not None:
        return
    row.unsubscribed_at = work.now
    work.session.flush()
    mine = (NewsletterRecipient.address == address) & NewsletterRecipient.mail_id.is_not(None)
    work.session.execute(
        update(Mail)
        .where(Mail.id.in_(select(NewsletterRecipient.mail_id).where(mine)), Mail.state == "pending")
        .values(state="stale", reply=LEFT)
    )
    newest = select(func.max(NewsletterRecipient.id)).where(mine).scalar_subquery()
    work.session.execute(
        update(NewsletterRecipient).where(NewsletterRecipient.id == newest).values(unsubscribed_at=work.now)
    )
    auditing.record(work, "nyhedsbrev-frameld", f"abonnent/{row.id}")


def come_back(work: Work, address: str) -> None:
    """Undo the leaving."""
    row = _row(work, address)
    if row.unsubscribed_at is not None:
        row.unsubscribed_at = None
        work.session.flush()
        auditing.record(work, "nyhedsbrev-fortryd", f"abonnent/{row.id}")


def has_left(work: Work, address: str) -> bool:
    """Whether the address said no."""
    found = work.session.scalar(
        select(NewsletterAddress.unsubscribed_at).where(NewsletterAddress.address_key == address)
    )
    return found is not None


def sweep(work: Work) -> int:
    """Forget addresses that asked and never confirmed; how many."""
    return rows_changed(
        work.session,
        delete(NewsletterAddress).where(
            NewsletterAddress.confirmed_at.is_(None),
            NewsletterAddress.unsubscribed_at.is_(None),
            or_(NewsletterAddress.asked_at.is_(None), NewsletterAddress.asked_at < work.now - VALID_FOR),
        ),
    )


def _row(work: Work, address: str) -> NewsletterAddress:
    """The address's row, made when there is none; two at once make one."""
    upsert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    work.session.execute(
        upsert(NewsletterAddress.__table__)
        .values(address_key=address)
        .on_conflict_do_nothing(index_elements=["address_key"])
    )
    return work.session.scalars(
        select(NewsletterAddress)
        .where(NewsletterAddress.address_key == address)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _too_many(work: Work, place: str) -> bool:
    subject = hashlib.sha256(f"nyhedsbrev:{place}".encode()).hexdigest()
    tries = work.session.scalar(
        select(func.count()).where(LoginAttempt.subject == subject, LoginAttempt.at > work.now - PLACE_WINDOW)
    )
    work.session.add(LoginAttempt(subject=subject, at=work.now))
    return (tries or 0) >= MOST_FROM_ONE_PLACE
