"""Why a task that is past its last day is not deleted yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.add_column("deletion_items", sa.Column("problem", sa.String(length=500), nullable=True))
