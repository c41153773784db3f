"""Municipalities: the 98, by their official code."""

from __future__ import annotations

from sqlalchemy import Boolean, Integer, String, true
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Versioned, prose, word


class Municipality(Versioned, Base):
    """One municipality; ``id`` is the official three-digit code (Køge is 259). ``inhabitants`` may be unknown."""

    __tablename__ = "municipalities"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[word]
    name_key: Mapped[prose]
    region: Mapped[word]
    mailbox: Mapped[str | None] = mapped_column(String(320))
    inhabitants: Mapped[int | None] = mapped_column(Integer)
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
