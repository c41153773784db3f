"""When people are told, where mails come back from, what channels carry, and the days' control reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "notice_settings",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("at_once", sa.String(2000), nullable=True),
        sa.Column("days_before", sa.String(100), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        sa.PrimaryKeyConstraint("person_id"),
        sa.CheckConstraint("hour between 5 and 20", name="hour"),
    )
    op.create_table(
        "bounced_addresses",
        sa.Column("address_key", sa.String(320), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.Column("reply", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("address_key"),
        sa.CheckConstraint("state in ('blod', 'haard')", name="state"),
    )
    op.create_table(
        "bounces",
        sa.Column("id", ID, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("mail_id", ID, nullable=True),
        sa.Column("address", sa.String(320), nullable=True),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("status", sa.String(20), nullable=True),
        sa.Column("reply", sa.String(300), nullable=False),
        sa.ForeignKeyConstraint(["mail_id"], ["mails.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
        sa.CheckConstraint("kind in ('haard', 'blod', 'forsinket', 'fravaer', 'ukendt')", name="kind"),
    )
    op.create_index("ix_bounces_mail_id", "bounces", ["mail_id"])
    op.create_table(
        "channel_routes",
        sa.Column("id", ID, nullable=False),
        sa.Column("channel", sa.String(60), nullable=False),
        sa.Column("system_code", sa.String(60), nullable=False),
        sa.Column("occasions", sa.String(2000), nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["system_code"], ["systems.code"]),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "system_code"),
    )
    counts = [
        "expected",
        "sent",
        "waiting",
        "doubtful",
        "failed",
        "returned",
        "withdrawn",
        "missing",
        "nobody",
    ]
    op.create_table(
        "control_reports",
        sa.Column("id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("day"),
    )
