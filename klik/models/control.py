"""What the independent recount found, day by day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, instant, key, prose


class ControlReport(Base):
    """The day's account: how many notices there should have been, and what became of each.

    ``expected`` is the sum of the others but ``missing``, which were not in the ledger and were entered by the
    control. ``nobody`` had no recipient. ``details`` holds the counts of each occasion as JSON.
    """

    __tablename__ = "control_reports"
    __table_args__ = (UniqueConstraint("day"),)

    id: Mapped[key]
    day: Mapped[date] = mapped_column(Date)
    at: Mapped[instant]
    expected: Mapped[int] = mapped_column(Integer)
    sent: Mapped[int] = mapped_column(Integer)
    waiting: Mapped[int] = mapped_column(Integer)
    doubtful: Mapped[int] = mapped_column(Integer)
    failed: Mapped[int] = mapped_column(Integer)
    returned: Mapped[int] = mapped_column(Integer)
    withdrawn: Mapped[int] = mapped_column(Integer)
    missing: Mapped[int] = mapped_column(Integer)
    nobody: Mapped[int] = mapped_column(Integer)
    details: Mapped[prose]
