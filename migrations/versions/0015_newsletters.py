"""What newsletters need to be written, planned, sent, read by anybody, and unsubscribed from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
UNMAILED_LETTERS = sa.text("state = 'sendt' and mailed_at is null")
UNMAILED_RECIPIENTS = sa.text("mail_id is null and skipped is null")


def upgrade() -> None:
    with op.batch_alter_table("newsletters") as table:
        table.add_column(sa.Column("changed_by", ID, nullable=True))
        table.add_column(sa.Column("sent_by", ID, nullable=True))
        table.add_column(sa.Column("mailed_at", INSTANT, nullable=True))
        table.add_column(sa.Column("problem", sa.String(500), nullable=True))
        table.add_column(sa.Column("public", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.create_foreign_key(op.f("fk_newsletters_changed_by"), "people", ["changed_by"], ["id"])
        table.create_foreign_key(op.f("fk_newsletters_sent_by"), "people", ["sent_by"], ["id"])
    op.create_index(
        "ix_newsletters_unmailed",
        "newsletters",
        ["sent_at"],
        sqlite_where=UNMAILED_LETTERS,
        postgresql_where=UNMAILED_LETTERS,
    )
    with op.batch_alter_table("newsletter_recipients") as table:
        table.add_column(sa.Column("municipality_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("reason", sa.String(300), nullable=True))
        table.add_column(sa.Column("skipped", sa.String(10), nullable=True))
        table.create_foreign_key(
            op.f("fk_newsletter_recipients_municipality_id"), "municipalities", ["municipality_id"], ["id"]
        )
        table.create_check_constraint(
            op.f("ck_newsletter_recipients_skipped"), "skipped in ('frameldt', 'retur', 'inaktiv')"
        )
    op.create_index("ix_newsletter_recipients_mail_id", "newsletter_recipients", ["mail_id"])
    op.create_index("ix_newsletter_recipients_address", "newsletter_recipients", ["address"])
    op.create_index(
        "ix_newsletter_recipients_unmailed",
        "newsletter_recipients",
        ["newsletter_id", "id"],
        sqlite_where=UNMAILED_RECIPIENTS,
        postgresql_where=UNMAILED_RECIPIENTS,
    )
    op.create_table(
        "newsletter_addresses",
        sa.Column("id", ID, nullable=False),
        sa.Column("address_key", sa.String(320), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=True),
        sa.Column("asked_count", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("unsubscribed_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("address_key"),
    )
