"""The municipality's own task: its state, and what hangs on it. Every child row carries the municipality."""

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
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from klik.domain.status import Status
from klik.models.base import (
    Base,
    Identifier,
    Instant,
    OfMunicipality,
    Versioned,
    instant,
    key,
    line,
    prose,
    word,
)
from klik.models.project import Project
from klik.models.task import Task, TaskVersion

STATUSES = tuple(status.value for status in Status)
COUNTED = ("yellow_from", "task_id", "withdrawn_at", "erased_at")
# What the choices beside the list are counted by, within one municipality.
CHOSEN = ("project_id", "system_code", "phase", "theme", "priority", "infrastructure")
CHOSEN += ("responsible_id", "responsible_role", "executor_id", "executor_role")


def of_municipal_task(**options: object) -> ForeignKeyConstraint:
    """A child belongs to a task of the same municipality, by key: another one's child cannot exist."""
    return ForeignKeyConstraint(
        ["municipal_task_id", "municipality_id"],
        ["municipal_tasks.id", "municipal_tasks.municipality_id"],
        **options,  # type: ignore[arg-type]
    )


class MunicipalTask(OfMunicipality, Versioned, Base):
    """A municipality's copy of a KLIK-opgave, or a local task of its own (then without ``task_id``).

    What the list filters and sorts by stands here as columns. ``deadline`` and ``yellow_from`` are the rule's
    result; the colour is never stored. ``for_information``: the deadline had passed before the municipality got
    the task, so it has none. ``deadline_version`` rises with every move of the deadline, and is part
    of a reminder's key.
    """

    __tablename__ = "municipal_tasks"
    __table_args__ = (
        UniqueConstraint("task_id", "municipality_id"),
        UniqueConstraint("id", "municipality_id"),
        ForeignKeyConstraint(["task_version_id", "task_id"], ["task_versions.id", "task_versions.task_id"]),
        ForeignKeyConstraint(
            ["responsible_id", "municipality_id"], ["memberships.person_id", "memberships.municipality_id"]
        ),
        ForeignKeyConstraint(
            ["executor_id", "municipality_id"], ["memberships.person_id", "memberships.municipality_id"]
        ),
        CheckConstraint(f"status in {STATUSES}", name="status"),
        CheckConstraint("(task_id is null) = (task_version_id is null)", name="published"),
        CheckConstraint("deadline is null or yellow_from is not null", name="yellow"),
        # These two hold all that counting asks for, so counts never touch the rows themselves.
        Index("ix_municipal_tasks_list", "municipality_id", "status", "deadline", *COUNTED, *CHOSEN),
        Index("ix_municipal_tasks_deadline", "status", "deadline", *COUNTED, "municipality_id", "project_id"),
        Index(
            "ix_municipal_tasks_overview",
            "project_id",
            "municipality_id",
            "phase",
            "status",
            "deadline",
            "yellow_from",
            "round",
            "theme",
            "system_code",
            "task_id",
            "withdrawn_at",
            "erased_at",
            "responsible_role",
        ),
        # Only what was ever completed: a publication, which completes nothing, does not write it.
        Index(
            "ix_municipal_tasks_completed",
            "completed_on",
            "municipality_id",
            "project_id",
            "deadline",
            *("phase", "status", "round", "theme", "system_code"),
            *("task_id", "withdrawn_at", "erased_at", "responsible_role"),
            sqlite_where=text("completed_on is not null"),
            postgresql_where=text("completed_on is not null"),
        ),
        Index(None, "responsible_id"),
        Index(None, "executor_id"),
        Index(None, "task_version_id"),
    )

    id: Mapped[key]
    task_id: Mapped[int | None] = mapped_column(ForeignKey("tasks.id"))
    task_version_id: Mapped[int | None] = mapped_column()
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    system_code: Mapped[str | None] = mapped_column(String(60), ForeignKey("systems.code"))
    round: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    task_number: Mapped[str | None] = mapped_column(String(12))
    number_key: Mapped[str] = mapped_column(Text, default="")
    title: Mapped[str] = mapped_column(String(200))
    title_key: Mapped[prose]
    search_key: Mapped[str] = mapped_column(Text)
    local_text: Mapped[str] = mapped_column(Text, default="")
    phase: Mapped[word]
    theme: Mapped[word]
    priority: Mapped[word]
    infrastructure: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    status: Mapped[str] = mapped_column(String(20), default=Status.NOT_STARTED.value)
    not_relevant_reason: Mapped[str | None] = mapped_column(String(500))
    start_date: Mapped[date | None] = mapped_column(Date)
    deadline: Mapped[date | None] = mapped_column(Date)
    yellow_from: Mapped[date | None] = mapped_column(Date)
    deadline_version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    deadline_is_own: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    for_information: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    completed_on: Mapped[date | None] = mapped_column(Date)
    responsible_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    responsible_role: Mapped[str | None] = mapped_column(String(60))
    executor_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    executor_role: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[instant]
    changed_at: Mapped[instant]
    withdrawn_at: Mapped[datetime | None] = mapped_column(Instant)
    erased_at: Mapped[datetime | None] = mapped_column(Instant)

    task: Mapped[Task | None] = relationship(foreign_keys=[task_id], viewonly=True)
    task_version: Mapped[TaskVersion | None] = relationship(
        primaryjoin="MunicipalTask.task_version_id == TaskVersion.id",
        foreign_keys=[task_version_id],
        viewonly=True,
    )
    project: Mapped[Project] = relationship(viewonly=True)
    fields: Mapped[list[MunicipalTaskField]] = relationship(viewonly=True)


