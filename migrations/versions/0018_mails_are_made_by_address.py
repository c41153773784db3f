"""An index of the notices that wait, by the address they are for; that of the mails only holds what has one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.drop_index("ix_notices_mail_id", "notices")
    for name, columns, condition in (
        ("ix_notices_waiting_address", ["address", "due_at"], "mail_id is null and withdrawn_at is null"),
        ("ix_notices_mail_id", ["mail_id"], "mail_id is not null"),
    ):
        where = sa.text(condition)
        op.create_index(name, "notices", columns, sqlite_where=where, postgresql_where=where)
