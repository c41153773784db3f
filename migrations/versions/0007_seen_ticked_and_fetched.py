"""What a person has seen of a task, who ticked what, calendar feeds, and when an export began."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

IDENTIFIER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("read_marks") as table:
        table.add_column(sa.Column("task_version_id", IDENTIFIER, nullable=True))
        table.create_foreign_key(
            op.f("fk_read_marks_task_version_id"), "task_versions", ["task_version_id"], ["id"]
        )
    with op.batch_alter_table("comments") as table:
        table.add_column(sa.Column("edited_at", INSTANT, nullable=True))
    with op.batch_alter_table("checklist_items") as table:
        table.add_column(sa.Column("changed_at", INSTANT, nullable=True))
        table.add_column(sa.Column("changed_by", IDENTIFIER, nullable=True))
        table.create_foreign_key(op.f("fk_checklist_items_changed_by"), "people", ["changed_by"], ["id"])
    with op.batch_alter_table("exports") as table:
        table.add_column(sa.Column("started_at", INSTANT, nullable=True))
    _calendar_feeds()


def _calendar_feeds() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("id", IDENTIFIER, nullable=False),
        sa.Column("person_id", IDENTIFIER, nullable=False),
        sa.Column("membership_id", IDENTIFIER, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("query", sa.String(length=4000), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.Column("fetched_at", INSTANT, nullable=True),
        sa.Column("hour", INSTANT, nullable=True),
        sa.Column("fetches", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_calendar_feeds_person_id")),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_calendar_feeds_membership_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("hash", name=op.f("uq_calendar_feeds_hash")),
    )
    op.create_index(op.f("ix_calendar_feeds_person_id"), "calendar_feeds", ["person_id"])
    op.create_table(
        "calendar_feed_events",
        sa.Column("feed_id", IDENTIFIER, autoincrement=False, nullable=False),
        sa.Column("municipal_task_id", IDENTIFIER, autoincrement=False, nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("deadline_version", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("cancelled_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["calendar_feeds.id"], name=op.f("fk_calendar_feed_events_feed_id")
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"],
            ["municipalities.id"],
            name=op.f("fk_calendar_feed_events_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f("fk_calendar_feed_events_municipal_task_id_municipality_id"),
        ),
        sa.PrimaryKeyConstraint("feed_id", "municipal_task_id", name=op.f("pk_calendar_feed_events")),
    )
