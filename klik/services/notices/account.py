"""The account of the notices: who was to be told what, why that one, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from klik.domain.calendar import day_begins
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
MOST_OF_TASK = 300
RESEND_VALIDITY = timedelta(hours=72)

STATE = case(
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
    due_at: datetime
    about_day: date | None
    sent_at: datetime | None
    attempts: int
    resent: bool
    read: bool
    subject: str | None
    reply: str | None
    message_id: str | None
    resendable: bool

    @property
    def state_label(self) -> str:
        """The state in Danish."""
        return STATES[self.state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which rows of the account are wanted; empty means all.

    ``recipient`` is a part of a name or an address; the days are Danish ones, both included.
    """

    states: frozenset[str] = frozenset()
    occasions: frozenset[str] = frozenset()
    municipalities: frozenset[int] = frozenset()
    recipient: str = ""
    first_day: date | None = None
    last_day: date | None = None


def _rows(work: Work, *conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            Notice,
            STATE.label("state"),
            Mail.reply,
            Mail.sent_at,
            Mail.attempts,
            Mail.resent,
            Mail.subject,
            Mail.message_id,
            Mail.state.label("mail_state"),
            Person.name,
            Municipality.name.label("municipality"),
        )
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .outerjoin(Person, Person.id == Notice.person_id)
        .outerjoin(Municipality, Municipality.id == Notice.municipality_id)
        .where(*conditions)
    )


def _shown(work: Work, found: Any) -> NoticeRow:
    notice, state, reply, sent_at, attempts, resent, subject, message_id, mail_state, name, municipality = (
        found
    )
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
        due_at=notice.due_at,
        about_day=notice.about_day,
        sent_at=sent_at,
        attempts=attempts or 0,
        resent=bool(resent),
        read=notice.read_at is not None,
        subject=subject,
        reply=reply,
        # Where a mail came from and went is for those who run the mails.
        message_id=message_id if work.actor is None or work.actor.kombit else None,
        resendable=mail_state in RESENDABLE and notice.withdrawn_at is None,
    )


def _wanted(work: Work, question: Question) -> list[ColumnElement[bool]]:
    conditions = [access.notices(work)]
    if question.states:
        conditions.append(STATE.in_(sorted(question.states)))
    if question.occasions:
        conditions.append(Notice.occasion.in_(sorted(question.occasions)))
    if question.municipalities:
        conditions.append(Notice.municipality_id.in_(sorted(question.municipalities)))
    if question.recipient:
        named = select(Person.id).where(Person.name.icontains(question.recipient, autoescape=True))
        conditions.append(
            or_(
                Notice.person_id.in_(named),
                Notice.address.icontains(question.recipient, autoescape=True),
            )
        )
    if question.first_day:
        conditions.append(Notice.created_at >= day_begins(question.first_day))
    if question.last_day:
        conditions.append(Notice.created_at < day_begins(question.last_day + timedelta(days=1)))
    return conditions


def rows(work: Work, question: Question, *, first: int = 0, most: int | None = None) -> Sequence[NoticeRow]:
    """The rows the actor may see, newest first."""
    statement = _rows(work, *_wanted(work, question)).order_by(Notice.id.desc()).offset(first)
    return [_shown(work, found) for found in work.session.execute(statement.limit(most))]


def counts(work: Work, question: Question) -> Mapping[str, int]:
    """How many rows there are in each state."""
    statement = (
        select(STATE, func.count())
        .select_from(Notice)
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .where(*_wanted(work, question))
        .group_by(STATE)
    )
    found = {state: number for state, number in work.session.execute(statement)}
    return {state: found.get(state, 0) for state in STATES}


def occasions(work: Work) -> Sequence[str]:
    """The occasions that occur in what the actor may see."""
    return work.session.scalars(
        select(Notice.occasion).where(access.notices(work)).distinct().order_by(Notice.occasion)
    ).all()


def of_task(work: Work, task: MunicipalTask) -> Sequence[NoticeRow]:
    """What has been told about a municipal task, oldest first, as far as the actor may see it."""
    if (
        work.actor is not None
        and not work.actor.kombit
        and work.actor.municipality_id != task.municipality_id
    ):
        return ()
    statement = _rows(work, access.notices(work), Notice.municipal_task_id == task.id)
    newest = statement.order_by(Notice.id.desc()).limit(MOST_OF_TASK)
    return [_shown(work, found) for found in work.session.execute(newest)][::-1]


def carried(work: Work, notice_id: int) -> NoticeRow:
    """The notice that a mail has carried, when the actor may see it; raises NotFoundError."""
    found = work.session.execute(
        _rows(work, access.notices(work), Notice.id == notice_id, Notice.mail_id.is_not(None))
    ).first()
    if found is None:
        raise NotFoundError
    return _shown(work, found)


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
