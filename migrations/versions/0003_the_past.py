"""How municipal tasks stood before, and the day of the last meeting."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "earlier_states",
        sa.Column("municipal_task_id", IDENTIFIER, autoincrement=False, nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("task_version_id", IDENTIFIER, nullable=True),
        sa.Column("phase", sa.String(length=60), nullable=False),
        sa.Column("theme", sa.String(length=60), nullable=False),
        sa.Column("priority", sa.String(length=60), nullable=False),
        sa.Column("infrastructure", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("yellow_from", sa.Date(), nullable=True),
        sa.Column("deadline_version", sa.Integer(), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=True),
        sa.Column("responsible_id", IDENTIFIER, nullable=True),
        sa.Column("responsible_role", sa.String(length=60), nullable=True),
        sa.Column("executor_id", IDENTIFIER, nullable=True),
        sa.Column("executor_role", sa.String(length=60), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["executor_id"], ["people.id"], name=op.f("fk_earlier_states_executor_id")),
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f("fk_earlier_states_municipal_task_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_earlier_states_municipality_id")
        ),
        sa.ForeignKeyConstraint(
            ["responsible_id"], ["people.id"], name=op.f("fk_earlier_states_responsible_id")
        ),
        sa.PrimaryKeyConstraint("municipal_task_id", "until", name=op.f("pk_earlier_states")),
    )
    op.create_index(
        op.f("ix_earlier_states_municipality_id_until"), "earlier_states", ["municipality_id", "until"]
    )
    op.create_table(
        "last_meetings",
        sa.Column("person_id", IDENTIFIER, autoincrement=False, nullable=False),
        sa.Column("municipality_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_last_meetings_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_last_meetings_person_id")),
        sa.PrimaryKeyConstraint("person_id", "municipality_id", name=op.f("pk_last_meetings")),
    )
