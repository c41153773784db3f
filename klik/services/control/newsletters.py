"""Newsletters that were sent, and whether every frozen recipient has a mail."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import func, select, update

from klik.db import rows_changed
from klik.models import Mail, Newsletter, NewsletterRecipient
from klik.services.control.findings import Findings, Untold, since
from klik.services.newsletters.sending import OCCASION
from klik.services.work import Work

_PASSED_OVER = Mail.id.is_(None) & (
    Newsletter.mailed_at.is_not(None) | NewsletterRecipient.mail_id.is_not(None)
)


def tally(work: Work, found: Findings) -> None:
    """Count the recipients of the last thirty days by the state of their mails."""
    rows = work.session.execute(
        select(Mail.state, func.count())
        .select_from(NewsletterRecipient)
        .join(Newsletter, Newsletter.id == NewsletterRecipient.newsletter_id)
        .outerjoin(Mail, Mail.id == NewsletterRecipient.mail_id)
        .where(Newsletter.sent_at >= since(work), NewsletterRecipient.skipped.is_(None), ~_PASSED_OVER)
        .group_by(Mail.state)
    )
    for state, count in rows:
        found.tallies[OCCASION].add(state or "pending", count)


def untold(work: Work) -> Iterable[Untold]:
    """Recipients without a mail of a newsletter that counts as done, or whose mail is not there."""
    rows = work.session.scalars(
        select(NewsletterRecipient.id)
        .join(Newsletter, Newsletter.id == NewsletterRecipient.newsletter_id)
        .outerjoin(Mail, Mail.id == NewsletterRecipient.mail_id)
        .where(Newsletter.sent_at >= since(work), NewsletterRecipient.skipped.is_(None), _PASSED_OVER)
    ).all()
    for row in rows:
        yield Untold(OCCASION, f"recipient={row}", _waits_again(row))


def _waits_again(row: int) -> Callable[[Work], int]:
    """Let the sending make the mail on its next round; it is nobody's change, so the letter keeps its version."""

    def heal(work: Work) -> int:
        chosen = NewsletterRecipient.id == row
        letters = Newsletter.__table__
        work.session.execute(
            update(letters)
            .where(letters.c.id.in_(select(NewsletterRecipient.newsletter_id).where(chosen)))
            .values(mailed_at=None)
        )
        return rows_changed(work.session, update(NewsletterRecipient).where(chosen).values(mail_id=None))

    return heal
