"""From which day on a person wants each reminder before a deadline, so that none is called late for before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("notice_settings", sa.Column("chosen_on", sa.String(100), nullable=True))
