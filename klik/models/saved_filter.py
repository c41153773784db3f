"""Saved filters, how each person uses them, and which of them a level's list opens with."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Versioned, instant, key, prose, word
from klik.models.person import LEVELS


class SavedFilter(Versioned, Base):
    """A filter under a name: the query string as the address bar has it. Personal unless shared.

    ``shared``: ``selv``, ``kommune`` (read-only with the municipality) or ``alle`` (by KOMBIT).
    """

    __tablename__ = "saved_filters"
    __table_args__ = (
        UniqueConstraint("person_id", "name_key"),
        CheckConstraint("shared in ('selv', 'kommune', 'alle')", name="shared"),
        CheckConstraint("shared != 'kommune' or municipality_id is not null", name="municipality"),
        Index(None, "shared", "municipality_id"),
    )

    id: Mapped[key]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    municipality_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("municipalities.id"))
    name: Mapped[str] = mapped_column(String(80))
    name_key: Mapped[prose]
    query: Mapped[str] = mapped_column(String(4000))
    shared: Mapped[str] = mapped_column(String(10), default="selv")
    created_at: Mapped[instant]


class FilterUse(Base):
    """What a person does with a filter, their own or one that is shared: star, default, and mail.

    ``membership_id`` is whose eyes the mail looks through. ``chosen_on`` is the Danish day the mail was asked
    for, ``looked_on`` the last day the filter was looked at for it, whether or not there was anything to send.
    """

    __tablename__ = "filter_uses"
    __table_args__ = (
        CheckConstraint("subscription in ('ingen', 'dagligt', 'ugentligt')", name="subscription"),
        CheckConstraint(
            "subscription = 'ingen' or (membership_id is not null and chosen_on is not null)",
            name="subscriber",
        ),
        Index(
            "uq_filter_uses_default",
            "person_id",
            unique=True,
            sqlite_where=text("is_default"),
            postgresql_where=text("is_default"),
        ),
        Index(None, "saved_filter_id"),
        Index(
            "ix_filter_uses_subscribed",
            "looked_on",
            sqlite_where=text("subscription != 'ingen'"),
            postgresql_where=text("subscription != 'ingen'"),
        ),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    saved_filter_id: Mapped[int] = mapped_column(ForeignKey("saved_filters.id"), primary_key=True)
    pinned: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    is_default: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    subscription: Mapped[str] = mapped_column(String(10), default="ingen", server_default="ingen")
    membership_id: Mapped[int | None] = mapped_column(ForeignKey("memberships.id"))
    chosen_on: Mapped[date | None] = mapped_column(Date)
    looked_on: Mapped[date | None] = mapped_column(Date)


class FilterDefault(Base):
    """The shared filter that a level's list opens with: in one municipality, or (KOMBIT's) everywhere."""

    __tablename__ = "filter_defaults"
    __table_args__ = (
        UniqueConstraint("municipality_id", "level"),
        CheckConstraint(f"level in ({LEVELS})", name="level"),
        Index(
            "uq_filter_defaults_everywhere",
            "level",
            unique=True,
            sqlite_where=text("municipality_id is null"),
            postgresql_where=text("municipality_id is null"),
        ),
        Index(None, "saved_filter_id"),
    )

    id: Mapped[key]
    municipality_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("municipalities.id"))
    level: Mapped[word]
    saved_filter_id: Mapped[int] = mapped_column(ForeignKey("saved_filters.id"))
