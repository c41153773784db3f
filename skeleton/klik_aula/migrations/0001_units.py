"""The table of the units."""

import sqlalchemy as sa
from alembic import op

revision = "aula0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "aula_units",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(100), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("municipality", "unit", name="uq_aula_units_unit"),
    )


def downgrade():
    op.drop_table("aula_units")
