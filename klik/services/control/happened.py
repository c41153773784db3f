"""Acts of the last thirty days, and whether those they concerned were told."""

from __future__ import annotations

from sqlalchemy import func, select

from klik.models import Mail, Notice
from klik.services.control import announced, appointments, conversations, deletions, newsletters, publications
from klik.services.control.findings import Findings, since
from klik.services.control.people import People
from klik.services.work import Work

OCCASIONS = (
    *publications.OCCASIONS,
    *conversations.OCCASIONS,
    *deletions.OCCASIONS,
    *appointments.OCCASIONS,
)


def look(work: Work, found: Findings) -> None:
    """Look at every kind of act; a fixed number of statements, and some more a kind for what nobody was told of."""
    people = People(work)
    _tally(work, found)
    newsletters.tally(work, found)
    for absent in (
        publications.untold(work, found, people),
        conversations.untold(work),
        deletions.untold(work, people),
        appointments.untold(work, people),
        newsletters.untold(work),
        announced.untold(work),
    ):
        for each in absent:
            found.tallies[each.occasion].missing += 1
            found.untold.append(each)


def _tally(work: Work, found: Findings) -> None:
    """What the ledger holds of these occasions, by state."""
    rows = work.session.execute(
        select(Notice.occasion, Notice.withdrawn_at.is_not(None), Mail.state, func.count())
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .where(Notice.occasion.in_((*OCCASIONS, *work.registry.topics)), Notice.created_at >= since(work))
        .group_by(Notice.occasion, Notice.withdrawn_at.is_not(None), Mail.state)
    )
    for occasion, is_withdrawn, state, count in rows:
        found.tallies[occasion].add("withdrawn" if is_withdrawn else state or "pending", count)
