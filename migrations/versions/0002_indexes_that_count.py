"""Indexes that hold all that counting by colour asks for."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

COUNTED = ["yellow_from", "task_id", "withdrawn_at", "erased_at"]


def upgrade() -> None:
    for name, columns in (
        ("ix_municipal_tasks_list", ["municipality_id", "status", "deadline", *COUNTED]),
        (
            "ix_municipal_tasks_deadline",
            ["status", "deadline", *COUNTED, "municipality_id", "project_id"],
        ),
    ):
        op.drop_index(name, "municipal_tasks")
        op.create_index(name, "municipal_tasks", columns)
