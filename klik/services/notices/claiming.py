"""Taking mails out of the queue: with a lease, and a fence that rises with each claim."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Table, bindparam, literal_column, or_, select, update

from klik.models import Mail
from klik.plugins.context import PluginContext
from klik.plugins.contributions import Channel, Message
from klik.plugins.manager import plugin_of
from klik.services import for_plugins
from klik.services.notices import mails, smtp
from klik.services.notices.bounces import verp
from klik.services.notices.mails import Sender
from klik.services.work import Work

LEASE = timedelta(minutes=2)
DOUBT = timedelta(minutes=30)
# Written out: neither database takes an index that is only for some states by a state it is told later.
PENDING = literal_column("'pending'")
TABLE: Table = Mail.__table__  # type: ignore[assignment]


class LeaseLostError(Exception):
    """Another dispatcher has the mail now; nothing more may be sent of it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail that this process alone may send, until the lease is over."""

    mail_id: int
    fence: int
    at: datetime
    channel: Channel
    message: Message
    context: PluginContext

    @property
    def domain(self) -> str:
        """Whose mail server gets it in the end."""
        return self.message.address.rpartition("@")[2].casefold()


def claim(
    work: Work,
    channels: Collection[str],
    owner: str,
    lease: timedelta,
    sender: Sender,
    until: tuple[datetime, int],
    most: int,
) -> list[Claim]:
    """At most so many of the mails due until then, the oldest first, now this process's own.

    ``until`` is the moment and the id of the last one that may be taken.
    """
    known = {key for key in channels if key in work.registry.channels}
    if not known or most < 1:
        return []
    waiting = work.session.scalars(
        select(Mail)
        .where(
            Mail.state == PENDING,
            Mail.next_attempt_at <= min(work.now, until[0]),
            Mail.channel.in_(known),
            or_(Mail.next_attempt_at < until[0], Mail.id <= until[1]),
        )
        .order_by(Mail.next_attempt_at, Mail.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    return [_taken(work, mail, owner, lease, sender) for mail in waiting]


def _taken(work: Work, mail: Mail, owner: str, lease: timedelta, sender: Sender) -> Claim:
    mail.state = "claimed"
    mail.lease_owner, mail.lease_until = owner, work.now + lease
    mail.fence += 1
    mail.attempts += 1
    return Claim(
        mail.id,
        mail.fence,
        work.now,
        work.registry.channels[mail.channel],
        Message(
            address=mail.address,
            subject=mail.subject,
            # The mail channel takes the bytes as they are; to read the text out of them costs more than sending.
            text="" if mail.channel == smtp.KEY else mails.plain_text(mail.content),
            content=mail.content,
            message_id=mail.message_id,
            return_path=verp.return_path(sender.returns_to, sender.secret, mail.id),
        ),
        for_plugins.context(work, plugin_of(mail.channel), tables=False),
    )


# Made once: making them anew for each mail takes longer than executing them.
_IN_DOUBT = (
    update(TABLE)
    .where(
        TABLE.c.id == bindparam("of"),
        TABLE.c.fence == bindparam("claimed_as"),
        TABLE.c.state == "claimed",
        TABLE.c.lease_until >= bindparam("now"),
    )
    .values(state="in_doubt", lease_until=bindparam("until"))
)


def mark_in_doubt(work: Work, claimed: Claim) -> None:
    """Store that the next bytes decide; raises LeaseLostError when the mail is no longer this claim's."""
    given = {
        "of": claimed.mail_id,
        "claimed_as": claimed.fence,
        "now": work.now,
        "until": work.now + DOUBT,
    }
    if work.session.connection().execute(_IN_DOUBT, given).rowcount != 1:
        raise LeaseLostError(claimed.mail_id)


def hand_back(work: Work, claims: Sequence[Claim], pause: timedelta) -> None:
    """Put mails that nobody has begun to send back into the queue; it was no attempt."""
    for claimed in claims:
        work.session.execute(
            update(Mail)
            .where(Mail.id == claimed.mail_id, Mail.fence == claimed.fence, Mail.state == "claimed")
            .values(
                state="pending",
                attempts=Mail.attempts - 1,
                lease_owner=None,
                lease_until=None,
                next_attempt_at=work.now + pause,
            )
        )
