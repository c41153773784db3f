"""Where a correction of KOMBIT's met a value that the municipality had set itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Identifier, Instant, OfMunicipality, Versioned, instant, key, word
from klik.models.municipal_task import of_municipal_task

FIELDS = ("deadline", "responsible", "executor")
ANSWERS = ("foelg", "behold")


class Deviation(OfMunicipality, Versioned, Base):
    """One field of one copy, three ways: what KOMBIT had, what KOMBIT has now, and what the municipality has.

    Values are as they are stored: a date, a role's slug, or nothing; ``local`` is a date or an assignee's key
    ("person/12", "rolle/systemansvarlig"). Open until the municipality answers
    ``foelg`` or ``behold``; a later correction of the same field settles it with its own row.
    """

    __tablename__ = "deviations"
    __table_args__ = (
        of_municipal_task(),
        CheckConstraint(f"field in {FIELDS}", name="field"),
        CheckConstraint(f"answer is null or answer in {ANSWERS}", name="answer"),
        Index(
            "uq_deviations_open",
            "municipal_task_id",
            "field",
            unique=True,
            sqlite_where=text("settled_at is null"),
            postgresql_where=text("settled_at is null"),
        ),
    )

    id: Mapped[key]
    municipal_task_id: Mapped[int] = mapped_column(Identifier)
    field: Mapped[word]
    task_version_id: Mapped[int] = mapped_column(ForeignKey("task_versions.id"))
    central_old: Mapped[str | None] = mapped_column(String(120))
    central_new: Mapped[str | None] = mapped_column(String(120))
    local: Mapped[str | None] = mapped_column(String(120))
    at: Mapped[instant]
    answer: Mapped[str | None] = mapped_column(String(10))
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
