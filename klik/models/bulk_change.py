"""Many tasks changed in one go, with what stood there before, so that it can be undone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Identifier, Instant, OfMunicipality, instant, key, line
from klik.models.municipal_task import of_municipal_task


class BulkChange(OfMunicipality, Base):
    """One bulk change: whose, when, which field, and in words what it was set to.

    ``last_change_id`` is the newest TaskChange it wrote: whatever a task's history has after it came later.
    """

    __tablename__ = "bulk_changes"
    __table_args__ = (Index(None, "person_id", "at"),)

    id: Mapped[key]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[instant]
    field: Mapped[str] = mapped_column(String(120))
    words: Mapped[line]
    count: Mapped[int] = mapped_column(Integer)
    last_change_id: Mapped[int] = mapped_column(Identifier, default=0)
    undone_at: Mapped[datetime | None] = mapped_column(Instant)


class BulkChangeItem(OfMunicipality, Base):
    """A task in a bulk change. ``before`` and ``after`` are JSON: field to column to raw value.

    ``kept_because`` says in Danish why an undo left the task as it was.
    """

    __tablename__ = "bulk_change_items"
    __table_args__ = (
        of_municipal_task(),
        Index(None, "municipal_task_id"),
    )

    bulk_change_id: Mapped[int] = mapped_column(
        Identifier, ForeignKey("bulk_changes.id"), primary_key=True, autoincrement=False
    )
    municipal_task_id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    version_after: Mapped[int] = mapped_column(Integer)
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
    kept_because: Mapped[str | None] = mapped_column(String(300))
