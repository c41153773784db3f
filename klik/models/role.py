"""Who holds which role where."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from klik.models.base import Base, Instant, Versioned, instant, key, line, prose, word
from klik.models.person import Person


def _one_primary(name: str, which: str, *columns: str) -> Index:
    rows = text(f"is_primary and valid_to is null and {which}")
    return Index(name, *columns, unique=True, sqlite_where=rows, postgresql_where=rows)


class RoleHolding(Versioned, Base):
    """Who holds a role in a municipality, from a day to a day; a functional mailbox may hold it too.

    ``system_code`` is empty for cross-cutting roles. One primary at a time for each role and system (KOMBIT's
    DUBU newsletter, 2025: one must be registered as primær).
    """

    __tablename__ = "role_holdings"
    __table_args__ = (
        ForeignKeyConstraint(
            ["person_id", "municipality_id"], ["memberships.person_id", "memberships.municipality_id"]
        ),
        CheckConstraint("(person_id is null) <> (mailbox is null)", name="holder"),
        CheckConstraint("kind in ('indehaver', 'stedfortraeder')", name="kind"),
        CheckConstraint("valid_to is null or valid_to >= valid_from", name="period"),
        _one_primary("uq_role_holdings_primary", "system_code is null", "municipality_id", "role"),
        _one_primary(
            "uq_role_holdings_system_primary",
            "system_code is not null",
            "municipality_id",
            "role",
            "system_code",
        ),
        Index(None, "municipality_id", "role"),
    )

    id: Mapped[key]
    municipality_id: Mapped[int] = mapped_column(Integer, ForeignKey("municipalities.id"))
    role: Mapped[word]
    system_code: Mapped[str | None] = mapped_column(String(60), ForeignKey("systems.code"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    mailbox: Mapped[str | None] = mapped_column(String(320))
    kind: Mapped[str] = mapped_column(String(20), default="indehaver")
    is_primary: Mapped[bool] = mapped_column(Boolean, default=False)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_to: Mapped[date | None] = mapped_column(Date)
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    note: Mapped[str | None] = mapped_column(String(500))

    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])


class RoleEdition(Base):
    """A version of a role's description as klik first met it; ``content`` is its text, part by part, as JSON."""

    __tablename__ = "role_editions"

    role: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    change: Mapped[line]
    content: Mapped[prose]
    known_from: Mapped[date] = mapped_column(Date)


class RoleReading(Base):
    """Which version of a role's description somebody last read ("ændret siden sidst")."""

    __tablename__ = "role_readings"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    role: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    read_at: Mapped[instant]


class RoleAnswer(Base):
    """What was answered to "Er det stadig dig?" in a round ("2026-2"): yes, somebody new, or that nobody has it.

    The proposed person is what the holder wrote, until an administrator settles it or the holding ends.
    ``person_id`` is who answered, empty where a functional mailbox did.
    """

    __tablename__ = "role_answers"
    __table_args__ = (
        CheckConstraint("answer in ('ja', 'ny', 'tom')", name="answer"),
        CheckConstraint(
            "settled_as is null or settled_as in ('udfoert', 'afvist', 'bortfaldet')", name="settled_as"
        ),
        Index(None, "role_holding_id", "round"),
        Index(None, "municipality_id"),
    )

    id: Mapped[key]
    municipality_id: Mapped[int] = mapped_column(Integer, ForeignKey("municipalities.id"))
    role_holding_id: Mapped[int] = mapped_column(ForeignKey("role_holdings.id"))
    round: Mapped[word]
    answer: Mapped[str] = mapped_column(String(10))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[instant]
    proposed_name: Mapped[str | None] = mapped_column(String(200))
    proposed_email: Mapped[str | None] = mapped_column(String(320))
    note: Mapped[str | None] = mapped_column(String(500))
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    settled_as: Mapped[str | None] = mapped_column(String(10))


class GalleryLookup(Base):
    """That somebody looked people of a gallery up, or took them home: once a day for the same.

    ``kind`` is what was opened (a gallery, a card, a mailing list, a vCard, a file), ``subject`` what it was
    about in words without names: a person's id, a role, a filter's query string. Kept for a year.
    """

    __tablename__ = "gallery_lookups"
    __table_args__ = (
        UniqueConstraint("dedupe_key"),
        Index(None, "municipality_id", "at"),
        Index(None, "about_person_id"),
    )

    id: Mapped[key]
    dedupe_key: Mapped[line]
    at: Mapped[instant]
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    municipality_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("municipalities.id"))
    kind: Mapped[word]
    subject: Mapped[line]
    about_person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    people: Mapped[int] = mapped_column(Integer)
