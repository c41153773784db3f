"""Calendar feeds by a secret address: made, renewed, revoked; and what one of them holds when it is fetched.

The rights are the membership's at every fetch, so a feed never shows more than its person would see. What was in a
feed and is not any more is told once more as cancelled, without any word of the task: whoever fetches may have lost
the right to read it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import unquote_plus

from sqlalchemy import func, select

from klik.domain.errors import InputError
from klik.domain.rights import Right
from klik.domain.status import OPEN_STATUSES
from klik.models import CalendarFeed, CalendarFeedEvent
from klik.services import access, auditing, filtering, free_text, listing
from klik.services.calendar_file import CancelledDay, Day
from klik.services.criteria import Criteria
from klik.services.errors import NotFoundError, RefusedError
from klik.services.listing import TaskRow
from klik.services.people import sessions
from klik.services.work import Work

MOST = 20
MOST_DAYS = 5_000
NAME_LIMIT = 80
QUERY_LIMIT = 4_000
FETCHES_AN_HOUR = 60
HOUR = timedelta(hours=1)
CANCELLED_KEPT = timedelta(days=90)


class FeedGoneError(Exception):
    """The feed was revoked, or its person may not use it any more."""


class TooOftenError(Exception):
    """The feed was fetched too often this hour; ``seconds`` says how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(str(seconds))
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Feed:
    """What a fetch gives; ``left_out`` counts days beyond the limit."""

    name: str
    days: tuple[Day, ...]
    cancelled: tuple[CancelledDay, ...]
    left_out: int
    several: bool


def own(work: Work) -> Sequence[CalendarFeed]:
    """The actor's feeds, the newest first."""
    actor = access.require(work, Right.EXPORT)
    return work.session.scalars(
        select(CalendarFeed)
        .where(CalendarFeed.person_id == actor.person_id, CalendarFeed.revoked_at.is_(None))
        .order_by(CalendarFeed.id.desc())
    ).all()


def make(work: Work, name: str, criteria: Criteria) -> tuple[CalendarFeed, str]:
    """A new feed and its secret, which is told this once. Raises RefusedError ("name")."""
    actor = access.require(work, Right.EXPORT)
    try:
        name = free_text.clean(name, field="Navn", limit=NAME_LIMIT, required=True, tick=False)
        query = criteria.filters_only().query()
        free_text.refuse_cpr(unquote_plus(query), field="Filteret", tick=False)
    except InputError as error:
        raise RefusedError({"name": str(error)}) from error
    if len(query) > QUERY_LIMIT:
        raise RefusedError(
            {"name": f"Filteret er for langt til en kalender ({len(query)} tegn; højst {QUERY_LIMIT})."}
        )
    selection = filtering.select_tasks(work, criteria)
    total = listing.count(work, selection).total
    if total > MOST_DAYS:
        raise RefusedError(
            {"name": f"Filteret giver {total} opgaver. En kalender kan højst have {MOST_DAYS}; afgræns det."}
        )
    if len(own(work)) >= MOST:
        raise RefusedError({"name": f"Du har allerede {MOST} kalendere. Luk en, før du laver en ny."})
    secret = _new_secret()
    feed = CalendarFeed(
        person_id=actor.person_id,
        membership_id=actor.membership_id,
        name=name,
        query=query,
        hash=_hash(secret),
        created_at=work.now,
    )
    work.session.add(feed)
    work.session.flush()
    _note(work, "kalender-opret", feed)
    return feed, secret


def renew(work: Work, feed_id: int) -> tuple[CalendarFeed, str]:
    """A new secret; the old address is dead at once. Raises NotFoundError."""
    feed = access.calendar_feed(work, feed_id)
    secret = _new_secret()
    feed.hash = _hash(secret)
    work.session.flush()
    _note(work, "kalender-forny", feed)
    return feed, secret


def revoke(work: Work, feed_id: int) -> str:
    """Close a feed for good; returns its name. Raises NotFoundError."""
    feed = access.calendar_feed(work, feed_id)
    feed.revoked_at = work.now
    work.session.flush()
    _note(work, "kalender-luk", feed)
    return feed.name