class MunicipalTaskField(OfMunicipality, Base):
    """A plug-in's extra field on a municipality's task: copied from the version, or the municipality's own."""

    __tablename__ = "municipal_task_fields"
    __table_args__ = (of_municipal_task(), Index(None, "field", "value", "municipality_id"))

    municipal_task_id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    field: Mapped[str] = mapped_column(String(120), primary_key=True)
    value: Mapped[str] = mapped_column(String(500))


class TaskChange(OfMunicipality, Base):
    """One changed field of a municipality's task; the history people read. Old and new are shown words."""

    __tablename__ = "task_changes"
    __table_args__ = (
        of_municipal_task(),
        Index(None, "municipal_task_id", "at"),
        Index(None, "municipality_id", "at"),
    )

    id: Mapped[key]
    municipal_task_id: Mapped[int] = mapped_column(Identifier)
    at: Mapped[instant]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    field: Mapped[word]
    old: Mapped[str | None] = mapped_column(Text)
    new: Mapped[str | None] = mapped_column(Text)
    via: Mapped[str] = mapped_column(String(20), default="klik")


class Comment(OfMunicipality, Versioned, Base):
    """A comment on a municipality's task; ``private`` ones KOMBIT and suppliers never see.

    Whom it mentions stands in ``text`` by id, as klik.domain.mentions writes it.
    """

    __tablename__ = "comments"
    __table_args__ = (of_municipal_task(), Index(None, "municipal_task_id"))

    id: Mapped[key]
    municipal_task_id: Mapped[int] = mapped_column(Identifier)
    author_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    at: Mapped[instant]
    text: Mapped[prose]
    private: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    edited_at: Mapped[datetime | None] = mapped_column(Instant)


class MunicipalTaskFile(OfMunicipality, Base):
    """An attachment that the municipality put on its own task."""

    __tablename__ = "municipal_task_files"
    __table_args__ = (of_municipal_task(), Index(None, "municipal_task_id"))

    id: Mapped[key]
    municipal_task_id: Mapped[int] = mapped_column(Identifier)
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("stored_files.sha256"))
    name: Mapped[line]
    added_by: Mapped[int] = mapped_column(ForeignKey("people.id"))
    added_at: Mapped[instant]


class ChecklistItem(OfMunicipality, Versioned, Base):
    """A line to tick inside a task."""

    __tablename__ = "checklist_items"
    __table_args__ = (of_municipal_task(), Index(None, "municipal_task_id", "position"))

    id: Mapped[key]
    municipal_task_id: Mapped[int] = mapped_column(Identifier)
    position: Mapped[int] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(String(300))
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    done_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))
    changed_at: Mapped[datetime | None] = mapped_column(Instant)
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("people.id"))


class ReadMark(OfMunicipality, Base):
    """Until when a person has seen a task ("Set"), and in which version; others' changes after it are new."""

    __tablename__ = "read_marks"
    __table_args__ = (of_municipal_task(),)

    person_id: Mapped[int] = mapped_column(
        Identifier, ForeignKey("people.id"), primary_key=True, autoincrement=False
    )
    municipal_task_id: Mapped[int] = mapped_column(Identifier, primary_key=True, autoincrement=False)
    seen_at: Mapped[instant]
    task_version_id: Mapped[int | None] = mapped_column(ForeignKey("task_versions.id"))
