"""What plug-ins tell and who wants to hear it, and how each of their contributions has failed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Instant, instant, key, line


class PluginAnnouncement(Base):
    """Something a plug-in tells those who subscribe to one of its topics, once for each ``dedupe_key``.

    ``told_at`` is empty until every subscriber's notice is in the ledger.
    """

    __tablename__ = "plugin_announcements"
    __table_args__ = (UniqueConstraint("topic", "dedupe_key"), Index(None, "told_at"))

    id: Mapped[key]
    topic: Mapped[str] = mapped_column(String(60))
    dedupe_key: Mapped[str] = mapped_column(String(120))
    heading: Mapped[line]
    sentence: Mapped[str] = mapped_column(Text)
    path: Mapped[line]
    created_at: Mapped[instant]
    told_at: Mapped[datetime | None] = mapped_column(Instant)


class TopicSubscription(Base):
    """That a person wants to be told what a plug-in tells of a topic; kept when the plug-in is taken out."""

    __tablename__ = "topic_subscriptions"
    __table_args__ = (UniqueConstraint("person_id", "topic"), Index(None, "topic"))

    id: Mapped[key]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    topic: Mapped[str] = mapped_column(String(60))
    since: Mapped[instant]


class PluginFault(Base):
    """How a contribution of a plug-in has failed, seen from every process; ``contribution`` is its key.

    ``failures`` are in a row, from ``first_at`` on; ``rests_until`` is set while it is left alone, ``mended_at`` once
    it has answered again. Every change raises ``version``, so that their sum tells whether anything changed.
    """

    __tablename__ = "plugin_faults"
    __table_args__ = (UniqueConstraint("contribution"),)

    id: Mapped[key]
    plugin: Mapped[str] = mapped_column(String(60))
    contribution: Mapped[str] = mapped_column(String(120))
    fault: Mapped[line]
    failures: Mapped[int] = mapped_column(Integer)
    first_at: Mapped[instant]
    last_at: Mapped[instant]
    rests_until: Mapped[datetime | None] = mapped_column(Instant)
    mended_at: Mapped[datetime | None] = mapped_column(Instant)
    version: Mapped[int] = mapped_column(Integer)
