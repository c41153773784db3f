"""How each person wants the list of tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "list_settings",
        sa.Column(
            "person_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("columns", sa.String(2000), nullable=True),
        sa.Column("page_size", sa.Integer(), nullable=True),
        sa.Column("grouping", sa.String(20), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_list_settings_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_list_settings")),
    )
