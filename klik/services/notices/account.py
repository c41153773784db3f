"""The account of the notices: who was to be told what, why that one, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select, update

from klik.db import rows_changed
from klik.models import Mail, Municipality, MunicipalTask, Notice, Person
from klik.services import access, auditing
from klik.services.errors import NotFoundError, RefusedError
from klik.services.notices import mails
from klik.services.notices.occasions import channel_label, occasion_label
from klik.services.work import Work

WAITING = "pending"
WITHDRAWN = "withdrawn"
STATES: Mapping[str, str] = {
    "pending": "venter",
    "claimed": "taget",
    "in_doubt": "uvist",
    "sent": "afleveret",
    "failed": "afvist",
    "bounced": "retur",
    "withdrawn": "trukket tilbage",
}
# What a mail may be sent again from.
RESENDABLE = ("sent", "failed", "bounced")
RESEND_VALIDITY = timedelta(hours=72)

_STATE = case(
    (Notice.withdrawn_at.is_not(None), WITHDRAWN),
    (Notice.mail_id.is_(None), WAITING),
    (Mail.state == "stale", WAITING),
    else_=Mail.state,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """A notice as the account shows it; ``state`` is one of STATES, ``note`` the mail server's or klik's words."""

    id: int
    dedupe_key: str
    occasion: str
    occasion_label: str
    municipality: str | None
    recipient: str
    address: str
    reason: str
    heading: str
    sentence: str
    path: str
    state: str
    note: str | None
    created_at: datetime
    sent_at: datetime | None
    attempts: int
    resent: bool
    read: bool

    @property
    def state_label(self) -> str:
        """The state in Danish."""
        return STATES[self.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which rows of the account are wanted; empty means all."""

    states: frozenset[str] = frozenset()
    occasions: frozenset[str] = frozenset()
    municipalities: frozenset[int] = frozenset()


def _rows(work: Work, *conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            Notice,
            _STATE.label("state"),
            Mail.reply,
            Mail.sent_at,
            Mail.attempts,
            Mail.resent,
            Person.name,
            Municipality.name.label("municipality"),
        )
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .outerjoin(Person, Person.id == Notice.person_id)
        .outerjoin(Municipality, Municipality.id == Notice.municipality_id)
        .where(*conditions)
    )


def _shown(work: Work, found: Any) -> NoticeRow:
    notice, state, reply, sent_at, attempts, resent, name, municipality = found
    return NoticeRow(
        id=notice.id,
        dedupe_key=notice.dedupe_key,
        occasion=notice.occasion,
        occasion_label=occasion_label(work.registry, notice.occasion),
        municipality=municipality,
        recipient=name or channel_label(work.registry, notice.address),
        address=channel_label(work.registry, notice.address),
        reason=notice.reason,
        heading=notice.heading,
        sentence=notice.sentence,
        path=notice.path,
        state=state,
        note=notice.withdrawal_reason if state == WITHDRAWN else None if state == "sent" else reply,
        created_at=notice.created_at,
        sent_at=sent_at,
        attempts=attempts or 0,
        resent=bool(resent),
        read=notice.read_at is not None,
    )


def _wanted(work: Work, question: Question) -> list[ColumnElement[bool]]:
    conditions = [access.notices(work)]
    if question.states:
        conditions.append(_STATE.in_(sorted(question.states)))
    if question.occasions:
        conditions.append(Notice.occasion.in_(sorted(question.occasions)))
    if question.municipalities:
        conditions.append(Notice.municipality_id.in_(sorted(question.municipalities)))
    return conditions


def rows(work: Work, question: Question, *, first: int = 0, most: int | None = None) -> Sequence[NoticeRow]:
    """The rows the actor may see, newest first."""
    statement = _rows(work, *_wanted(work, question)).order_by(Notice.id.desc()).offset(first)
    return [_shown(work, found) for found in work.session.execute(statement.limit(most))]


def counts(work: Work, question: Question) -> Mapping[str, int]:
    """How many rows there are in each state."""
    statement = (
        select(_STATE, func.count())
        .select_from(Notice)
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .where(*_wanted(work, question))
        .group_by(_STATE)
    )
    found = {state: number for state, number in work.session.execute(statement)}
    return {state: found.get(state, 0) for state in STATES}


def occasions(work: Work) -> Sequence[str]:
    """The occasions that occur in what the actor may see."""
    return work.session.scalars(
        select(Notice.occasion).where(access.notices(work)).distinct().order_by(Notice.occasion)
    ).all()


def _own(work: Work) -> ColumnElement[bool]:
    person = work.actor.person_id if work.actor else 0
    return and_(
        Notice.person_id == person,
        Notice.occasion != access.SECRET_OCCASION,
        Notice.withdrawn_at.is_(None),
        Notice.due_at <= work.now,
    )


def inbox(work: Work, *, unread_only: bool = False, first: int = 0, most: int = 50) -> Sequence[NoticeRow]:
    """What the actor has been told, newest first."""
    unread = (Notice.read_at.is_(None),) if unread_only else ()
    statement = _rows(work, _own(work), *unread).order_by(Notice.id.desc()).offset(first).limit(most)
    return [_shown(work, found) for found in work.session.execute(statement)]


def inbox_count(work: Work, *, unread_only: bool = False) -> int:
    """How many notices the actor has."""
    unread = (Notice.read_at.is_(None),) if unread_only else ()
    return work.session.scalar(select(func.count()).where(_own(work), *unread)) or 0


def mark_read(work: Work, notice_id: int) -> None:
    """Mark one of the actor's own notices as read; raises NotFoundError for any other."""
    found = work.session.scalar(select(Notice.id).where(Notice.id == notice_id, _own(work)))
    if found is None:
        raise NotFoundError
    _mark(work, Notice.id == notice_id)


def mark_all_read(work: Work) -> int:
    """Mark all of the actor's own notices as read; how many were not."""
    return _mark(work, _own(work))


def _mark(work: Work, which: ColumnElement[bool]) -> int:
    return rows_changed(
        work.session, update(Notice).where(which, Notice.read_at.is_(None)).values(read_at=work.now)
    )


def of_task(work: Work, task: MunicipalTask) -> Sequence[NoticeRow]:
    """What has been told about a municipal task, oldest first, as far as the actor may see it."""
    if (
        work.actor is not None
        and not work.actor.kombit
        and work.actor.municipality_id != task.municipality_id
    ):
        return ()
    statement = _rows(work, access.notices(work), Notice.municipal_task_id == task.id)
    return [_shown(work, found) for found in work.session.execute(statement.order_by(Notice.id))]


def resend(work: Work, notice_id: int) -> str:
    """Queue the mail that carried a notice once more, marked as sent again; gives its address.

    Raises NotFoundError, and RefusedError when the mail is still under way.
    """
    mail = work.session.scalar(
        select(Mail)
        .join(Notice, Notice.mail_id == Mail.id)
        .where(Notice.id == notice_id, access.notices(work))
        .with_for_update(of=Mail)
    )
    if mail is None:
        raise NotFoundError
    if mail.state not in RESENDABLE:
        raise RefusedError(
            {"state": f"Mailen kan ikke sendes igen: den er {STATES.get(mail.state, mail.state)}."}
        )
    mail.state, mail.next_attempt_at, mail.expires_at = "pending", work.now, work.now + RESEND_VALIDITY
    mail.attempts, mail.sent_at, mail.reply, mail.resent = 0, None, None, 1
    mail.content = mails.resent(mail.content)
    auditing.record(work, "send-igen", f"mail/{mail.id}", {"notice": notice_id})
    return mail.address