def fetch(work: Work, secret: str) -> Feed:
    """What a calendar gets for a secret, and the note of what it was told.

    Raises NotFoundError for a secret nobody has, FeedGoneError, TooOftenError.
    """
    feed = work.session.scalar(
        select(CalendarFeed).where(CalendarFeed.hash == _hash(secret)).with_for_update()
    )
    if feed is None:
        raise NotFoundError
    actor = sessions.actor_of(work.session, feed.membership_id, feed.person_id)
    if feed.revoked_at is not None or actor is None or not actor.has(Right.EXPORT):
        raise FeedGoneError
    _count_fetch(work, feed)
    return _told(replace(work, actor=actor), feed)


def _count_fetch(work: Work, feed: CalendarFeed) -> None:
    if feed.hour is None or work.now - feed.hour >= HOUR:
        feed.hour, feed.fetches = work.now, 0
    if feed.fetches >= FETCHES_AN_HOUR:
        raise TooOftenError(max(1, int((feed.hour + HOUR - work.now).total_seconds())))
    feed.fetches += 1
    feed.fetched_at = work.now


def _told(work: Work, feed: CalendarFeed) -> Feed:
    selection = filtering.select_tasks(work, filtering.read(work.registry, feed.query))
    rows = [row for row in listing.every_row(work, selection) if _is_shown(row)]
    rows.sort(key=lambda row: (row.deadline, row.id))
    told = {
        event.municipal_task_id: event
        for event in work.session.scalars(
            select(CalendarFeedEvent).where(CalendarFeedEvent.feed_id == feed.id)
        )
    }
    days = tuple(Day(row, _in_feed(work, feed, row, told)) for row in rows[:MOST_DAYS])
    shown = {day.row.id for day in days}
    cancelled = []
    for task_id, event in sorted(told.items()):
        if task_id in shown:
            continue
        if event.cancelled_at is None:
            event.cancelled_at = work.now
            event.sequence += 1
        if work.now - event.cancelled_at < CANCELLED_KEPT:
            cancelled.append(CancelledDay(task_id, event.day, event.sequence, event.cancelled_at))
    work.session.flush()
    several = work.actor is not None and work.actor.municipality_id is None
    return Feed(feed.name, days, tuple(cancelled), max(0, len(rows) - MOST_DAYS), several)


def _is_shown(row: TaskRow) -> bool:
    return row.deadline is not None and row.status in OPEN_STATUSES and not row.withdrawn


def _in_feed(work: Work, feed: CalendarFeed, row: TaskRow, told: dict[int, CalendarFeedEvent]) -> int:
    """Note that the row is in the feed, and give its sequence: it rises with every move, and on coming back."""
    assert row.deadline is not None
    event = told.get(row.id)
    if event is None:
        event = CalendarFeedEvent(
            feed_id=feed.id,
            municipal_task_id=row.id,
            municipality_id=row.municipality_id,
            day=row.deadline,
            deadline_version=row.deadline_version,
            sequence=row.deadline_version,
        )
        work.session.add(event)
        return event.sequence
    event.sequence += max(0, row.deadline_version - event.deadline_version) + (event.cancelled_at is not None)
    event.day, event.deadline_version, event.cancelled_at = row.deadline, row.deadline_version, None
    return event.sequence


def count_days(work: Work, feed_ids: Sequence[int]) -> dict[int, int]:
    """How many deadlines each feed told last."""
    rows = work.session.execute(
        select(CalendarFeedEvent.feed_id, func.count())
        .where(CalendarFeedEvent.feed_id.in_(list(feed_ids)), CalendarFeedEvent.cancelled_at.is_(None))
        .group_by(CalendarFeedEvent.feed_id)
    )
    return {feed_id: count for feed_id, count in rows}


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _note(work: Work, action: str, feed: CalendarFeed) -> None:
    municipality = work.actor.municipality_id if work.actor else None
    auditing.record(work, action, f"kalender/{feed.id}", municipality_id=municipality)
