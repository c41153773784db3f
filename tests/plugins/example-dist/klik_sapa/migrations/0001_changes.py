"""The table of SAPA."""

import sqlalchemy as sa
from alembic import op

revision = "sapa0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sapa_changes",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("field", sa.String(60), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("sapa_changes")
