"""What plug-ins tell, who subscribes to it, and how their contributions have failed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "plugin_announcements",
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("topic", sa.String(length=60), nullable=False),
        sa.Column("dedupe_key", sa.String(length=120), nullable=False),
        sa.Column("heading", sa.String(length=300), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugin_announcements")),
        sa.UniqueConstraint("topic", "dedupe_key", name=op.f("uq_plugin_announcements_topic_dedupe_key")),
    )
    op.create_index(op.f("ix_plugin_announcements_told_at"), "plugin_announcements", ["told_at"])
    op.create_table(
        "topic_subscriptions",
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("person_id", IDENTIFIER, nullable=False),
        sa.Column("topic", sa.String(length=60), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_topic_subscriptions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_subscriptions")),
        sa.UniqueConstraint("person_id", "topic", name=op.f("uq_topic_subscriptions_person_id_topic")),
    )
    op.create_index(op.f("ix_topic_subscriptions_topic"), "topic_subscriptions", ["topic"])
    op.create_table(
        "plugin_faults",
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("plugin", sa.String(length=60), nullable=False),
        sa.Column("contribution", sa.String(length=120), nullable=False),
        sa.Column("fault", sa.String(length=300), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugin_faults")),
        sa.UniqueConstraint("contribution", name=op.f("uq_plugin_faults_contribution")),
    )
