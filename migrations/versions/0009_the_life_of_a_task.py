"""The life of a KLIK-opgave, rounds, corrections that met a municipality's own value, and questions asked once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
OVERVIEW = ["project_id", "municipality_id", "phase", "status", "deadline", "yellow_from"]
COUNTED = ["round", "theme", "system_code", "task_id", "withdrawn_at", "erased_at", "responsible_role"]


def upgrade() -> None:
    _columns()
    _tables()
    # It holds all that the heat map counts by, so the map never touches the rows themselves.
    op.drop_index("ix_municipal_tasks_overview", "municipal_tasks")
    op.create_index("ix_municipal_tasks_overview", "municipal_tasks", [*OVERVIEW, *COUNTED])


def _columns() -> None:
    one = {"nullable": False, "server_default": "1"}
    op.add_column("tasks", sa.Column("recipients", sa.String(length=4000), nullable=True))
    op.add_column("tasks", sa.Column("appoints_role", sa.String(length=60), nullable=True))
    op.add_column("tasks", sa.Column("announced_at", INSTANT, nullable=True))
    op.add_column("tasks", sa.Column("publish_problem", sa.String(length=500), nullable=True))
    # In SQL, because a constraint added afterwards would make SQLite build the table anew.
    op.execute(
        "alter table task_versions add column working_day varchar(10) default 'uaendret' not null "
        "constraint ck_task_versions_working_day check (working_day in ('uaendret', 'foer', 'efter'))"
    )
    op.add_column("projects", sa.Column("round", sa.Integer(), **one))
    op.add_column("municipal_tasks", sa.Column("round", sa.Integer(), **one))
    op.add_column(
        "municipal_tasks",
        sa.Column("for_information", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("municipalities", sa.Column("inhabitants", sa.Integer(), nullable=True))


def _tables() -> None:
    op.create_table(
        "rounds",
        sa.Column("project_id", IDENTIFIER, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("opened_by", IDENTIFIER, nullable=True),
        sa.ForeignKeyConstraint(["opened_by"], ["people.id"], name=op.f("fk_rounds_opened_by")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_rounds_project_id")),
        sa.PrimaryKeyConstraint("project_id", "number", name=op.f("pk_rounds")),
    )
    op.create_table(
        "task_steps",
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("task_id", IDENTIFIER, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("person_id", IDENTIFIER, nullable=True),
        sa.Column("act", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("version_number", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_task_steps_person_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_steps_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_steps")),
    )
    op.create_index(op.f("ix_task_steps_task_id"), "task_steps", ["task_id"])
    _deviations()
    _questions()


def _of_municipal_task(table: str) -> tuple[sa.ForeignKeyConstraint, ...]:
    return (
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f(f"fk_{table}_municipal_task_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f(f"fk_{table}_municipality_id")
        ),
    )


def _deviations() -> None:
    op.create_table(
        "deviations",
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("municipal_task_id", IDENTIFIER, nullable=False),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("task_version_id", IDENTIFIER, nullable=False),
        sa.Column("central_old", sa.String(length=120), nullable=True),
        sa.Column("central_new", sa.String(length=120), nullable=True),
        sa.Column("local", sa.String(length=120), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=True),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.Column("settled_by", IDENTIFIER, nullable=True),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "field in ('deadline', 'responsible', 'executor')", name=op.f("ck_deviations_field")
        ),
        sa.CheckConstraint(
            "answer is null or answer in ('foelg', 'behold')", name=op.f("ck_deviations_answer")
        ),
        *_of_municipal_task("deviations"),
        sa.ForeignKeyConstraint(
            ["task_version_id"], ["task_versions.id"], name=op.f("fk_deviations_task_version_id")
        ),
        sa.ForeignKeyConstraint(["settled_by"], ["people.id"], name=op.f("fk_deviations_settled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deviations")),
    )
    op.create_index(
        "uq_deviations_open",
        "deviations",
        ["municipal_task_id", "field"],
        unique=True,
        sqlite_where=sa.text("settled_at is null"),
        postgresql_where=sa.text("settled_at is null"),
    )


def _questions() -> None:
    op.create_table(
        "questions",
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("task_id", IDENTIFIER, nullable=False),
        sa.Column("municipal_task_id", IDENTIFIER, nullable=False),
        sa.Column("asked_by", IDENTIFIER, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", IDENTIFIER, nullable=True),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(answer is null) = (answered_at is null)", name=op.f("ck_questions_answered")),
        *_of_municipal_task("questions"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_questions_task_id")),
        sa.ForeignKeyConstraint(["asked_by"], ["people.id"], name=op.f("fk_questions_asked_by")),
        sa.ForeignKeyConstraint(["answered_by"], ["people.id"], name=op.f("fk_questions_answered_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
    )
    op.create_index(op.f("ix_questions_task_id"), "questions", ["task_id"])
    op.create_index(op.f("ix_questions_municipal_task_id"), "questions", ["municipal_task_id"])
