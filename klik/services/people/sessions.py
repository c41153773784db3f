"""Signing in: server-side sessions that die at logout, when a person is disabled, and when rights change."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, bindparam, case, delete, func, select, update
from sqlalchemy.orm import Session, aliased

from klik.db import rows_changed
from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.models import (
    DataStamp,
    LoginAttempt,
    LoginSession,
    Membership,
    MembershipSystem,
    Municipality,
    Notice,
    Person,
    stamps,
)
from klik.models.stamps import Part
from klik.services import auditing, quarantine
from klik.services.keeping import Stamps
from klik.services.notices.unread import is_own, is_unread
from klik.services.people import passwords
from klik.services.work import Actor, Work

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
SEEN_STEP = timedelta(minutes=1)
WINDOW = timedelta(minutes=15)
TRIES_PER_ACCOUNT = 5
TRIES_PER_ADDRESS = 50


class TooManyAttemptsError(Exception):
    """Too many wrong tries just now; ``minutes`` says how long to wait."""

    def __init__(self, minutes: int) -> None:
        super().__init__(str(minutes))
        self.minutes = minutes


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An open session: who, whether its last-seen time is due to be moved, and the stamps of what they may see.

    ``unread``: how many notices wait in the person's inbox, for the bell on every page. ``elsewhere``: whether the
    person has access in another place too, for the link that changes over. ``faults``: the stamp of how plug-ins fail.
    """

    actor: Actor
    session_id: str
    seen_is_old: bool
    stamps: Stamps
    unread: int
    elsewhere: bool
    faults: int


def _stamp(part: Part) -> ColumnElement[int]:
    raised = select(func.sum(DataStamp.stamp)).where(DataStamp.part == part.value)
    here = DataStamp.municipality_id.in_((stamps.EVERYONE, Membership.municipality_id))
    return case(
        (Membership.municipality_id.is_(None), raised.scalar_subquery()),
        else_=raised.where(here).correlate(Membership).scalar_subquery(),
    )


_OTHER = aliased(Membership)

# Every page begins with this one: columns, not entities, in a statement that is put together once.
_FOUND = (
    select(
        LoginSession.id,
        LoginSession.person_id,
        LoginSession.membership_id,
        LoginSession.epoch,
        LoginSession.seen_at,
        LoginSession.expires_at,
        Person.active.label("person_active"),
        Person.epoch.label("person_epoch"),
        Person.name,
        Person.email,
        Membership.person_id.label("owner_id"),
        Membership.active,
        Membership.level,
        Membership.municipality_id,
        Membership.organisation,
        Municipality.name.label("place"),
        # The very first thing that is read: whatever a page reads after it is at least as new.
        _stamp(Part.FRAME).label("frame_stamp"),
        _stamp(Part.TASKS).label("tasks_stamp"),
        # Counted along the index of the person's notices, in this statement rather than in one more on every page.
        select(func.count(Notice.id))
        .where(is_own(LoginSession.person_id), is_unread(bindparam("today", type_=Date)))
        .correlate(LoginSession)
        .scalar_subquery()
        .label("unread"),
        select(_OTHER.id)
        .where(
            _OTHER.person_id == LoginSession.person_id,
            _OTHER.id != LoginSession.membership_id,
            _OTHER.active.is_(True),
        )
        .correlate(LoginSession)
        .exists()
        .label("elsewhere"),
        quarantine.stamp().label("faults"),
    )
    .join(Person, Person.id == LoginSession.person_id)
    .join(Membership, Membership.id == LoginSession.membership_id)
    .outerjoin(Municipality, Municipality.id == Membership.municipality_id)
    .where(LoginSession.id == bindparam("digest"))
)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def find(session: Session, cookie: str | None, now: datetime) -> SignedIn | None:
    """Whom a browser's cookie stands for, or None when the session is over for any reason."""
    if not cookie or len(cookie) > 100:
        return None
    row = session.execute(_FOUND, {"digest": _digest(cookie), "today": danish_today(now)}).first()
    if row is None:
        return None
    alive = (
        row.person_active
        and row.active
        and row.owner_id == row.person_id
        and row.epoch == row.person_epoch
        and now < row.expires_at
        and now - row.seen_at < IDLE
    )
    if not alive:
        return None
    return SignedIn(
        _actor(session, row),
        row.id,
        now - row.seen_at > SEEN_STEP,
        _stamps(row),
        row.unread,
        row.elsewhere,
        int(row.faults),
    )


def _stamps(row: Any) -> Stamps:
    return Stamps(int(row.frame_stamp or 0), int(row.tasks_stamp or 0))


