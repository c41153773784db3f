"""Rows of the ledger and mails in a state that cannot come about: found, named, mended.

Nothing is mailed again that may have gone: a mail that was never claimed has not; one that has a moment of
hand-over has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, func, or_, select, update
from sqlalchemy.orm import aliased

from klik.db import rows_changed
from klik.models import Heartbeat, Mail, Notice, Person
from klik.services.control.findings import LOOKED_BACK, Broken, Findings
from klik.services.control.heartbeat import DISPATCHER, SILENT
from klik.services.newsletters.sending import OCCASION as NEWSLETTER
from klik.services.notices.ledger import MAIL
from klik.services.work import Work

LONGEST_WAIT = timedelta(hours=24)
# A daily mail waits over the longest string of holidays, and a person may put a task off for fourteen days.
FARTHEST = timedelta(days=16)
PAST_LEASE = timedelta(hours=1)
DRAINED = timedelta(hours=2)  # by which what waited for the dispatcher has its mail
SENT_TO_ANOTHER = "skrives om, fordi modtageren var forkert"
PORTION = 500
_PERSON = re.compile(r"/p(\d+)$")

Heal = Callable[[Work, tuple[int, ...]], int]


def look(work: Work, found: Findings) -> None:
    """Look at everything of the last thirty days and all that waits."""
    for words, ids, heal in (
        ("pegede på en mail, der ikke findes", _notices(work, *_lost(work)), _let_go),
        ("hørte til en mail, der er taget ud af køen", _notices(work, *_abandoned()), _let_go),
        ("var trukket tilbage uden grund", _notices(work, *_no_reason()), _put_back),
        (
            "havde en grund til at være trukket tilbage, men var det ikke",
            _notices(work, *_only_reason()),
            _put_back,
        ),
        ("skulle først sendes om flere uger", _notices(work, *_far_ahead(work)), _now),
        ("ventede i mere end et døgn", _notices(work, *_standing_still(work)), _to_mail),
        ("stod på en forkert person", _swapped(work), _restore_person),
        ("lå i en mail, der aldrig var prøvet afleveret", _mails(work, _never_tried()), _try),
        ("lå i en mail, der stod som ventende, men er afleveret", _mails(work, _already_sent()), _is_sent),
        ("manglede tidspunktet for afleveringen", _mails(work, _no_moment()), _sent_then),
        ("lå i en mail, som en afsender har sluppet", _mails(work, _past_lease(work)), _take_back),
        ("lå i en uvis mail uden frist", _mails(work, _doubt_for_ever(work)), _settle_doubt),
        ("lå i en mail, der først skulle prøves om lang tid", _mails(work, _put_off_far(work)), _try),
    ):
        if ids:
            found.broken.append(Broken(words, ids, heal))


def _notices(work: Work, *conditions: ColumnElement[bool]) -> tuple[int, ...]:
    return tuple(work.session.scalars(select(Notice.id).where(*conditions)))


def _mails(work: Work, condition: ColumnElement[bool]) -> tuple[int, ...]:
    recent = Mail.created_at >= work.now - LOOKED_BACK
    return tuple(work.session.scalars(select(Mail.id).where(recent, condition)))


def _lost(_work: Work) -> tuple[ColumnElement[bool], ...]:
    return (
        Notice.mail_id.is_not(None),
        Notice.occasion != NEWSLETTER,
        ~select(Mail.id).where(Mail.id == Notice.mail_id).correlate(Notice).exists(),
    )


def _abandoned() -> tuple[ColumnElement[bool], ...]:
    return Notice.mail_id.in_(select(Mail.id).where(Mail.state == "stale")), Notice.occasion != NEWSLETTER


def _no_reason() -> tuple[ColumnElement[bool], ...]:
    return (
        Notice.withdrawn_at.is_not(None),
        or_(Notice.withdrawal_reason.is_(None), func.trim(Notice.withdrawal_reason) == ""),
    )


def _only_reason() -> tuple[ColumnElement[bool], ...]:
    return Notice.withdrawn_at.is_(None), Notice.withdrawal_reason.is_not(None)


def _waiting() -> ColumnElement[bool]:
    return and_(Notice.mail_id.is_(None), Notice.withdrawn_at.is_(None))


def _far_ahead(work: Work) -> tuple[ColumnElement[bool], ...]:
    return _waiting(), Notice.due_at > work.now + FARTHEST


def _standing_still(work: Work) -> tuple[ColumnElement[bool], ...]:
    """Waiting for more than a day while others got their mail, or on a channel that nobody sends on.

    What waited because the dispatcher was away goes by itself when it comes back, and is not told of.
    """
    beat = work.session.get(Heartbeat, DISPATCHER)
    alive = beat is not None and work.now - beat.at <= SILENT
    known = sorted(work.registry.channels)
    others = work.session.scalar(
        select(func.max(Mail.created_at)).where(Mail.created_at <= work.now - DRAINED)
    )
    since = min(others, work.now - LONGEST_WAIT) if others and alive else None
    late = and_(Notice.due_at < since, Notice.channel.in_(known)) if since else None
    unknown = Notice.channel.not_in(known)
    return _waiting(), unknown if late is None else or_(late, unknown)


def _swapped(work: Work) -> tuple[int, ...]:
    """Rows whose key names another person than the row."""
    return tuple(
        work.session.scalars(
            select(Notice.id).where(
                Notice.created_at >= work.now - LOOKED_BACK,
                Notice.person_id.is_not(None),
                func.length(Notice.dedupe_key) < 200,
                Notice.dedupe_key.like("%/p%"),
                Notice.dedupe_key.not_like("%/p" + cast(Notice.person_id, String)),
                Notice.municipal_task_id.is_not(None),
            )
        )
    )


def _never_tried() -> ColumnElement[bool]:
    return and_(
        Mail.state.in_(["sent", "failed", "bounced"]), Mail.fence == 0, Mail.attempts == 0, Mail.resent == 0
    )


def _already_sent() -> ColumnElement[bool]:
    return and_(Mail.state.in_(["pending", "claimed", "in_doubt"]), Mail.sent_at.is_not(None))


def _no_moment() -> ColumnElement[bool]:
    return and_(Mail.state == "sent", Mail.sent_at.is_(None), Mail.fence > 0)


def _past_lease(work: Work) -> ColumnElement[bool]:
    over = or_(Mail.lease_until.is_(None), Mail.lease_until < work.now - PAST_LEASE)
    return and_(Mail.state == "claimed", over, Mail.sent_at.is_(None))


def _doubt_for_ever(work: Work) -> ColumnElement[bool]:
    never = or_(Mail.lease_until.is_(None), Mail.lease_until > work.now + FARTHEST)
    return and_(Mail.state == "in_doubt", never, Mail.sent_at.is_(None))


def _put_off_far(work: Work) -> ColumnElement[bool]:
    return and_(
        Mail.state == "pending", Mail.next_attempt_at > work.now + LONGEST_WAIT, Mail.sent_at.is_(None)
    )


def _change(work: Work, table: Any, ids: Sequence[int], **values: Any) -> int:
    return sum(
        rows_changed(
            work.session, update(table).where(table.id.in_(ids[start : start + PORTION])).values(**values)
        )
        for start in range(0, len(ids), PORTION)
    )


def _let_go(work: Work, ids: tuple[int, ...]) -> int:
    return _change(work, Notice, ids, mail_id=None, due_at=work.now)


def _put_back(work: Work, ids: tuple[int, ...]) -> int:
    return _change(work, Notice, ids, withdrawn_at=None, withdrawal_reason=None)


def _now(work: Work, ids: tuple[int, ...]) -> int:
    return _change(work, Notice, ids, due_at=work.now)


def _to_mail(work: Work, ids: tuple[int, ...]) -> int:
    return _change(work, Notice, ids, channel=MAIL, due_at=work.now)


def _restore_person(work: Work, ids: tuple[int, ...]) -> int:
    """The key tells whom the notice is for; a mail to the wrong one that has not gone is taken apart."""
    mended = 0
    mail = aliased(Mail)
    for notice, its in work.session.execute(
        select(Notice, mail).outerjoin(mail, mail.id == Notice.mail_id).where(Notice.id.in_(ids))
    ).all():
        named = _PERSON.search(notice.dedupe_key)
        person = work.session.get(Person, int(named[1])) if named else None
        if person is None:
            continue
        notice.person_id, notice.address = person.id, person.email
        mended += 1
        if its is not None and its.state == "pending" and its.person_id != person.id:
            its.state, its.reply = "stale", SENT_TO_ANOTHER
            work.session.execute(
                update(Notice).where(Notice.mail_id == its.id).values(mail_id=None, due_at=work.now)
            )
    work.session.flush()
    return mended


def _try(work: Work, ids: tuple[int, ...]) -> int:
    return _change(work, Mail, ids, state="pending", sent_at=None, next_attempt_at=work.now)


def _is_sent(work: Work, ids: tuple[int, ...]) -> int:
    return _change(work, Mail, ids, state="sent", lease_owner=None, lease_until=None)


def _sent_then(work: Work, ids: tuple[int, ...]) -> int:
    return _change(work, Mail, ids, sent_at=Mail.next_attempt_at)


def _take_back(work: Work, ids: tuple[int, ...]) -> int:
    return _change(
        work, Mail, ids, state="pending", lease_owner=None, lease_until=None, next_attempt_at=work.now
    )


def _settle_doubt(work: Work, ids: tuple[int, ...]) -> int:
    """Its time is over: the dispatcher sends it once more, marked, as it does with every doubt."""
    return _change(work, Mail, ids, lease_until=work.now - timedelta(seconds=1))
