"""Handing mails over: claimed with a lease, marked in doubt just before the final dot, then settled.

pending → claimed → in_doubt → sent | failed, or back to pending. A crash before the final dot cannot have sent
anything, so the mail is tried again. A crash after it leaves the mail in doubt; after half an hour it is sent
once more under the same Message-ID, marked as such, and counted. No transaction is open while anything is sent.
"""

from __future__ import annotations

import logging
import os
import random
import secrets
import socket
import threading
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from klik.db import rows_changed
from klik.domain.deadlines import danish_today
from klik.models import Mail, Notice
from klik.plugins.context import PluginContext
from klik.plugins.contributions import Channel, Delivery, Message
from klik.plugins.manager import plugin_of
from klik.services import access
from klik.services.notices import mails
from klik.services.notices.composing import Composed, compose, outdated
from klik.services.notices.mails import Sender
from klik.services.work import Work

log = logging.getLogger("klik.delivery")

PATIENCE = 60.0  # seconds a whole conversation may take
LEASE = timedelta(minutes=2)
DOUBT = timedelta(minutes=30)
BACK_OFF = (1, 5, 15, 60)  # minutes
NEW_DAY = "skrives om, fordi en ny dag er begyndt"
NO_LONGER_HOLDS = "skrives om, fordi et af varslerne ikke længere gælder"
GIVEN_UP = "opgivet efter 72 timer"
TOO_SLOW = "modtagerens mailserver svarede ikke i tide"
BROKEN = "afsendelsen gik i stykker"
TWICE_IN_DOUBT = "uvist: sendt to gange uden et sikkert svar"

Writing = Callable[[datetime], AbstractContextManager[Work]]
Clock = Callable[[], datetime]


class LeaseLostError(Exception):
    """Another dispatcher has the mail now; nothing more may be sent of it."""


@dataclass(slots=True)
class Delivered:
    """What a run of the dispatcher did."""

    composed: int = 0
    withdrawn: int = 0
    sent: int = 0
    later: int = 0
    refused: int = 0
    doubtful: int = 0
    resent: int = 0


@dataclass(frozen=True, slots=True)
class Claim:
    """A mail that this process alone may send, until the lease is over."""

    mail_id: int
    fence: int
    channel: Channel
    message: Message
    context: PluginContext


