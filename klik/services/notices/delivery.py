"""Handing mails over: claimed with a lease, marked in doubt just before the final dot, then settled.

pending → claimed → in_doubt → sent | failed, or back to pending. A crash before the final dot cannot have sent
anything, so the mail is tried again. A crash after it leaves the mail in doubt; after half an hour it is sent
once more under the same Message-ID, marked as such, and counted. No transaction is open while anything is sent.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

from klik.plugins.contributions import Delivery
from klik.services.notices.claiming import LEASE
from klik.services.notices.composing import Composed, compose
from klik.services.notices.conversing import Clock, Terms, Traffic, Writing
from klik.services.notices.mails import Sender
from klik.services.notices.settling import give_up, recover, retire, take_apart_old

PATIENCE = 60.0  # seconds a whole conversation may take
PORTION = 500  # mails made before they are sent: nobody waits until 98,000 are made, and memory is bounded


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
    done = Delivered()
    with writing(clock()) as work:
        done.resent = recover(work)
        give_up(work)
    taken_apart = True
    while taken_apart:
        with writing(clock()) as work:
            taken_apart = take_apart_old(work) > 0
    terms = Terms(
        sender=sender, channels=channels, owner=owner or owner_name(), patience=patience, lease=lease
    )
    traffic = Traffic(writing, clock, terms, stop)
    # What is taken out of the queue to be worded anew is worded and sent in the same run.
    for _round in range(2):
        last: str | None = ""
        stale = 0
        while last is not None:
            made = compose_all(writing, clock, sender, patient=patient, after=last, most=PORTION, stop=stop)
            done.composed += made.mails
            done.withdrawn += made.withdrawn
            last = made.last
            stale += _send(writing, clock, traffic, done)
            if stop():
                return done
        if not stale:
            break
    return done


def _send(writing: Writing, clock: Clock, traffic: Traffic, done: Delivered) -> int:
    """Look at what is due again and send it, a portion at a time; how many mails no longer held."""
    stale = 0
    while not traffic.stopped:
        with writing(clock()) as work:
            checked = retire(work, traffic.channels)
        if checked is None:
            break
        stale += checked.stale
        outcomes = traffic.run(checked)
        for outcome in outcomes:
            _count(done, outcome)
        if not outcomes and not checked.stale:
            break
    return stale


def compose_all(
    writing: Writing,
    clock: Clock,
    sender: Sender,
    *,
    patient: bool = False,
    after: str = "",
    most: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Composed:
    """Give waiting notices their mail, some recipients a transaction; all of them, or until about so many mails.

    ``last`` of what comes back is where to go on ``after``, None when everybody has been looked at.
    """
    made = withdrawn = 0
    last: str | None = after
    while last is not None and (most is None or made < most) and not stop():
        with writing(clock()) as work:
            round_ = compose(work, sender, patient=patient, after=last)
        made += round_.mails
        withdrawn += round_.withdrawn
        last = round_.last
    return Composed(made, withdrawn, last)


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
