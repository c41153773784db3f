"""Stamps that rise with every change of a municipality's data, and an index that holds what choices count."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

LISTED = ["municipality_id", "status", "deadline", "yellow_from", "task_id", "withdrawn_at", "erased_at"]
LISTED += ["project_id", "system_code", "phase", "theme", "priority", "infrastructure"]
LISTED += ["responsible_id", "responsible_role", "executor_id", "executor_role"]


def upgrade() -> None:
    op.create_table(
        "data_stamps",
        sa.Column("municipality_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("part", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("municipality_id", "part", "slot", name=op.f("pk_data_stamps")),
    )
    op.drop_index("ix_municipal_tasks_list", "municipal_tasks")
    op.create_index("ix_municipal_tasks_list", "municipal_tasks", LISTED)
