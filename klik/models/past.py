"""How a municipality's tasks stood before, and the meetings that one looks back from."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Identifier, Instant, OfMunicipality, word
from klik.models.municipal_task import of_municipal_task


class EarlierState(OfMunicipality, Base):
    """How a municipal task stood until the instant ``until``; written by a trigger (klik.models.remembering).

    It holds no text: titles and descriptions are always today's.
    """

    __tablename__ = "earlier_states"
    __table_args__ = (
        of_municipal_task(),
        Index(None, "municipality_id", "until"),
    )

    municipal_task_id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    until: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    task_version_id: Mapped[int | None] = mapped_column(Identifier)
    phase: Mapped[word]
    theme: Mapped[word]
    priority: Mapped[word]
    infrastructure: Mapped[bool] = mapped_column(Boolean)
    status: Mapped[str] = mapped_column(String(20))
    start_date: Mapped[date | None] = mapped_column(Date)
    deadline: Mapped[date | None] = mapped_column(Date)
    yellow_from: Mapped[date | None] = mapped_column(Date)
    deadline_version: Mapped[int] = mapped_column(Integer)
    completed_on: Mapped[date | None] = mapped_column(Date)
    responsible_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    responsible_role: Mapped[str | None] = mapped_column(String(60))
    executor_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    executor_role: Mapped[str | None] = mapped_column(String(60))
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)


class LastMeeting(OfMunicipality, Base):
    """The day of a person's last meeting about a municipality's tasks: what the mødepakke looks back to."""

    __tablename__ = "last_meetings"

    person_id: Mapped[int] = mapped_column(
        Identifier, ForeignKey("people.id"), primary_key=True, autoincrement=False
    )
    municipality_id: Mapped[int] = mapped_column(
        Integer, ForeignKey("municipalities.id"), primary_key=True, autoincrement=False
    )
    held_on: Mapped[date] = mapped_column(Date)