def owner_name() -> str:
    """A name for this process that no other has."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


def deliver(
    writing: Writing,
    clock: Clock,
    sender: Sender,
    channels: Collection[str],
    *,
    owner: str | None = None,
    patience: float = PATIENCE,
    lease: timedelta = LEASE,
    stop: Callable[[], bool] = lambda: False,
    patient: bool = False,
) -> Delivered:
    """Compose what waits and send every mail that is due on these channels; ``stop()`` ends it between two.

    ``patient``: what has not come to its hour goes on waiting.
    """
    owner = owner or owner_name()
    done = Delivered()
    with writing(clock()) as work:
        done.resent = recover(work)
        retire(work)
    made = compose_all(writing, clock, sender, patient=patient)
    done.composed, done.withdrawn = made.mails, made.withdrawn
    while not stop():
        with writing(clock()) as work:
            claimed = claim(work, channels, owner, lease)
        if claimed is None:
            break
        outcome, certain = _converse(writing, clock, claimed, patience)
        with writing(clock()) as work:
            settle(work, claimed, outcome, certain=certain)
        _count(done, outcome)
    return done


def compose_all(writing: Writing, clock: Clock, sender: Sender, *, patient: bool = False) -> Composed:
    """Give every waiting notice its mail, some recipients a transaction."""
    made = withdrawn = 0
    while True:
        with writing(clock()) as work:
            round_ = compose(work, sender, patient=patient)
        if not round_.mails and not round_.withdrawn:
            return Composed(made, withdrawn)
        made += round_.mails
        withdrawn += round_.withdrawn


def _count(done: Delivered, outcome: Delivery | None) -> None:
    match outcome.outcome if outcome else None:
        case "sent":
            done.sent += 1
        case "later":
            done.later += 1
        case "refused":
            done.refused += 1
        case _:
            done.doubtful += 1


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


def retire(work: Work) -> None:
    """Take mails that no longer hold out of the queue: given up after 72 hours, or taken apart.

    A mail is taken apart when a day has passed since it was worded, or one of its notices no longer holds;
    the notices wait for a new one.
    """
    for mail in work.session.scalars(
        select(Mail)
        .where(Mail.state == "pending", Mail.expires_at <= work.now, Mail.attempts > 0)
        .with_for_update(skip_locked=True)
    ):
        mail.state = "failed"
        mail.reply = f"{GIVEN_UP}: {mail.reply}"[:500] if mail.reply else GIVEN_UP
    work.session.flush()
    occasions = sorted((*work.registry.notification_rules, access.OWN_OCCASION))
    reminders = select(Notice.mail_id).where(Notice.mail_id.is_not(None), Notice.occasion.in_(occasions))
    waiting = work.session.scalars(
        select(Mail)
        .where(
            Mail.state == "pending",
            Mail.resent == 0,
            Mail.next_attempt_at <= work.now,
            Mail.id.in_(reminders),
        )
        .with_for_update(skip_locked=True)
    ).all()
    doubtful = outdated(work, waiting)
    for mail in waiting:
        if danish_today(mail.created_at) != work.today:
            mail.state, mail.reply = "stale", NEW_DAY
        elif mail.id in doubtful:
            mail.state, mail.reply = "stale", NO_LONGER_HOLDS
    work.session.flush()
    work.session.execute(
        update(Notice)
        .where(Notice.mail_id.in_([mail.id for mail in waiting if mail.state == "stale"]))
        .values(mail_id=None)
    )


def claim(work: Work, channels: Collection[str], owner: str, lease: timedelta) -> Claim | None:
    """The oldest mail that is due, now this process's own; None when nothing is."""
    known = {key for key in channels if key in work.registry.channels}
    mail = work.session.scalar(
        select(Mail)
        .where(Mail.state == "pending", Mail.next_attempt_at <= work.now, Mail.channel.in_(known))
        .order_by(Mail.next_attempt_at, Mail.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if mail is None:
        return None
    mail.state = "claimed"
    mail.lease_owner, mail.lease_until = owner, work.now + lease
    mail.fence += 1
    mail.attempts += 1
    return Claim(
        mail.id,
        mail.fence,
        work.registry.channels[mail.channel],
        Message(
            address=mail.address,
            subject=mail.subject,
            text=mails.plain_text(mail.content),
            content=mail.content,
            message_id=mail.message_id,
        ),
        work.plugin_context(plugin_of(mail.channel), tables=False),
    )


def mark_in_doubt(work: Work, claimed: Claim) -> None:
    """Store that the next bytes decide; raises LeaseLostError when the mail is no longer this claim's."""
    changed = rows_changed(
        work.session,
        update(Mail)
        .where(
            Mail.id == claimed.mail_id,
            Mail.fence == claimed.fence,
            Mail.state == "claimed",
            Mail.lease_until >= work.now,
        )
        .values(state="in_doubt", lease_until=work.now + DOUBT),
    )
    if changed != 1:
        raise LeaseLostError(claimed.mail_id)


def _converse(
    writing: Writing, clock: Clock, claimed: Claim, patience: float
) -> tuple[Delivery | None, bool]:
    """What the channel answered within ``patience`` seconds (None: left in doubt), and whether it is certain.

    A time-out on the socket is per read and a dripping relay never meets it, so the whole conversation has a
    thread of its own that is abandoned. Should that thread wake up later, its claim is no longer valid.
    """
    answers: list[Delivery] = []
    doubts: list[bool] = []

    def in_doubt() -> None:
        with writing(clock()) as work:
            mark_in_doubt(work, claimed)
        doubts.append(True)

    def send() -> None:
        try:
            answers.append(claimed.channel.send(claimed.message, claimed.context, in_doubt))
        except LeaseLostError:
            log.warning("mail %s: the lease was lost before the final dot", claimed.mail_id)
        except BaseException as fault:
            log.warning("mail %s: channel %s failed: %r", claimed.mail_id, claimed.channel.key, fault)

    thread = threading.Thread(target=send, name=f"mail-{claimed.mail_id}", daemon=True)
    thread.start()
    thread.join(patience)
    if answers and isinstance(answers[0], Delivery):
        return answers[0], True
    if doubts:
        return None, True
    return Delivery(outcome="later", reply=TOO_SLOW if thread.is_alive() else BROKEN), False


def settle(work: Work, claimed: Claim, outcome: Delivery | None, *, certain: bool = True) -> None:
    """Store what became of it. A mail in doubt stays so; a claim that was overtaken changes nothing.

    An outcome that is not ``certain`` only counts while the mail is not in doubt: the abandoned conversation
    may have come to its final dot just now.
    """
    states = ["claimed", "in_doubt"] if certain else ["claimed"]
    mail = work.session.scalar(
        select(Mail)
        .where(Mail.id == claimed.mail_id, Mail.fence == claimed.fence, Mail.state.in_(states))
        .with_for_update()
    )
    if mail is None or outcome is None:
        return
    mail.reply = outcome.reply[:500]
    match outcome.outcome:
        case "sent":
            mail.state, mail.sent_at = "sent", work.now
        case "refused":
            mail.state = "failed"
        case _:
            _put_off(mail, outcome, work.now)
    mail.lease_owner = None
    mail.lease_until = None


def _put_off(mail: Mail, outcome: Delivery, now: datetime) -> None:
    mail.state = "pending"
    if outcome.retry_after is not None:
        mail.attempts -= 1
        mail.next_attempt_at = now + timedelta(seconds=outcome.retry_after)
        return
    minutes = BACK_OFF[min(mail.attempts, len(BACK_OFF)) - 1]
    mail.next_attempt_at = now + timedelta(minutes=minutes * random.uniform(1.0, 1.25))
