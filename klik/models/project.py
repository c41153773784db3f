"""Projects, it-systems, and the waves in which municipalities take a system into use."""

from __future__ import annotations

from datetime import date

from sqlalchemy import (
    Boolean,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, Identifier, Versioned, instant, key, line, word


class System(Base):
    """An it-system as a plug-in declares it; the row stays when the plug-in is gone, so its tasks do too."""

    __tablename__ = "systems"

    code: Mapped[str] = mapped_column(String(60), primary_key=True)
    name: Mapped[line]
    supplier: Mapped[line]
    installed: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())


class Project(Versioned, Base):
    """What holds tasks: mostly one project a system, or a programme such as Monopolbrudsprogrammet.

    ``round`` is the one that new tasks are published in.
    """

    __tablename__ = "projects"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[key]
    slug: Mapped[word]
    name: Mapped[line]
    system_code: Mapped[str | None] = mapped_column(String(60), ForeignKey("systems.code"))
    description: Mapped[str] = mapped_column(Text, default="")
    active: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    round: Mapped[int] = mapped_column(Integer, default=1, server_default="1")


class Round(Base):
    """A large release that opens phases 1–3 of a project anew (seed 003); the first round has no row."""

    __tablename__ = "rounds"

    project_id: Mapped[int] = mapped_column(
        Identifier, ForeignKey("projects.id"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[line]
    opened_at: Mapped[instant]
    opened_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class Wave(Versioned, Base):
    """A wave of municipalities with one go-live date (KY: pilot, B1, B2, B3)."""

    __tablename__ = "waves"
    __table_args__ = (UniqueConstraint("system_code", "slug"), UniqueConstraint("id", "system_code"))

    id: Mapped[key]
    system_code: Mapped[str] = mapped_column(String(60), ForeignKey("systems.code"))
    slug: Mapped[word]
    name: Mapped[line]
    position: Mapped[int] = mapped_column(Integer)
    go_live: Mapped[date | None] = mapped_column(Date)


class MunicipalSystem(Versioned, Base):
    """That a municipality has (or gets) a system; its own go-live goes before the wave's."""

    __tablename__ = "municipal_systems"
    __table_args__ = (
        UniqueConstraint("municipality_id", "system_code"),
        ForeignKeyConstraint(["wave_id", "system_code"], ["waves.id", "waves.system_code"]),
        Index(None, "system_code"),
    )

    id: Mapped[key]
    municipality_id: Mapped[int] = mapped_column(Integer, ForeignKey("municipalities.id"))
    system_code: Mapped[str] = mapped_column(String(60), ForeignKey("systems.code"))
    wave_id: Mapped[int | None] = mapped_column()
    go_live: Mapped[date | None] = mapped_column(Date)
