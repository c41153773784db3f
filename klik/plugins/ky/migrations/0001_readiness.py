"""The tables of KY."""

import sqlalchemy as sa
from alembic import op

revision = "ky0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ky_published",
        sa.Column("municipality", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("project", sa.String(60), primary_key=True),
        sa.Column("number", sa.String(12), primary_key=True),
    )
    op.create_table(
        "ky_readiness",
        sa.Column("task", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("ky_readiness")
    op.drop_table("ky_published")
