"""The tables of KSD."""

import sqlalchemy as sa
from alembic import op

revision = "ksd0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ksd_open_tasks",
        sa.Column("municipality", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("title_key", sa.String(200), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("blocks", sa.String(20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
    )
    op.create_table(
        "ksd_reports",
        sa.Column("municipality", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("ksd_reports")
    op.drop_table("ksd_open_tasks")
