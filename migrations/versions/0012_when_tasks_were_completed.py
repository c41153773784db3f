"""What was completed in the last weeks, in each municipality, found without reading the tasks themselves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
COLUMNS = ["completed_on", "municipality_id", "project_id", "deadline", "phase", "status", "round", "theme"]
COLUMNS += ["system_code", "task_id", "withdrawn_at", "erased_at", "responsible_role"]


def upgrade() -> None:
    completed = sa.text("completed_on is not null")
    op.create_index(
        "ix_municipal_tasks_completed",
        "municipal_tasks",
        COLUMNS,
        sqlite_where=completed,
        postgresql_where=completed,
    )
