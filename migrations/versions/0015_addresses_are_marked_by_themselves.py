"""Whether mails reach an address stands with the address (bounced_addresses), no longer with a person."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.drop_column("people", "address_state")
