"""People, where they may do what (memberships), their sessions and the tokens mailed to them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from klik.domain.rights import Level
from klik.models.base import Base, Instant, Versioned, instant, key, line, prose, word

LEVELS = ", ".join(f"'{level.value}'" for level in Level)


class Person(Versioned, Base):
    """Somebody who signs in or holds a role; ``epoch`` rises when every open session of theirs must die."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("email_key"), Index(None, "name_key"))

    id: Mapped[key]
    name: Mapped[line]
    name_key: Mapped[prose]
    email: Mapped[str] = mapped_column(String(320))
    email_key: Mapped[str] = mapped_column(String(320))
    phone: Mapped[str | None] = mapped_column(String(40))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    epoch: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    created_at: Mapped[instant]
    seen_at: Mapped[datetime | None] = mapped_column(Instant)
    anonymised_at: Mapped[datetime | None] = mapped_column(Instant)

    memberships: Mapped[list[Membership]] = relationship(back_populates="person", order_by="Membership.id")


class Membership(Versioned, Base):
    """What a person may do, and where: one row a municipality, or one without for KOMBIT and suppliers.

    Rows are ended, never removed: tasks and roles refer to (person, municipality), so the database itself
    refuses somebody from another municipality.
    """

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("person_id", "municipality_id"),
        CheckConstraint(f"level in ({LEVELS})", name="level"),
        CheckConstraint(
            "(municipality_id is null) = (level in ('kombit-administrator', 'kombit-redaktoer', 'leverandoer'))",
            name="place",
        ),
        Index(
            "uq_memberships_central",
            "person_id",
            unique=True,
            sqlite_where=text("municipality_id is null"),
            postgresql_where=text("municipality_id is null"),
        ),
        Index(None, "municipality_id"),
    )

    id: Mapped[key]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    municipality_id: Mapped[int | None] = mapped_column(Integer, ForeignKey("municipalities.id"))
    level: Mapped[word]
    organisation: Mapped[str | None] = mapped_column(String(100))
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    since: Mapped[date] = mapped_column(Date)
    ended_on: Mapped[date | None] = mapped_column(Date)

    person: Mapped[Person] = relationship(back_populates="memberships")
    systems: Mapped[list[MembershipSystem]] = relationship(cascade="all, delete-orphan")


class MembershipSystem(Base):
    """A system that a plus user follows or a supplier answers for (seed 003: linked to the it-system)."""

    __tablename__ = "membership_systems"

    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"), primary_key=True)
    system_code: Mapped[str] = mapped_column(String(60), ForeignKey("systems.code"), primary_key=True)


class LoginSession(Base):
    """A signed-in browser; ``id`` is the SHA-256 of its cookie, so a stolen backup opens nothing."""

    __tablename__ = "login_sessions"
    __table_args__ = (Index(None, "person_id"), Index(None, "expires_at"))

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    membership_id: Mapped[int] = mapped_column(ForeignKey("memberships.id"))
    epoch: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[instant]
    seen_at: Mapped[instant]
    expires_at: Mapped[instant]
    browser: Mapped[line]


class LoginAttempt(Base):
    """A failed sign-in, kept for the rate limit only; ``subject`` is a hash of the account or the address."""

    __tablename__ = "login_attempts"
    __table_args__ = (Index(None, "subject", "at"),)

    id: Mapped[key]
    subject: Mapped[str] = mapped_column(String(64))
    at: Mapped[instant]


class SecretToken(Base):
    """A link mailed to somebody: invitation, new password. Only its hash is stored."""

    __tablename__ = "secret_tokens"
    __table_args__ = (UniqueConstraint("hash"),)

    id: Mapped[key]
    purpose: Mapped[word]
    hash: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[instant]
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    used_at: Mapped[datetime | None] = mapped_column(Instant)
