"""Everybody's own notices: what is new, what they asked to be reminded of, and what they have read.

A notice stands here from the moment it is written, whenever its mail goes, and also when no mail can go because
the address does not work. Snoozed, it steps back until a Danish day and then stands on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update

from klik.db import rows_changed
from klik.domain import wake_days
from klik.domain.calendar import day_heading, in_denmark, long_date, weekday
from klik.domain.deadlines import danish_today
from klik.domain.errors import InputError
from klik.models import Mail, Municipality, Notice
from klik.services.errors import NotFoundError, RefusedError
from klik.services.notices.account import STATE
from klik.services.notices.occasions import occasion_label
from klik.services.notices.unread import is_own, is_unread
from klik.services.work import Work

MOST_SNOOZED = 90  # days ahead


class Pile(StrEnum):
    """Where in the inbox a notice lies, in the order they are shown."""

    REMINDED = "mindet"
    UNREAD = "ulaest"
    SNOOZED = "udsat"
    READ = "laest"


PILES = {
    Pile.REMINDED: "Du bad om at blive mindet",
    Pile.UNREAD: "Ulæste",
    Pile.SNOOZED: "Udsat til senere",
    Pile.READ: "Læst",
}
_NEXT = (
    ("/opgaver/", "Åbn opgaven"),
    ("/roller", "Se rollen"),
    ("/filtre/", "Åbn filteret"),
    ("/sletning", "Se sletningen"),
    ("/eksport", "Hent udtrækket"),
    ("/personer", "Se personerne"),
    ("/udgivelser", "Se udgivelsen"),
    ("/systemer", "Se systemet"),
    ("/varsler", "Se varslerne"),
    ("/nyhedsbreve", "Læs nyhedsbrevet"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One of the own notices; ``mail`` says in few words how far its mail is, ``next`` what the link leads to."""

    id: int
    occasion: str
    heading: str
    sentence: str
    municipality: str | None
    reason: str
    path: str
    next: str
    mail: str
    pile: Pile
    created_at: datetime
    snoozed_until: date | None

    @property
    def read(self) -> bool:
        """Whether it counts as read."""
        return self.pile is Pile.READ


@dataclass(frozen=True, slots=True)
class Day:
    """The notices of one Danish day."""

    heading: str
    letters: tuple[Letter, ...]


@dataclass(frozen=True, slots=True)
class Heap:
    """One of the piles, day by day, the newest first."""

    pile: Pile
    days: tuple[Day, ...]

    @property
    def heading(self) -> str:
        """What stands over it."""
        return PILES[self.pile]


def _own(work: Work) -> ColumnElement[bool]:
    return is_own(work.actor.person_id if work.actor else 0)


def _is_unread(work: Work) -> ColumnElement[bool]:
    return is_unread(work.today)


def unread(work: Work) -> int:
    """How many of the actor's notices are unread and not put off; one statement over the index of the person."""
    return work.session.scalar(select(func.count()).where(_own(work), _is_unread(work))) or 0


def count(work: Work) -> int:
    """How many notices the actor has."""
    return work.session.scalar(select(func.count()).where(_own(work))) or 0


def letters(work: Work, *, unread_only: bool = False, first: int = 0, most: int = 50) -> Sequence[Letter]:
    """The actor's notices: reminded, unread, put off, read; in each the newest first."""
    # In the database as here: a page of fifty must be the fifty that come first.
    place = case(
        (Notice.read_at.is_not(None), 3),
        (Notice.snoozed_until.is_(None), 1),
        (Notice.snoozed_until <= work.today, 0),
        else_=2,
    )
    statement = (
        select(Notice, place, STATE, Mail.sent_at, Municipality.name.label("municipality"))
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .outerjoin(Municipality, Municipality.id == Notice.municipality_id)
        .where(_own(work), *([_is_unread(work)] if unread_only else []))
        .order_by(place, Notice.created_at.desc(), Notice.id.desc())
        .offset(first)
        .limit(most)
    )
    return [_letter(work, row) for row in work.session.execute(statement)]


