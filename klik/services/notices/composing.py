"""Gathering waiting notices into one mail a recipient; each notice is looked at again before it goes."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, exists, select

from klik.domain import mail_hours
from klik.domain.deadlines import danish_today
from klik.models import Mail, Notice
from klik.services.notices import actions, checking, grouping, ledger, mail_times, mails, quiet, wording
from klik.services.notices.bounces import instead
from klik.services.notices.checking import Facts, withdraw
from klik.services.notices.ledger import MAIL
from klik.services.notices.mails import AddressUnusableError, Sender
from klik.services.notices.unread import BAD_ADDRESS
from klik.services.notices.wording import Letter
from klik.services.work import Work

# More would be fewer statements a mail, but who else wants to write waits until a round is stored.
ADDRESSES = 50
VALIDITY = timedelta(hours=72)
LEAST_VALIDITY = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Composed:
    """What a round of composing did: mails made, notices withdrawn, and the last address it came to.

    ``last`` is None when there was nobody left to write to.
    """

    mails: int
    withdrawn: int
    last: str | None


def compose(work: Work, sender: Sender, *, patient: bool = False, after: str = "") -> Composed:
    """Give waiting notices of the next recipients their mail, by address, after that of the round before.

    ``patient``: only what is due, so that everybody gets their mail of the day at their own hour; otherwise all that
    waits. The rows are locked and given their mail in one transaction, so two processes never mail the same notice.
    """
    last, notices = _due(work, after) if patient else _waiting(work, after)
    facts = checking.facts_of(work, notices)
    keep, withdrawn = checking.check(work, notices, facts)
    returned = [notice for notice in notices if notice.withdrawal_reason == ledger.BOUNCES]
    instead.tell_anew(work, returned, facts.hard)
    checking.reword(work, keep, facts)
    soon = grouping.soon_red(work, sender, keep, facts)
    acting = actions.links_of(work, sender, keep, facts.tasks)
    made: list[tuple[Mail, Sequence[Notice]]] = []
    groups: dict[object, list[Notice]] = defaultdict(list)
    for notice in keep:
        # A mailbox without a person may be shared by several municipalities; their words must not meet in it.
        whose = notice.person_id or (notice.address.casefold(), notice.municipality_id)
        groups[notice.channel, whose].append(notice)
    for group in groups.values():
        person_id = group[0].person_id or 0
        extra = soon.get(person_id, ()) if _has_reminder(work, group) else ()
        letter = grouping.letter(work, sender, group, facts, extra, acting)
        mail = _mail(work, sender, group, facts, letter)
        if mail is None:
            withdrawn += len(group)
        else:
            made.append((mail, group))
    _store(work, made)
    return Composed(len(made), withdrawn, last)


def _has_reminder(work: Work, notices: Sequence[Notice]) -> bool:
    return any(checking.is_reminder(work, notice) for notice in notices)


def outdated(work: Work, queued: Collection[int]) -> set[int]:
    """Those of these mails, by their ids, that carry a notice which no longer holds."""
    if not queued:
        return set()
    notices = work.session.scalars(select(Notice).where(Notice.mail_id.in_(queued))).all()
    facts = checking.facts_of(work, notices)
    return {
        notice.mail_id
        for notice in notices
        if notice.mail_id and checking.reason_to_withdraw(work, notice, facts)
    }


def _due(work: Work, after: str) -> tuple[str | None, Sequence[Notice]]:
    """What is due of some recipients; what missed its day's mail waits until a mail of the day may go."""
    due = Notice.due_at <= work.now
    # Mostly nothing is, while thousands wait for the morning: that is answered by the hour, not by the addresses.
    if not work.session.scalar(select(exists().where(*_unmailed(work), due))):
        return None, ()
    last, notices = _waiting(work, after, due)
    return last, _held_back(work, [notice for notice in notices if notice.due_at <= work.now])


def _held_back(work: Work, notices: Sequence[Notice]) -> Sequence[Notice]:
    """Those that may go now; the others are moved to the next hour at which their person is mailed."""
    missed = [
        notice
        for notice in notices
        if danish_today(notice.due_at) != work.today and notice.channel == ledger.MAIL
    ]
    if not missed:
        return notices
    times = mail_times.of_people(work, [notice.person_id for notice in missed])
    held = set()
    for notice in missed:
        if times.at_once(notice.person_id, notice.occasion):
            continue
        due_at = mail_hours.catching_up(work.now, times.hour(notice.person_id))
        if due_at > work.now:
            notice.due_at = due_at
            held.add(notice.id)
    work.session.flush()
    return [notice for notice in notices if notice.id not in held]


def _unmailed(work: Work) -> tuple[ColumnElement[bool], ...]:
    return Notice.mail_id.is_(None), Notice.withdrawn_at.is_(None), quiet.is_awake(work)


def _waiting(work: Work, after: str, *conditions: ColumnElement[bool]) -> tuple[str | None, Sequence[Notice]]:
    """The last of the next addresses where a notice meets the conditions, and all that waits for these addresses.

    By address, since the same municipality's recipients then come apart: a mail server gets few mails at a time.
    """
    addresses = work.session.scalars(
        select(Notice.address)
        .where(*_unmailed(work), Notice.address > after, *conditions)
        .distinct()
        .order_by(Notice.address)
        .limit(ADDRESSES)
    ).all()
    if not addresses:
        return None, ()
    notices = work.session.scalars(
        select(Notice)
        .where(*_unmailed(work), Notice.address.in_(addresses))
        .order_by(Notice.id)
        .with_for_update(skip_locked=True)
    ).all()
    return addresses[-1], notices


def _mail(work: Work, sender: Sender, notices: Sequence[Notice], facts: Facts, letter: Letter) -> Mail | None:
    """The mail of these notices, to be stored; None, and they are withdrawn, when nothing can be sent there."""
    person = facts.people.get(notices[0].person_id or 0)
    address = person.email if person else notices[0].address
    rendered = wording.notices_mail(letter, sender.base_url)
    message_id = f"<{uuid.uuid4().hex}@{sender.address.rpartition('@')[2]}>"
    try:
        # A channel beside the mail has no address; what it gets is the text, and the bytes for the account.
        to = address if notices[0].channel == MAIL else sender.address
        content = mails.build(sender, to, rendered, message_id, work.now)
    except AddressUnusableError:
        for notice in notices:
            withdraw(work, notice, BAD_ADDRESS)
        return None
    return Mail(
        message_id=message_id,
        channel=notices[0].channel,
        person_id=person.id if person else None,
        address=address,
        subject=rendered.subject,
        content=content,
        state="pending",
        next_attempt_at=work.now,
        created_at=work.now,
        expires_at=max(min(notice.created_at for notice in notices) + VALIDITY, work.now + LEAST_VALIDITY),
    )


def _store(work: Work, made: Sequence[tuple[Mail, Sequence[Notice]]]) -> None:
    """Store the round's mails and which notices each carries, in two statements."""
    work.session.add_all(mail for mail, _ in made)
    work.session.flush()
    for mail, notices in made:
        for notice in notices:
            notice.mail_id, notice.address = mail.id, mail.address
    work.session.flush()
