"""Role descriptions that change, people who leave, roles asked about, and who looked the gallery up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    _descriptions()
    _departures()
    _answers()
    _lookups()
    op.create_index(op.f("ix_audit_entries_subject"), "audit_entries", ["subject"])


def _descriptions() -> None:
    op.create_table(
        "role_editions",
        sa.Column("role", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("change", sa.String(length=300), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("known_from", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("role", "version", name=op.f("pk_role_editions")),
    )
    op.create_table(
        "role_readings",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("role", sa.String(length=60), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_role_readings_person_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_role_readings")),
    )


def _departures() -> None:
    op.create_table(
        "departures",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=True),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("regretted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("completed_at is null or regretted_at is null", name=op.f("ck_departures_end")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_departures_created_by")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_departures_municipality_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id", "municipality_id"],
            ["memberships.person_id", "memberships.municipality_id"],
            name=op.f("fk_departures_person_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_departures_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departures")),
    )
    with op.batch_alter_table("departures") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_departures_municipality_id_last_day"), ["municipality_id", "last_day"]
        )
        batch_op.create_index(
            "uq_departures_open",
            ["person_id", "municipality_id"],
            unique=True,
            sqlite_where=sa.text("completed_at is null and regretted_at is null"),
            postgresql_where=sa.text("completed_at is null and regretted_at is null"),
        )
    op.create_table(
        "departure_heirs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("departure_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=300), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["departure_id"], ["departures.id"], name=op.f("fk_departure_heirs_departure_id")
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_departure_heirs_municipality_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id", "municipality_id"],
            ["memberships.person_id", "memberships.municipality_id"],
            name=op.f("fk_departure_heirs_person_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_departure_heirs_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departure_heirs")),
    )
    with op.batch_alter_table("departure_heirs") as batch_op:
        batch_op.create_index(batch_op.f("ix_departure_heirs_departure_id"), ["departure_id"])


def _answers() -> None:
    op.create_table(
        "role_answers",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("role_holding_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("round", sa.String(length=60), nullable=False),
        sa.Column("answer", sa.String(length=10), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_name", sa.String(length=200), nullable=True),
        sa.Column("proposed_email", sa.String(length=320), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("settled_as", sa.String(length=10), nullable=True),
        sa.CheckConstraint("answer in ('ja', 'ny', 'tom')", name=op.f("ck_role_answers_answer")),
        sa.CheckConstraint(
            "settled_as is null or settled_as in ('udfoert', 'afvist', 'bortfaldet')",
            name=op.f("ck_role_answers_settled_as"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_role_answers_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_role_answers_person_id")),
        sa.ForeignKeyConstraint(
            ["role_holding_id"], ["role_holdings.id"], name=op.f("fk_role_answers_role_holding_id")
        ),
        sa.ForeignKeyConstraint(["settled_by"], ["people.id"], name=op.f("fk_role_answers_settled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_answers")),
    )
    with op.batch_alter_table("role_answers") as batch_op:
        batch_op.create_index(batch_op.f("ix_role_answers_municipality_id"), ["municipality_id"])
        batch_op.create_index(
            batch_op.f("ix_role_answers_role_holding_id_round"), ["role_holding_id", "round"]
        )


def _lookups() -> None:
    op.create_table(
        "gallery_lookups",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dedupe_key", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("about_person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["about_person_id"], ["people.id"], name=op.f("fk_gallery_lookups_about_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_gallery_lookups_membership_id")
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_gallery_lookups_municipality_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gallery_lookups")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_gallery_lookups_dedupe_key")),
    )
    with op.batch_alter_table("gallery_lookups") as batch_op:
        batch_op.create_index(batch_op.f("ix_gallery_lookups_about_person_id"), ["about_person_id"])
        batch_op.create_index(batch_op.f("ix_gallery_lookups_municipality_id_at"), ["municipality_id", "at"])
