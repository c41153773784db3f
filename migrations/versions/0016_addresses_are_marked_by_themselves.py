"""Whether mails reach an address stands with the address, no longer with a person; indexes that SQLite takes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.drop_column("people", "address_state")
    op.drop_index("ix_mails_open", "mails")
    for name, column, condition in (
        ("ix_mails_due", "next_attempt_at", "state = 'pending'"),
        ("ix_mails_leased", "lease_until", "lease_until is not null"),
    ):
        where = sa.text(condition)
        op.create_index(name, "mails", [column], sqlite_where=where, postgresql_where=where)
