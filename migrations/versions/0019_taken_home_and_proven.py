"""What was drawn is known by its content, a package by what is in it, and a file let go waits to be removed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "discarded_files",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("store", sa.String(length=60), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("store in ('files', 'arkiv')", name=op.f("ck_discarded_files_store")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discarded_files")),
        sa.UniqueConstraint("store", "sha256", name=op.f("uq_discarded_files_store_sha256")),
    )
    op.add_column("deletions", sa.Column("query", sa.String(length=4000), nullable=True))
    with op.batch_alter_table("deletion_items") as batch_op:
        batch_op.add_column(sa.Column("fetched_sha256", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("archive_kept_until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("archive_removed_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("exports") as batch_op:
        batch_op.add_column(
            sa.Column("deletion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("task_ids", sa.Text(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_exports_deletion_id"), "deletions", ["deletion_id"], ["id"])
    _proofs()


def _proofs() -> None:
    with op.batch_alter_table("export_proofs") as batch_op:
        batch_op.drop_constraint(op.f("uq_export_proofs_code"), type_="unique")
        batch_op.add_column(sa.Column("kind", sa.String(length=60), server_default="opgave", nullable=False))
        batch_op.add_column(sa.Column("content_key", sa.String(length=64), nullable=True))
        batch_op.add_column(
            sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.add_column(sa.Column("pages", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("project", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("tasks", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("exported_by", sa.String(length=200), nullable=True))
    # Files made before had a code of their own each; what they were drawn from is not known.
    op.execute("update export_proofs set content_key = code")
    with op.batch_alter_table("export_proofs") as batch_op:
        batch_op.alter_column("content_key", existing_type=sa.String(length=64), nullable=False)
        batch_op.create_check_constraint(op.f("ck_export_proofs_kind"), "kind in ('opgave', 'pakke')")
        batch_op.create_unique_constraint(
            op.f("uq_export_proofs_content_key_sha256"), ["content_key", "sha256"]
        )
        batch_op.create_index(batch_op.f("ix_export_proofs_code"), ["code"])
        batch_op.create_index(batch_op.f("ix_export_proofs_municipal_task_id"), ["municipal_task_id"])
