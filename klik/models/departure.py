"""Somebody leaves a municipality: from which day, and who takes over what."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Date, ForeignKey, ForeignKeyConstraint, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from klik.models.base import Base, Instant, Versioned, instant, key, line


class Departure(Versioned, Base):
    """That somebody leaves after ``last_day``; what they held is handed over the day after, once.

    ``completed_at``: it is done. ``regretted_at``: it never came to it. One at a time for each person and place.
    """

    __tablename__ = "departures"
    __table_args__ = (
        ForeignKeyConstraint(
            ["person_id", "municipality_id"], ["memberships.person_id", "memberships.municipality_id"]
        ),
        CheckConstraint("completed_at is null or regretted_at is null", name="end"),
        Index(
            "uq_departures_open",
            "person_id",
            "municipality_id",
            unique=True,
            sqlite_where=text("completed_at is null and regretted_at is null"),
            postgresql_where=text("completed_at is null and regretted_at is null"),
        ),
        Index(None, "municipality_id", "last_day"),
    )

    id: Mapped[key]
    municipality_id: Mapped[int] = mapped_column(Integer, ForeignKey("municipalities.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    last_day: Mapped[date] = mapped_column(Date)
    note: Mapped[str | None] = mapped_column(String(2000))
    created_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[instant]
    completed_at: Mapped[datetime | None] = mapped_column(Instant)
    regretted_at: Mapped[datetime | None] = mapped_column(Instant)

    heirs: Mapped[list[DepartureHeir]] = relationship(
        cascade="all, delete-orphan", order_by="DepartureHeir.id"
    )


class DepartureHeir(Base):
    """Who takes over one thing: a role ("rolle/systemansvarlig/ky"), the tasks ("opgaver"), the filters ("filtre").

    Without a person nobody takes it over: the role falls vacant, the tasks are given to nobody.
    """

    __tablename__ = "departure_heirs"
    __table_args__ = (
        ForeignKeyConstraint(
            ["person_id", "municipality_id"], ["memberships.person_id", "memberships.municipality_id"]
        ),
        Index(None, "departure_id"),
    )

    id: Mapped[key]
    departure_id: Mapped[int] = mapped_column(ForeignKey("departures.id"))
    municipality_id: Mapped[int] = mapped_column(Integer, ForeignKey("municipalities.id"))
    what: Mapped[line]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
