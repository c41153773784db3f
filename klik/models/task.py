"""KLIK-opgaver as KOMBIT publishes them: the task, its versions, their plug-in fields, files and links."""

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
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from klik.domain.life import State
from klik.models.base import Base, Identifier, Instant, Versioned, instant, key, line, prose, word
from klik.models.project import Project

STATES = tuple(state.value for state in State)
WORKING_DAYS = ("uaendret", "foer", "efter")
PRIORITIES = ("hoej", "normal", "lav")


class Task(Versioned, Base):
    """One KLIK-opgave; its words stand in the versions. The number is unique in the project and stays.

    ``recipients`` is the choice of municipalities in the words of ``klik publish --to`` ("system",
    "bølge:ky/b1"): late joiners get the task by it. ``appoints_role`` is the role that a task "Udpeg …" fills.
    ``vacant_roles`` are the roles, with commas between, that a task "Udpeg …" goes out for when this one is published.
    ``round`` is the project's round it was published in (a large release opens a new one).
    """

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("project_id", "task_number"),
        CheckConstraint(f"state in {STATES}", name="state"),
        Index(None, "state"),
    )

    id: Mapped[key]
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    task_number: Mapped[str] = mapped_column(String(12))
    state: Mapped[word]
    current_number: Mapped[int | None] = mapped_column(Integer)
    template: Mapped[str | None] = mapped_column(String(120))
    round: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    recipients: Mapped[str | None] = mapped_column(String(4000))
    appoints_role: Mapped[str | None] = mapped_column(String(60))
    vacant_roles: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[instant]
    announced_at: Mapped[datetime | None] = mapped_column(Instant)
    publish_at: Mapped[datetime | None] = mapped_column(Instant)
    publish_problem: Mapped[str | None] = mapped_column(String(500))
    published_at: Mapped[datetime | None] = mapped_column(Instant)
    published_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    recipient_count: Mapped[int | None] = mapped_column(Integer)
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    withdrawal_reason: Mapped[str | None] = mapped_column(String(500))

    project: Mapped[Project] = relationship()
    versions: Mapped[list[TaskVersion]] = relationship(
        foreign_keys="TaskVersion.task_id", order_by="TaskVersion.number", back_populates="task"
    )


class TaskVersion(Base):
    """The words of a task as they stood from one moment; a correction is a new row, never a change.

    ``deadline_rule`` names a core or plug-in rule and ``deadline_parameter`` what it was given ("core.date",
    "2026-12-21"); ``working_day`` whether a day off is moved to the working day before or after. Texts are
    Markdown.
    """

    __tablename__ = "task_versions"
    __table_args__ = (
        UniqueConstraint("task_id", "number"),
        UniqueConstraint("id", "task_id"),
        CheckConstraint(f"priority in {PRIORITIES}", name="priority"),
        CheckConstraint(f"working_day in {WORKING_DAYS}", name="working_day"),
    )

    id: Mapped[key]
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"))
    number: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(200))
    phase: Mapped[word]
    theme: Mapped[word]
    priority: Mapped[word]
    infrastructure: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    purpose: Mapped[prose]
    description: Mapped[prose]
    prerequisites: Mapped[prose]
    how_to: Mapped[prose]
    result: Mapped[prose]
    material: Mapped[prose]
    contact: Mapped[prose]
    responsible_role: Mapped[str | None] = mapped_column(String(60))
    executor_role: Mapped[str | None] = mapped_column(String(60))
    start_date: Mapped[date | None] = mapped_column(Date)
    deadline_rule: Mapped[str] = mapped_column(String(120))
    deadline_parameter: Mapped[str] = mapped_column(String(120))
    working_day: Mapped[str] = mapped_column(String(10), default="uaendret", server_default="uaendret")
    search_key: Mapped[str] = mapped_column(Text)
    change_note: Mapped[str | None] = mapped_column(String(500))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[instant]

    task: Mapped[Task] = relationship(foreign_keys=[task_id], back_populates="versions")
    fields: Mapped[list[TaskVersionField]] = relationship(cascade="all, delete-orphan")


class TaskStep(Base):
    """One act in the life of a task: who did it, when, and what it led to. ``act`` is of klik.domain.life."""

    __tablename__ = "task_steps"
    __table_args__ = (Index(None, "task_id"),)

    id: Mapped[key]
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"))
    at: Mapped[instant]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    act: Mapped[word]
    state: Mapped[word]
    version_number: Mapped[int | None] = mapped_column(Integer)
    note: Mapped[str | None] = mapped_column(String(500))


class TaskVersionField(Base):
    """The value of a plug-in's extra field in one version of a task."""

    __tablename__ = "task_version_fields"

    task_version_id: Mapped[int] = mapped_column(
        Identifier, ForeignKey("task_versions.id"), primary_key=True, autoincrement=False
    )
    field: Mapped[str] = mapped_column(String(120), primary_key=True)
    value: Mapped[str] = mapped_column(String(500))


class TaskLink(Base):
    """That one task needs another done first ("forudsætter MI 15")."""

    __tablename__ = "task_links"
    __table_args__ = (CheckConstraint("task_id <> needs_task_id", name="other"),)

    task_id: Mapped[int] = mapped_column(
        Identifier, ForeignKey("tasks.id"), primary_key=True, autoincrement=False
    )
    needs_task_id: Mapped[int] = mapped_column(
        Identifier, ForeignKey("tasks.id"), primary_key=True, autoincrement=False
    )


class StoredFile(Base):
    """Bytes on disk under their own SHA-256; a name is only text and belongs to whoever refers to them."""

    __tablename__ = "stored_files"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    size: Mapped[int] = mapped_column(Identifier)
    media_type: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[instant]


class TaskFile(Base):
    """An attachment that KOMBIT put on a task for every municipality to read."""

    __tablename__ = "task_files"
    __table_args__ = (Index(None, "task_id"),)

    id: Mapped[key]
    task_id: Mapped[int] = mapped_column(ForeignKey("tasks.id"))
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("stored_files.sha256"))
    name: Mapped[line]
    added_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    added_at: Mapped[instant]
