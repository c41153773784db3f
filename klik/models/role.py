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
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from klik.models.base import Base, Instant, Versioned, key, word
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
