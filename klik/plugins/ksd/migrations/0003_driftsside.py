"""The tables of KSD's driftsside."""

from klik.plugins.driftsside import create_tables, drop_tables

revision = "ksd0003"
down_revision = "ksd0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_tables("ksd")


def downgrade() -> None:
    drop_tables("ksd")