def actor_of(session: Session, membership_id: int, person_id: int) -> Actor | None:
    """Who a membership makes of a person just now, without a session; None when either is no longer active."""
    row = session.execute(
        select(
            Person.id.label("person_id"),
            Membership.id.label("membership_id"),
            Person.name,
            Person.email,
            Membership.level,
            Membership.municipality_id,
            Membership.organisation,
            Municipality.name.label("place"),
        )
        .join(Membership, Membership.person_id == Person.id)
        .outerjoin(Municipality, Municipality.id == Membership.municipality_id)
        .where(
            Membership.id == membership_id,
            Person.id == person_id,
            Person.active.is_(True),
            Membership.active.is_(True),
        )
    ).first()
    return _actor(session, row) if row else None


def _actor(session: Session, row: Any) -> Actor:
    level = Level(row.level)
    systems = (
        session.scalars(
            select(MembershipSystem.system_code).where(MembershipSystem.membership_id == row.membership_id)
        )
        if level.scope == "supplier"
        else ()
    )
    return Actor(
        person_id=row.person_id,
        membership_id=row.membership_id,
        name=row.name,
        email=row.email,
        level=level,
        municipality_id=row.municipality_id,
        place=row.place or row.organisation or "KOMBIT",
        systems=frozenset(systems),
    )


def sign_in(work: Work, email: str, password: str, address: str, browser: str) -> str | None:
    """Open a session and return its cookie, or None when mail or password is wrong (the same for both).

    Raises TooManyAttemptsError after five wrong tries for an account or fifty from an address in 15 minutes.
    The caller stores the failed attempt with ``note_failure``, in a transaction of its own.
    """
    email_key = email.strip().casefold()
    refuse_too_many(work, f"account:{email_key}", TRIES_PER_ACCOUNT)
    refuse_too_many(work, f"address:{address}", TRIES_PER_ADDRESS)
    person = work.session.scalar(select(Person).where(Person.email_key == email_key))
    right = passwords.matches(password, person.password_hash if person else None)
    membership = _membership(work.session, person) if person else None
    if not (person and right and person.active and membership):
        return None
    person.seen_at = work.now
    return _open(work, person, membership, browser)


def _membership(session: Session, person: Person) -> Membership | None:
    return session.scalar(
        select(Membership)
        .where(Membership.person_id == person.id, Membership.active.is_(True))
        .order_by(Membership.id)
        .limit(1)
    )


def _open(work: Work, person: Person, membership: Membership, browser: str) -> str:
    cookie = secrets.token_urlsafe(32)
    work.session.add(
        LoginSession(
            id=_digest(cookie),
            person_id=person.id,
            membership_id=membership.id,
            epoch=person.epoch,
            created_at=work.now,
            seen_at=work.now,
            expires_at=work.now + ABSOLUTE,
            browser=browser[:300],
        )
    )
    auditing.record(work, "log-ind", f"person/{person.id}", municipality_id=membership.municipality_id)
    return cookie


def refuse_too_many(work: Work, subject: str, most: int) -> None:
    """Raise TooManyAttemptsError when the subject ("address:…") has tried this often within the window."""
    tries, first = work.session.execute(
        select(func.count(), func.min(LoginAttempt.at)).where(
            LoginAttempt.subject == _digest(subject), LoginAttempt.at > work.now - WINDOW
        )
    ).one()
    if tries >= most:
        left = first + WINDOW - work.now
        raise TooManyAttemptsError(max(1, round(left.total_seconds() / 60)))


def note_failure(work: Work, email: str, address: str) -> None:
    """Remember a wrong try for the rate limit."""
    for subject in (f"account:{email.strip().casefold()}", f"address:{address}"):
        note_try(work, subject)


def note_try(work: Work, subject: str) -> None:
    """Remember one try of the subject."""
    work.session.add(LoginAttempt(subject=_digest(subject), at=work.now))


def sign_out(work: Work, cookie: str | None) -> None:
    """End the session: its cookie opens nothing any more, copies of it neither."""
    if cookie:
        work.session.execute(delete(LoginSession).where(LoginSession.id == _digest(cookie)))


def sign_out_everywhere(work: Work, person: Person) -> None:
    """End every session of a person: after a new password, a changed level, or being disabled."""
    person.epoch += 1
    work.session.execute(delete(LoginSession).where(LoginSession.person_id == person.id))


def touch(work: Work, session_id: str) -> None:
    """Note that the session was used just now."""
    work.session.execute(update(LoginSession).where(LoginSession.id == session_id).values(seen_at=work.now))


def switch(work: Work, session_id: str, membership_id: int) -> bool:
    """Go on in another membership of one's own (a person in two municipalities)."""
    if work.actor is None:
        return False
    membership = work.session.get(Membership, membership_id)
    if membership is None or membership.person_id != work.actor.person_id or not membership.active:
        return False
    work.session.execute(
        update(LoginSession).where(LoginSession.id == session_id).values(membership_id=membership.id)
    )
    return True


def sweep(work: Work) -> int:
    """Remove sessions that are over and attempts that no longer count; how many rows went."""
    gone = rows_changed(work.session, delete(LoginSession).where(LoginSession.expires_at < work.now))
    old = rows_changed(work.session, delete(LoginAttempt).where(LoginAttempt.at < work.now - WINDOW))
    return gone + old
