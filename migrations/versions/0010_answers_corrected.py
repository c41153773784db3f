"""When an answer was corrected, and why a question was closed without one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("questions", sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("questions", sa.Column("close_reason", sa.String(length=500), nullable=True))
