"""Star, default and mail belong to a person's use of a filter; levels get a filter to open with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

LEVELS = (
    "'kombit-administrator', 'kombit-redaktoer', 'leverandoer', 'administrator', 'plusbruger', 'bruger', "
    "'laeser'"
)


def upgrade() -> None:
    used = _in_use()
    _take_the_use_out()
    uses = _make_uses()
    _make_defaults()
    if used:
        op.bulk_insert(uses, used)


def _in_use() -> list[dict[str, object]]:
    """What stands in the filters so far, a row for each that is used in any way."""
    rows = op.get_bind().execute(
        sa.text(
            "select f.id, f.person_id, f.pinned, f.is_default, f.subscription, date(f.created_at) as since,"
            " (select min(m.id) from memberships m where m.person_id = f.person_id"
            "  and coalesce(m.municipality_id, 0) = coalesce(f.municipality_id, 0)) as membership_id"
            " from saved_filters f where f.pinned or f.is_default or f.subscription != 'ingen'"
        ).columns(
            pinned=sa.Boolean(),
            is_default=sa.Boolean(),
            since=sa.Date(),
        )
    )
    return [
        {
            "person_id": row.person_id,
            "saved_filter_id": row.id,
            "pinned": row.pinned,
            "is_default": row.is_default,
            "subscription": row.subscription if row.membership_id else "ingen",
            "membership_id": row.membership_id,
            "chosen_on": row.since,
        }
        for row in rows
    ]


def _take_the_use_out() -> None:
    with op.batch_alter_table("saved_filters") as batch_op:
        batch_op.drop_index("uq_saved_filters_default")
        batch_op.drop_constraint(op.f("ck_saved_filters_subscription"), type_="check")
        for name in ("is_default", "pinned", "subscription"):
            batch_op.drop_column(name)
        batch_op.create_check_constraint(
            op.f("ck_saved_filters_municipality"), "shared != 'kommune' or municipality_id is not null"
        )
        batch_op.create_index(op.f("ix_saved_filters_shared_municipality_id"), ["shared", "municipality_id"])


def _make_uses() -> sa.Table:
    uses = op.create_table(
        "filter_uses",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("saved_filter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pinned", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("subscription", sa.String(10), server_default="ingen", nullable=False),
        sa.Column("membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("chosen_on", sa.Date()),
        sa.Column("looked_on", sa.Date()),
        sa.CheckConstraint(
            "subscription in ('ingen', 'dagligt', 'ugentligt')", name=op.f("ck_filter_uses_subscription")
        ),
        sa.CheckConstraint(
            "subscription = 'ingen' or (membership_id is not null and chosen_on is not null)",
            name=op.f("ck_filter_uses_subscriber"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_filter_uses_person_id")),
        sa.ForeignKeyConstraint(
            ["saved_filter_id"], ["saved_filters.id"], name=op.f("fk_filter_uses_saved_filter_id")
        ),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_filter_uses_membership_id")
        ),
        sa.PrimaryKeyConstraint("person_id", "saved_filter_id", name=op.f("pk_filter_uses")),
    )
    op.create_index(
        "uq_filter_uses_default",
        "filter_uses",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_index(op.f("ix_filter_uses_saved_filter_id"), "filter_uses", ["saved_filter_id"])
    op.create_index(
        "ix_filter_uses_subscribed",
        "filter_uses",
        ["looked_on"],
        sqlite_where=sa.text("subscription != 'ingen'"),
        postgresql_where=sa.text("subscription != 'ingen'"),
    )
    return uses


def _make_defaults() -> None:
    op.create_table(
        "filter_defaults",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipality_id", sa.Integer()),
        sa.Column("level", sa.String(60), nullable=False),
        sa.Column("saved_filter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.CheckConstraint(f"level in ({LEVELS})", name=op.f("ck_filter_defaults_level")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_filter_defaults_municipality_id")
        ),
        sa.ForeignKeyConstraint(
            ["saved_filter_id"], ["saved_filters.id"], name=op.f("fk_filter_defaults_saved_filter_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filter_defaults")),
        sa.UniqueConstraint(
            "municipality_id", "level", name=op.f("uq_filter_defaults_municipality_id_level")
        ),
    )
    op.create_index(
        "uq_filter_defaults_everywhere",
        "filter_defaults",
        ["level"],
        unique=True,
        sqlite_where=sa.text("municipality_id is null"),
        postgresql_where=sa.text("municipality_id is null"),
    )
    op.create_index(op.f("ix_filter_defaults_saved_filter_id"), "filter_defaults", ["saved_filter_id"])
