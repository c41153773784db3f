"""The ledger of notices and the mails that carry them; what plug-ins are told afterwards."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Identifier, Instant, instant, key, line, prose, word
from klik.models.municipal_task import of_municipal_task

MAIL_STATES = ("pending", "claimed", "in_doubt", "sent", "failed", "bounced", "stale")


class Notice(Base):
    """One (recipient, occasion, version): a row before anything is sent, and the line in the person's inbox.

    ``dedupe_key`` is unique and holds the deadline's version, so a moved deadline reminds anew and a job that
    runs twice does not. ``mail_id`` is empty until a mail carries it.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        of_municipal_task(),
        CheckConstraint("municipal_task_id is null or municipality_id is not null", name="municipality"),
        Index(None, "municipal_task_id"),
        Index(None, "person_id", "created_at"),
        Index(None, "municipality_id", "created_at"),
        Index(
            "ix_notices_waiting",
            "due_at",
            sqlite_where=text("mail_id is null and withdrawn_at is null"),
            postgresql_where=text("mail_id is null and withdrawn_at is null"),
        ),
        # Mails are made by address, in this order.
        Index(
            "ix_notices_waiting_address",
            "address",
            "due_at",
            sqlite_where=text("mail_id is null and withdrawn_at is null"),
            postgresql_where=text("mail_id is null and withdrawn_at is null"),
        ),
        # Without what has no mail: SQLite would look for what waits among all that never gets one.
        Index(
            "ix_notices_mail_id",
            "mail_id",
            sqlite_where=text("mail_id is not null"),
            postgresql_where=text("mail_id is not null"),
        ),
        # When a municipality was last written to is asked for all of them at once.
        Index(
            "ix_notices_written",
            "municipality_id",
            "created_at",
            sqlite_where=text("occasion = 'skrevet'"),
            postgresql_where=text("occasion = 'skrevet'"),
        ),
    )

    id: Mapped[key]
    dedupe_key: Mapped[str] = mapped_column(String(200))
    occasion: Mapped[word]
    channel: Mapped[word]
    municipality_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("municipalities.id"))
    municipal_task_id: Mapped[int | None] = mapped_column(Identifier)
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    address: Mapped[str] = mapped_column(String(320))
    reason: Mapped[line]
    heading: Mapped[line]
    sentence: Mapped[str] = mapped_column(Text)
    path: Mapped[line]
    about_day: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[instant]
    due_at: Mapped[instant]
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mails.id"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawal_reason: Mapped[str | None] = mapped_column(String(300))
    read_at: Mapped[datetime | None] = mapped_column(Instant)
    snoozed_until: Mapped[date | None] = mapped_column(Date)


class Mail(Base):
    """A message to one address: its exact bytes, rendered once, and how far its hand-over has come.

    pending → claimed → in_doubt → sent | failed | bounced | stale. ``in_doubt`` is stored just before the
    final dot: a crash after it may or may not have delivered. ``fence`` rises with each claim.
    """

    __tablename__ = "mails"
    __table_args__ = (
        UniqueConstraint("message_id"),
        CheckConstraint(f"state in {MAIL_STATES}", name="state"),
        # SQLite takes a partial index only where the statement says the very same condition.
        Index(
            "ix_mails_due",
            "next_attempt_at",
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            "ix_mails_leased",
            "lease_until",
            sqlite_where=text("lease_until is not null"),
            postgresql_where=text("lease_until is not null"),
        ),
    )

    id: Mapped[key]
    message_id: Mapped[str] = mapped_column(String(200))
    channel: Mapped[word]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    address: Mapped[str] = mapped_column(String(320))
    subject: Mapped[line]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[word]
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    resent: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    next_attempt_at: Mapped[instant]
    lease_owner: Mapped[str | None] = mapped_column(String(100))
    lease_until: Mapped[datetime | None] = mapped_column(Instant)
    fence: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    reply: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[instant]
    expires_at: Mapped[instant]
    sent_at: Mapped[datetime | None] = mapped_column(Instant)


class PluginEvent(Base):
    """Something plug-ins are told after the commit, at least once, each plug-in on its own."""

    __tablename__ = "plugin_events"
    __table_args__ = (
        Index(
            "ix_plugin_events_open",
            "next_attempt_at",
            sqlite_where=text("done_at is null"),
            postgresql_where=text("done_at is null"),
        ),
    )

    id: Mapped[key]
    event: Mapped[word]
    plugin: Mapped[word]
    payload: Mapped[prose]
    created_at: Mapped[instant]
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    next_attempt_at: Mapped[instant]
    error: Mapped[str | None] = mapped_column(String(500))
    done_at: Mapped[datetime | None] = mapped_column(Instant)
