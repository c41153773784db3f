"""Bulk changes, with the values they replaced."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "bulk_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("field", sa.String(length=120), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_change_id", ID, nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_bulk_changes_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_bulk_changes_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_changes")),
    )
    op.create_index(op.f("ix_bulk_changes_person_id_at"), "bulk_changes", ["person_id", "at"])
    op.create_table(
        "bulk_change_items",
        sa.Column("bulk_change_id", ID, autoincrement=False, nullable=False),
        sa.Column("municipal_task_id", ID, autoincrement=False, nullable=False),
        sa.Column("version_after", sa.Integer(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("kept_because", sa.String(length=300), nullable=True),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bulk_change_id"], ["bulk_changes.id"], name=op.f("fk_bulk_change_items_bulk_change_id")
        ),
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f("fk_bulk_change_items_municipal_task_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_bulk_change_items_municipality_id")
        ),
        sa.PrimaryKeyConstraint("bulk_change_id", "municipal_task_id", name=op.f("pk_bulk_change_items")),
    )
    op.create_index(
        op.f("ix_bulk_change_items_municipal_task_id"), "bulk_change_items", ["municipal_task_id"]
    )
