"""The tables of KP's support desk."""

import sqlalchemy as sa
from alembic import op

revision = "kp0002"
down_revision = "kp0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "kp_cases",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("support_kind", sa.String(60), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("title_kept", sa.Boolean(), nullable=False),
        sa.Column("component", sa.String(60), nullable=False),
        sa.Column("criticality", sa.String(1), nullable=False),
        sa.Column("about_citizen", sa.Boolean(), nullable=False),
        sa.Column("case_key", sa.String(20), nullable=False),
        sa.Column("task_key", sa.String(20), nullable=False),
        sa.Column("payment_on", sa.Date()),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("tried", sa.Text(), nullable=False),
        sa.Column("technical", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("elsewhere", sa.Text(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(40), nullable=False),
        sa.Column("filed_on", sa.Date()),
        sa.Column("follow_up_on", sa.Date()),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_on", sa.Date()),
        sa.Column("person", sa.Integer()),
        sa.Column("changed_by", sa.Integer()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_kp_cases_municipality", "kp_cases", ["municipality"])
    op.create_table(
        "kp_ticks",
        sa.Column("case_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("checklist", sa.String(20), primary_key=True),
        sa.Column("point", sa.String(20), primary_key=True),
        sa.Column("municipality", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "kp_knowledge",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("municipality", sa.Integer()),
        sa.Column("case_id", sa.Integer()),
        sa.Column("component", sa.String(60), nullable=False),
        sa.Column("problem", sa.String(200), nullable=False),
        sa.Column("solution", sa.Text(), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True)),
        sa.Column("person", sa.Integer()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_kp_knowledge_municipality", "kp_knowledge", ["municipality"])


def downgrade() -> None:
    op.drop_table("kp_knowledge")
    op.drop_table("kp_ticks")
    op.drop_table("kp_cases")
