"""Calendar feeds: a filter that somebody's calendar fetches by a secret address, and what it has been told."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Identifier, Instant, OfMunicipality, Versioned, instant, key
from klik.models.municipal_task import of_municipal_task


class CalendarFeed(Versioned, Base):
    """A filter as a calendar. Only the hash of its secret is stored; its rights are the membership's, at each fetch.

    ``hour`` and ``fetches`` count how often it was fetched in the hour that began then.
    """

    __tablename__ = "calendar_feeds"
    __table_args__ = (UniqueConstraint("hash"), Index(None, "person_id"))

    id: Mapped[key]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    name: Mapped[str] = mapped_column(String(80))
    query: Mapped[str] = mapped_column(String(4000))
    hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[instant]
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    fetched_at: Mapped[datetime | None] = mapped_column(Instant)
    hour: Mapped[datetime | None] = mapped_column(Instant)
    fetches: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class CalendarFeedEvent(OfMunicipality, Base):
    """A deadline as a feed last told it; what is no longer in the feed is told as cancelled from here."""

    __tablename__ = "calendar_feed_events"
    __table_args__ = (of_municipal_task(),)

    feed_id: Mapped[int] = mapped_column(
        Identifier, ForeignKey("calendar_feeds.id"), primary_key=True, autoincrement=False
    )
    municipal_task_id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date)
    deadline_version: Mapped[int] = mapped_column(Integer)
    sequence: Mapped[int] = mapped_column(Integer)
    cancelled_at: Mapped[datetime | None] = mapped_column(Instant)