def heaps(shown: Sequence[Letter], today: date) -> Sequence[Heap]:
    """The notices as they are read: pile by pile, day by day."""
    return [
        Heap(
            pile,
            tuple(
                Day(day_heading(day, today), tuple(of_day))
                for day, of_day in groupby(of_pile, lambda letter: danish_today(letter.created_at))
            ),
        )
        for pile, of_pile in groupby(shown, lambda letter: letter.pile)
    ]


def _letter(work: Work, row: Any) -> Letter:
    notice, place, state, sent_at, municipality = row
    return Letter(
        id=notice.id,
        occasion=occasion_label(work.registry, notice.occasion),
        heading=notice.heading,
        sentence=notice.sentence,
        municipality=municipality,
        reason=notice.reason,
        path=notice.path,
        next=next((words for start, words in _NEXT if notice.path.startswith(start)), "Åbn"),
        mail=_mail_words(work, notice, state, sent_at),
        pile=list(Pile)[place],
        created_at=notice.created_at,
        snoozed_until=notice.snoozed_until,
    )


def _mail_words(work: Work, notice: Notice, state: str, sent_at: datetime | None) -> str:
    if notice.withdrawn_at is not None:
        return f"ingen mail: {notice.withdrawal_reason}"
    if state == "sent" and sent_at:
        return f"mailet {_when(work, sent_at)}"
    if state == "pending" and notice.mail_id is None and notice.due_at > work.now:
        return f"kommer med mailen {_when(work, notice.due_at)}"
    return {
        "pending": "kommer med den næste mail",
        "claimed": "mailen er på vej",
        "in_doubt": "det er uvist, om mailen kom frem",
        "sent": "mailet",
        "failed": "mailen blev afvist",
        "bounced": "mail kom retur",
    }[state]


def _when(work: Work, moment: datetime) -> str:
    """ "kl. 07.02" today, "mandag kl. 07.00" within six days either way, else the whole date."""
    local = in_denmark(moment)
    ahead = (local.date() - work.today).days
    hour = f"kl. {local:%H.%M}"
    if ahead == 0:
        return hour
    near = {1: "i morgen", -1: "i går"}.get(ahead)
    if near is None and 0 < ahead < 7:
        near = weekday(local.date())
    return f"{near or long_date(local.date())} {hour}"


def open_one(work: Work, notice_id: int) -> str:
    """The address of the page a notice leads to; all about the same task is read with it.

    Raises NotFoundError for anything but one of the actor's own.
    """
    notice = _one(work, notice_id)
    same = Notice.id == notice_id
    if notice.municipal_task_id is not None:
        same = Notice.municipal_task_id == notice.municipal_task_id
    _mark(work, and_(_own(work), same, or_(_is_unread(work), Notice.id == notice_id)))
    return notice.path


def mark_read(work: Work, notice_id: int) -> None:
    """Mark one of the actor's own notices as read; raises NotFoundError for any other."""
    _mark(work, Notice.id == _one(work, notice_id).id)


def mark_unread(work: Work, notice_id: int) -> None:
    """Take one of the own notices out again, read or put off; raises NotFoundError for any other."""
    notice = _one(work, notice_id)
    notice.read_at = notice.snoozed_until = None


def snooze(work: Work, notice_id: int, typed: str) -> date:
    """Put one of the own notices off until a Danish day; raises NotFoundError, and RefusedError for the day."""
    notice = _one(work, notice_id)
    try:
        day = wake_days.chosen(typed, work.today, MOST_SNOOZED)
    except InputError as wrong:
        raise RefusedError({"dag": f"Mind mig igen: {wrong}"}) from wrong
    notice.read_at, notice.snoozed_until = None, day
    return day


def mark_all_read(work: Work) -> int:
    """Mark all of the own unread notices as read, those put off excepted; how many they were."""
    return _mark(work, and_(_own(work), _is_unread(work)))


def _one(work: Work, notice_id: int) -> Notice:
    found = work.session.scalar(select(Notice).where(Notice.id == notice_id, _own(work)))
    if found is None:
        raise NotFoundError
    return found


def _mark(work: Work, which: ColumnElement[bool]) -> int:
    return rows_changed(
        work.session,
        update(Notice).where(which, Notice.read_at.is_(None)).values(read_at=work.now, snoozed_until=None),
    )
