"""The tables of klarmelding."""

import sqlalchemy as sa
from alembic import op

revision = "klarmelding0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "klarmelding_criteria",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("interface", sa.String(20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.Integer()),
        sa.UniqueConstraint("interface", "number", name="uq_klarmelding_criteria"),
    )
    op.create_table(
        "klarmelding_agreements",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("supplier", sa.String(120), nullable=False),
        sa.Column("supplier_key", sa.String(150), nullable=False),
        sa.Column("system", sa.String(120), nullable=False),
        sa.Column("system_key", sa.String(150), nullable=False),
        sa.Column("bought_on", sa.Date()),
        sa.Column("questions", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.Integer()),
        sa.UniqueConstraint(
            "municipality_id", "supplier_key", "system_key", name="uq_klarmelding_agreements"
        ),
    )
    op.create_table(
        "klarmelding_demands",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("agreement_id", sa.Integer(), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("interface", sa.String(20), nullable=False),
        sa.Column("due", sa.Date()),
        sa.UniqueConstraint("agreement_id", "interface", name="uq_klarmelding_demands"),
    )
    op.create_table(
        "klarmelding_sheets",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("supplier", sa.String(120), nullable=False),
        sa.Column("supplier_key", sa.String(150), nullable=False),
        sa.Column("system", sa.String(120), nullable=False),
        sa.Column("system_key", sa.String(150), nullable=False),
        sa.Column("edition", sa.String(20), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.Integer()),
        sa.UniqueConstraint(
            "municipality_id", "supplier_key", "system_key", "edition", name="uq_klarmelding_sheets"
        ),
    )
    op.create_index("ix_klarmelding_sheets_supplier_key", "klarmelding_sheets", ["supplier_key"])
    op.create_index("ix_klarmelding_sheets_municipality_id", "klarmelding_sheets", ["municipality_id"])
    op.create_table(
        "klarmelding_declarations",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("interface", sa.String(20), nullable=False),
        sa.Column("said", sa.String(20), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("by_supplier", sa.Boolean(), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.Integer()),
        sa.UniqueConstraint("sheet_id", "interface", name="uq_klarmelding_declarations"),
    )
    op.create_table(
        "klarmelding_confirmations",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("interface", sa.String(20), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.Integer()),
        sa.UniqueConstraint("sheet_id", "interface", name="uq_klarmelding_confirmations"),
    )
    op.create_table(
        "klarmelding_answers",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("sheet_id", sa.Integer(), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("interface", sa.String(20), nullable=False),
        sa.Column("criterion", sa.Integer(), nullable=False),
        sa.Column("edition", sa.Integer(), nullable=False),
        sa.Column("met", sa.Boolean()),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person", sa.Integer()),
        sa.UniqueConstraint("sheet_id", "interface", "criterion", name="uq_klarmelding_answers"),
    )


def downgrade() -> None:
    op.drop_table("klarmelding_answers")
    op.drop_table("klarmelding_confirmations")
    op.drop_table("klarmelding_declarations")
    op.drop_table("klarmelding_sheets")
    op.drop_table("klarmelding_demands")
    op.drop_table("klarmelding_agreements")
    op.drop_table("klarmelding_criteria")
