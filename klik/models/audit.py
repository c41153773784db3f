"""The audit trail, idempotency keys of acts, and the worker's own book-keeping."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Identifier, Instant, instant, word


class AuditEntry(Base):
    """One act, chained to the one before by hash; triggers refuse any change. People stand by id only."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        UniqueConstraint("previous"),
        UniqueConstraint("hash"),
        Index(None, "at"),
        Index(None, "subject"),
    )

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    at: Mapped[instant]
    person_id: Mapped[int | None] = mapped_column(Identifier)
    municipality_id: Mapped[int | None] = mapped_column(Integer)
    action: Mapped[word]
    subject: Mapped[str] = mapped_column(String(120))
    facts: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class RequestKey(Base):
    """The key a form was drawn with; the second press of the button finds the first one's result here."""

    __tablename__ = "request_keys"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    action: Mapped[word]
    result: Mapped[str] = mapped_column(String(300))
    at: Mapped[instant]


class JobRun(Base):
    """That a job ran (or runs) for a period; the unique pair lets one of many workers win."""

    __tablename__ = "job_runs"
    __table_args__ = (UniqueConstraint("job", "period"),)

    id: Mapped[int] = mapped_column(Identifier, primary_key=True)
    job: Mapped[word]
    period: Mapped[word]
    started_at: Mapped[instant]
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    outcome: Mapped[str | None] = mapped_column(String(500))


class Heartbeat(Base):
    """When a process of klik was last alive."""

    __tablename__ = "heartbeats"

    process: Mapped[str] = mapped_column(String(60), primary_key=True)
    at: Mapped[instant]
    detail: Mapped[str] = mapped_column(String(300), default="")
