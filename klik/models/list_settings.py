"""How a person wants the list of tasks."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base


class ListSettings(Base):
    """A person's columns in their order, as words with commas between; page size and grouping where chosen.

    Who has no row, or an empty column, sees the list as it usually is.
    """

    __tablename__ = "list_settings"

    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True, autoincrement=False)
    columns: Mapped[str | None] = mapped_column(String(2000))
    page_size: Mapped[int | None] = mapped_column(Integer)
    grouping: Mapped[str | None] = mapped_column(String(20))
