"""What becomes of a mail: settled after its conversation, taken back from the dead, or taken out of the queue."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import bindparam, exists, select, update

from klik.domain.calendar import DENMARK
from klik.domain.deadlines import danish_today
from klik.models import Mail, Notice
from klik.plugins.contributions import Delivery
from klik.services import access
from klik.services.notices import mails
from klik.services.notices.bounces import acting
from klik.services.notices.claiming import PENDING, TABLE, Claim
from klik.services.notices.composing import outdated
from klik.services.work import Work

LOOKED_AT = 500
BACK_OFF = (1, 5, 15, 60)  # minutes
NEW_DAY = "skrives om, fordi en ny dag er begyndt"
NO_LONGER_HOLDS = "skrives om, fordi et af varslerne ikke længere gælder"
GIVEN_UP = "opgivet efter 72 timer"
TWICE_IN_DOUBT = "uvist: sendt to gange uden et sikkert svar"

_SENT = (
    update(TABLE)
    .where(
        TABLE.c.id == bindparam("of"),
        TABLE.c.fence == bindparam("claimed_as"),
        TABLE.c.state.in_(["claimed", "in_doubt"]),
    )
    .values(
        state="sent",
        sent_at=bindparam("now"),
        reply=bindparam("said"),
        lease_owner=None,
        lease_until=None,
    )
)


def settle(work: Work, claimed: Claim, outcome: Delivery | None, *, certain: bool = True) -> None:
    """Store what became of it. A mail in doubt stays so; a claim that was overtaken changes nothing.

    An outcome that is not ``certain`` only counts while the mail is not in doubt: the abandoned conversation
    may have come to its final dot just now.
    """
    if outcome is None:
        return
    if outcome.outcome == "sent" and certain:
        # The usual end, without reading the mail's bytes once more.
        given = {"of": claimed.mail_id, "claimed_as": claimed.fence, "now": work.now}
        work.session.connection().execute(_SENT, given | {"said": outcome.reply[:500]})
        return
    states = ["claimed", "in_doubt"] if certain else ["claimed"]
    mine = (Mail.id == claimed.mail_id, Mail.fence == claimed.fence, Mail.state.in_(states))
    mail = work.session.scalar(select(Mail).where(*mine).with_for_update())
    if mail is None:
        return
    mail.reply = outcome.reply[:500]
    mail.lease_owner = mail.lease_until = None
    if outcome.outcome == "refused":
        mail.state = "failed"
        acting.refused(work, mail, outcome.reply)
    else:
        _put_off(mail, outcome, work.now)


def _put_off(mail: Mail, outcome: Delivery, now: datetime) -> None:
    mail.state = "pending"
    if outcome.retry_after is not None:
        mail.attempts -= 1
        mail.next_attempt_at = now + timedelta(seconds=outcome.retry_after)
        return
    minutes = BACK_OFF[min(mail.attempts, len(BACK_OFF)) - 1]
    mail.next_attempt_at = now + timedelta(minutes=minutes * random.uniform(1.0, 1.25))


def recover(work: Work) -> int:
    """Take back what dead dispatchers held; how many mails in doubt are sent once more."""
    session = work.session
    session.execute(
        update(Mail)
        .where(Mail.state == "claimed", Mail.lease_until < work.now)
        .values(state="pending", lease_owner=None, lease_until=None, next_attempt_at=work.now)
    )
    doubtful = session.scalars(
        select(Mail)
        .where(Mail.state == "in_doubt", Mail.lease_until < work.now)
        .with_for_update(skip_locked=True)
    ).all()
    again = 0
    for mail in doubtful:
        if mail.resent:
            mail.state, mail.reply = "failed", TWICE_IN_DOUBT
        else:
            mail.state, mail.resent, mail.next_attempt_at = "pending", 1, work.now
            mail.content = mails.resent(mail.content)
            again += 1
        mail.lease_owner = mail.lease_until = None
    return again


def give_up(work: Work) -> None:
    """Take mails out of the queue that could not be handed over for 72 hours."""
    for mail in work.session.scalars(
        select(Mail)
        .where(Mail.state == PENDING, Mail.expires_at <= work.now, Mail.attempts > 0)
        .with_for_update(skip_locked=True)
    ):
        mail.state = "failed"
        mail.reply = f"{GIVEN_UP}: {mail.reply}"[:500] if mail.reply else GIVEN_UP


@dataclass(frozen=True, slots=True)
class Checked:
    """Mails looked at just before they are sent: those due until ``at``, of the same moment until the id.

    ``stale`` of them no longer held.
    """

    at: datetime
    mail_id: int
    stale: int


def take_apart_old(work: Work) -> int:
    """Take mails with reminders apart that were worded on an earlier day, at most so many at once; how many.

    Before today's are made, so that what waited for a mail server and what is new are one mail.
    """
    session = work.session
    midnight = datetime.combine(work.today, time(), DENMARK)
    reminding = exists().where(Notice.mail_id == Mail.id, Notice.occasion.in_(_reminding(work)))
    old = session.scalars(
        select(Mail.id)
        .where(Mail.state == PENDING, Mail.resent == 0, Mail.created_at < midnight, reminding)
        .limit(LOOKED_AT)
        .with_for_update(skip_locked=True)
    ).all()
    _take_apart(work, old, NEW_DAY)
    return len(old)


def _reminding(work: Work) -> list[str]:
    return sorted((*work.registry.notification_rules, access.OWN_OCCASION))


def _take_apart(work: Work, ids: Collection[int], reply: str) -> None:
    if ids:
        work.session.execute(update(Mail).where(Mail.id.in_(ids)).values(state="stale", reply=reply))
        work.session.execute(update(Notice).where(Notice.mail_id.in_(ids)).values(mail_id=None))


def retire(work: Work, channels: Collection[str]) -> Checked | None:
    """Take the next mails apart that no longer hold; None when nothing is due on these channels.

    A mail is taken apart when a day has passed since it was worded, or one of its notices no longer holds;
    the notices wait for a new one.
    """
    session = work.session
    rows = session.execute(
        select(Mail.id, Mail.next_attempt_at, Mail.created_at, Mail.resent)
        .where(Mail.state == PENDING, Mail.next_attempt_at <= work.now, Mail.channel.in_(channels))
        .order_by(Mail.next_attempt_at, Mail.id)
        .limit(LOOKED_AT)
        .with_for_update(skip_locked=True)
    ).all()
    if not rows:
        return None
    worded = {row.id: row.created_at for row in rows if row.resent == 0}
    reminding = set(
        session.scalars(
            select(Notice.mail_id).where(Notice.mail_id.in_(worded), Notice.occasion.in_(_reminding(work)))
        )
    )
    of_old = {mail_id for mail_id in reminding if danish_today(worded[mail_id]) != work.today}
    doubtful = outdated(work, reminding - of_old)
    _take_apart(work, of_old, NEW_DAY)
    _take_apart(work, doubtful, NO_LONGER_HOLDS)
    return Checked(rows[-1].next_attempt_at, rows[-1].id, len(of_old) + len(doubtful))
