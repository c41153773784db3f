"""Thirty days after somebody's last access ended, klik forgets who it was; where they are still at work, it keeps them.

GDPR article 5(1)(d) and (e); reliability P3: nobody past due.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, or_, select

from klik.models import Departure, Membership, Person
from klik.services.people import privacy
from klik.services.work import Work

KEPT = timedelta(days=30)


def remove_due(work: Work) -> int:
    """Anonymise everybody whose thirty days are over; returns how many. For the job ``people``, once a day."""
    people = due(work)
    for person in people:
        privacy.anonymise(work, person)
    return len(people)


def due(work: Work) -> Sequence[Person]:
    """Who has had access nowhere for thirty days; nobody whose departure is still to be carried out."""
    leaving = select(Departure.person_id).where(
        Departure.completed_at.is_(None), Departure.regretted_at.is_(None)
    )
    at_work = select(Membership.person_id).where(Membership.active.is_(True))
    ended = (
        select(func.max(_ended()))
        .where(Membership.person_id == Person.id)
        .correlate(Person)
        .scalar_subquery()
    )
    return work.session.scalars(
        select(Person)
        .where(
            Person.anonymised_at.is_(None),
            or_(Person.active.is_(False), Person.id.not_in(at_work)),
            Person.id.not_in(leaving),
            ended <= work.today - KEPT,
        )
        .order_by(Person.id)
    ).all()


def is_forgotten(member: Membership, today: date) -> bool:
    """Whether it ended thirty days ago or more, so that the place it was in no longer knows the name."""
    return not member.active and (member.ended_on or member.since) <= today - KEPT


def forgotten_on(member: Membership) -> date | None:
    """The day on which this place forgets who it was; None while the access is open."""
    if member.active and member.person.active:
        return None
    return (member.ended_on or member.since) + KEPT


def _ended() -> ColumnElement[date]:
    # Whoever was closed before klik noted the day has been closed since the beginning at the latest.
    return func.coalesce(Membership.ended_on, Membership.since)
