"""The tables of driftsstatus, with the areas KOMBIT reports on and their goals (seed 003, September 2020)."""

import sqlalchemy as sa
from alembic import op

revision = "driftsstatus0001"
down_revision = None
branch_labels = None
depends_on = None

AREAS = (
    ("serviceplatformen", "SP produktionsmiljø m1", 9980),
    ("serviceplatformen", "SP produktionsmiljø m2", 9850),
    ("serviceplatformen", "STS adm produktionsmiljø m1", 9980),
    ("serviceplatformen", "STS adm produktionsmiljø m2", 9850),
    ("serviceplatformen", "Antal servicekald i runde tal", None),
    ("stoettesystemer", "KO - applikation", 9990),
    ("stoettesystemer", "KO - infrastruktur", 9990),
    ("stoettesystemer", "SDY - applikation", 9990),
    ("stoettesystemer", "SDY - infrastruktur", 9990),
    ("stoettesystemer", "BF - applikation", 9990),
    ("stoettesystemer", "BF - infrastruktur", 9990),
    ("stoettesystemer", "Adgangsstyring - applikation", 9990),
    ("stoettesystemer", "Adgangsstyring - infrastruktur", 9990),
)


def upgrade() -> None:
    areas = op.create_table(
        "driftsstatus_areas",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("goal", sa.Integer()),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.UniqueConstraint("system", "name"),
    )
    op.create_table(
        "driftsstatus_figures",
        sa.Column("area", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("value", sa.Integer(), nullable=False),
    )
    op.create_table(
        "driftsstatus_months",
        sa.Column("system", sa.String(40), primary_key=True),
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("windows", sa.Integer()),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.create_table(
        "driftsstatus_incidents",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("area", sa.Integer(), nullable=False),
        sa.Column("heading", sa.String(150), nullable=False),
        sa.Column("colour", sa.String(4), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True)),
        sa.Column("seen", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("mend", sa.Text(), nullable=False),
        sa.Column("solution", sa.Text(), nullable=False),
        sa.Column("planned_on", sa.Date()),
        sa.Column("solved", sa.String(20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("person", sa.Integer()),
    )
    op.create_index("ix_driftsstatus_incidents_area", "driftsstatus_incidents", ["area"])
    rows = [
        {"system": system, "name": name, "goal": goal, "position": number}
        for number, (system, name, goal) in enumerate(AREAS, start=1)
    ]
    op.bulk_insert(areas, rows)


def downgrade() -> None:
    for table in ("incidents", "months", "figures", "areas"):
        op.drop_table(f"driftsstatus_{table}")
