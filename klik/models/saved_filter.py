"""Saved filters."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Versioned, instant, key, prose


class SavedFilter(Versioned, Base):
    """A filter under a name: the query string as the address bar has it. Personal unless shared.

    ``shared``: ``selv``, ``kommune`` (read-only with the municipality) or ``alle`` (by KOMBIT).
    """

    __tablename__ = "saved_filters"
    __table_args__ = (
        UniqueConstraint("person_id", "name_key"),
        CheckConstraint("shared in ('selv', 'kommune', 'alle')", name="shared"),
        CheckConstraint("subscription in ('ingen', 'dagligt', 'ugentligt')", name="subscription"),
        Index(
            "uq_saved_filters_default",
            "person_id",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
    )

    id: Mapped[key]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    municipality_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("municipalities.id"))
    name: Mapped[str] = mapped_column(String(80))
    name_key: Mapped[prose]
    query: Mapped[str] = mapped_column(String(4000))
    is_default: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    pinned: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    shared: Mapped[str] = mapped_column(String(10), default="selv")
    subscription: Mapped[str] = mapped_column(String(10), default="ingen")
    created_at: Mapped[instant]
