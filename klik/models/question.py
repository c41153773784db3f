"""Questions that municipalities ask on a published task, answered once for all of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Identifier, Instant, OfMunicipality, Versioned, instant, key, prose
from klik.models.municipal_task import of_municipal_task


class Question(OfMunicipality, Versioned, Base):
    """One question and KOMBIT's answer; an answered one stands on every municipality's copy of the task.

    ``named``: the other municipalities may see which municipality asked. ``closed_at``: taken back by the asker,
    or closed by KOMBIT without an answer, with ``close_reason``; then nobody else sees it. ``edited_at``: KOMBIT
    corrected the answer.
    """

    __tablename__ = "questions"
    __table_args__ = (
        of_municipal_task(),
        CheckConstraint("(answer is null) = (answered_at is null)", name="answered"),
        Index(None, "task_id"),
        Index(None, "municipal_task_id"),
    )

    id: Mapped[key]
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"))
    municipal_task_id: Mapped[int] = mapped_column(Identifier)
    asked_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    asked_at: Mapped[instant]
    text: Mapped[prose]
    named: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    answer: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime | None] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)
    edited_at: Mapped[datetime | None] = mapped_column(Instant)
    close_reason: Mapped[str | None] = mapped_column(String(500))
