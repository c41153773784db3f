"""When KOMBIT last wrote to a municipality, found without reading all its notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    written = sa.text("occasion = 'skrevet'")
    op.create_index(
        "ix_notices_written",
        "notices",
        ["municipality_id", "created_at"],
        sqlite_where=written,
        postgresql_where=written,
    )
