"""The tables of KP's driftsside."""

from klik.plugins.driftsside import create_tables, drop_tables

revision = "kp0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_tables("kp")


def downgrade() -> None:
    drop_tables("kp")
