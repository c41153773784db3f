"""The roles that a task "Udpeg …" goes out for, together with the task that needs them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    with op.batch_alter_table("tasks") as table:
        table.add_column(sa.Column("vacant_roles", sa.Text(), nullable=True))
