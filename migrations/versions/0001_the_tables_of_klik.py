"""The tables of klik."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("municipality_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=120), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_entries_hash")),
        sa.UniqueConstraint("previous", name=op.f("uq_audit_entries_previous")),
    )
    with op.batch_alter_table("audit_entries") as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entries_at"), ["at"], unique=False)

    op.create_table(
        "heartbeats",
        sa.Column("process", sa.String(length=60), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("process", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "job_runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job", sa.String(length=60), nullable=False),
        sa.Column("period", sa.String(length=60), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_runs")),
        sa.UniqueConstraint("job", "period", name=op.f("uq_job_runs_job_period")),
    )
    op.create_table(
        "login_attempts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_attempts")),
    )
    with op.batch_alter_table("login_attempts") as batch_op:
        batch_op.create_index(batch_op.f("ix_login_attempts_subject_at"), ["subject", "at"], unique=False)

    op.create_table(
        "municipalities",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("region", sa.String(length=60), nullable=False),
        sa.Column("mailbox", sa.String(length=320), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_municipalities")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("address_state", sa.String(length=10), server_default="ok", nullable=False),
        sa.Column("epoch", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("anonymised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email_key", name=op.f("uq_people_email_key")),
    )
    with op.batch_alter_table("people") as batch_op:
        batch_op.create_index(batch_op.f("ix_people_name_key"), ["name_key"], unique=False)

    op.create_table(
        "plugin_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("plugin", sa.String(length=60), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plugin_events")),
    )
    with op.batch_alter_table("plugin_events") as batch_op:
        batch_op.create_index(
            "ix_plugin_events_open",
            ["next_attempt_at"],
            unique=False,
            sqlite_where=sa.text("done_at is null"),
            postgresql_where=sa.text("done_at is null"),
        )

    op.create_table(
        "stored_files",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_stored_files")),
    )
    op.create_table(
        "systems",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("supplier", sa.String(length=300), nullable=False),
        sa.Column("installed", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_systems")),
    )
    op.create_table(
        "deletions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("heading", sa.String(length=300), nullable=False),
        sa.Column("legal_basis", sa.String(length=500), nullable=False),
        sa.Column("decided_by", sa.String(length=300), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("announced_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("regretted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state in ('varslet', 'fortrudt', 'afsluttet')", name=op.f("ck_deletions_state")),
        sa.ForeignKeyConstraint(["announced_by"], ["people.id"], name=op.f("fk_deletions_announced_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deletions")),
    )
    op.create_table(
        "export_proofs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=True),
        sa.Column("municipal_task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("task_number", sa.String(length=12), nullable=True),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_export_proofs_municipality_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_proofs")),
        sa.UniqueConstraint("code", name=op.f("uq_export_proofs_code")),
    )
    with op.batch_alter_table("export_proofs") as batch_op:
        batch_op.create_index(batch_op.f("ix_export_proofs_sha256"), ["sha256"], unique=False)

    op.create_table(
        "exports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("query", sa.String(length=4000), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("file_name", sa.String(length=300), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('venter', 'i-gang', 'faerdig', 'fejlet', 'annulleret')", name=op.f("ck_exports_state")
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_exports_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_exports_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    with op.batch_alter_table("exports") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_exports_person_id_created_at"), ["person_id", "created_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_exports_state"), ["state"], unique=False)

    op.create_table(
        "mails",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=60), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("resent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_owner", sa.String(length=100), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reply", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state in ('pending', 'claimed', 'in_doubt', 'sent', 'failed', 'bounced', 'stale')",
            name=op.f("ck_mails_state"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_mails_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("message_id", name=op.f("uq_mails_message_id")),
    )
    with op.batch_alter_table("mails") as batch_op:
        batch_op.create_index(
            "ix_mails_open",
            ["state", "next_attempt_at"],
            unique=False,
            sqlite_where=sa.text("state in ('pending', 'claimed', 'in_doubt')"),
            postgresql_where=sa.text("state in ('pending', 'claimed', 'in_doubt')"),
        )

    op.create_table(
        "memberships",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=True),
        sa.Column("level", sa.String(length=60), nullable=False),
        sa.Column("organisation", sa.String(length=100), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(municipality_id is null) = (level in ('kombit-administrator', 'kombit-redaktoer', 'leverandoer'))",
            name=op.f("ck_memberships_place"),
        ),
        sa.CheckConstraint(
            "level in ('kombit-administrator', 'kombit-redaktoer', 'leverandoer', 'administrator', 'plusbruger', 'bruger', 'laeser')",
            name=op.f("ck_memberships_level"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_memberships_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_memberships_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint(
            "person_id", "municipality_id", name=op.f("uq_memberships_person_id_municipality_id")
        ),
    )
    with op.batch_alter_table("memberships") as batch_op:
        batch_op.create_index(batch_op.f("ix_memberships_municipality_id"), ["municipality_id"], unique=False)
        batch_op.create_index(
            "uq_memberships_central",
            ["person_id"],
            unique=True,
            sqlite_where=sa.text("municipality_id is null"),
            postgresql_where=sa.text("municipality_id is null"),
        )

    op.create_table(
        "newsletters",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("audience", sa.String(length=4000), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state in ('kladde', 'planlagt', 'sendt')", name=op.f("ck_newsletters_state")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_newsletters_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_newsletters")),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("system_code", sa.String(length=60), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["system_code"], ["systems.code"], name=op.f("fk_projects_system_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
        sa.UniqueConstraint("slug", name=op.f("uq_projects_slug")),
    )
    op.create_table(
        "request_keys",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("result", sa.String(length=300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_request_keys_person_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_request_keys")),
    )
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("query", sa.String(length=4000), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("pinned", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("shared", sa.String(length=10), nullable=False),
        sa.Column("subscription", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("shared in ('selv', 'kommune', 'alle')", name=op.f("ck_saved_filters_shared")),
        sa.CheckConstraint(
            "subscription in ('ingen', 'dagligt', 'ugentligt')", name=op.f("ck_saved_filters_subscription")
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_saved_filters_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_saved_filters_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
        sa.UniqueConstraint("person_id", "name_key", name=op.f("uq_saved_filters_person_id_name_key")),
    )
    with op.batch_alter_table("saved_filters") as batch_op:
        batch_op.create_index(
            "uq_saved_filters_default",
            ["person_id"],
            unique=True,
            sqlite_where=sa.text("is_default"),
            postgresql_where=sa.text("is_default"),
        )

    op.create_table(
        "secret_tokens",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purpose", sa.String(length=60), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_secret_tokens_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secret_tokens")),
        sa.UniqueConstraint("hash", name=op.f("uq_secret_tokens_hash")),
    )
    op.create_table(
        "waves",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("system_code", sa.String(length=60), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("go_live", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["system_code"], ["systems.code"], name=op.f("fk_waves_system_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waves")),
        sa.UniqueConstraint("id", "system_code", name=op.f("uq_waves_id_system_code")),
        sa.UniqueConstraint("system_code", "slug", name=op.f("uq_waves_system_code_slug")),
    )
    op.create_table(
        "login_sessions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("browser", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_login_sessions_membership_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_login_sessions_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_sessions")),
    )
    with op.batch_alter_table("login_sessions") as batch_op:
        batch_op.create_index(batch_op.f("ix_login_sessions_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_sessions_person_id"), ["person_id"], unique=False)

    op.create_table(
        "membership_systems",
        sa.Column("membership_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("system_code", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["memberships.id"], name=op.f("fk_membership_systems_membership_id")
        ),
        sa.ForeignKeyConstraint(
            ["system_code"], ["systems.code"], name=op.f("fk_membership_systems_system_code")
        ),
        sa.PrimaryKeyConstraint("membership_id", "system_code", name=op.f("pk_membership_systems")),
    )
    op.create_table(
        "municipal_systems",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("system_code", sa.String(length=60), nullable=False),
        sa.Column("wave_id", sa.Integer(), nullable=True),
        sa.Column("go_live", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_municipal_systems_municipality_id")
        ),
        sa.ForeignKeyConstraint(
            ["system_code"], ["systems.code"], name=op.f("fk_municipal_systems_system_code")
        ),
        sa.ForeignKeyConstraint(
            ["wave_id", "system_code"],
            ["waves.id", "waves.system_code"],
            name=op.f("fk_municipal_systems_wave_id_system_code"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_municipal_systems")),
        sa.UniqueConstraint(
            "municipality_id", "system_code", name=op.f("uq_municipal_systems_municipality_id_system_code")
        ),
    )
    with op.batch_alter_table("municipal_systems") as batch_op:
        batch_op.create_index(batch_op.f("ix_municipal_systems_system_code"), ["system_code"], unique=False)

    op.create_table(
        "newsletter_recipients",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("newsletter_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("mail_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unsubscribed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["mail_id"], ["mails.id"], name=op.f("fk_newsletter_recipients_mail_id")),
        sa.ForeignKeyConstraint(
            ["newsletter_id"], ["newsletters.id"], name=op.f("fk_newsletter_recipients_newsletter_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_newsletter_recipients_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_newsletter_recipients")),
        sa.UniqueConstraint(
            "newsletter_id", "address", name=op.f("uq_newsletter_recipients_newsletter_id_address")
        ),
    )
    op.create_table(
        "role_holdings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=60), nullable=False),
        sa.Column("system_code", sa.String(length=60), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("mailbox", sa.String(length=320), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("is_primary", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind in ('indehaver', 'stedfortraeder')", name=op.f("ck_role_holdings_kind")),
        sa.CheckConstraint("(person_id is null) <> (mailbox is null)", name=op.f("ck_role_holdings_holder")),
        sa.CheckConstraint(
            "valid_to is null or valid_to >= valid_from", name=op.f("ck_role_holdings_period")
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_role_holdings_municipality_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id", "municipality_id"],
            ["memberships.person_id", "memberships.municipality_id"],
            name=op.f("fk_role_holdings_person_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_role_holdings_person_id")),
        sa.ForeignKeyConstraint(["system_code"], ["systems.code"], name=op.f("fk_role_holdings_system_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_holdings")),
    )
    with op.batch_alter_table("role_holdings") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_role_holdings_municipality_id_role"), ["municipality_id", "role"], unique=False
        )
        batch_op.create_index(
            "uq_role_holdings_primary",
            ["municipality_id", "role"],
            unique=True,
            sqlite_where=sa.text("is_primary and valid_to is null and system_code is null"),
            postgresql_where=sa.text("is_primary and valid_to is null and system_code is null"),
        )
        batch_op.create_index(
            "uq_role_holdings_system_primary",
            ["municipality_id", "role", "system_code"],
            unique=True,
            sqlite_where=sa.text("is_primary and valid_to is null and system_code is not null"),
            postgresql_where=sa.text("is_primary and valid_to is null and system_code is not null"),
        )

    op.create_table(
        "tasks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_number", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("current_number", sa.Integer(), nullable=True),
        sa.Column("template", sa.String(length=120), nullable=True),
        sa.Column("round", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("publish_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("recipient_count", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=500), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state in ('kladde', 'til-godkendelse', 'kommende', 'planlagt', 'udgivet', 'tilbagetrukket')",
            name=op.f("ck_tasks_state"),
        ),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_tasks_created_by")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_tasks_project_id")),
        sa.ForeignKeyConstraint(["published_by"], ["people.id"], name=op.f("fk_tasks_published_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("project_id", "task_number", name=op.f("uq_tasks_project_id_task_number")),
    )
    with op.batch_alter_table("tasks") as batch_op:
        batch_op.create_index(batch_op.f("ix_tasks_state"), ["state"], unique=False)

    op.create_table(
        "task_files",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("added_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["people.id"], name=op.f("fk_task_files_added_by")),
        sa.ForeignKeyConstraint(["sha256"], ["stored_files.sha256"], name=op.f("fk_task_files_sha256")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_files_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_files")),
    )
    with op.batch_alter_table("task_files") as batch_op:
        batch_op.create_index(batch_op.f("ix_task_files_task_id"), ["task_id"], unique=False)

    op.create_table(
        "task_links",
        sa.Column(
            "task_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "needs_task_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.CheckConstraint("task_id <> needs_task_id", name=op.f("ck_task_links_other")),
        sa.ForeignKeyConstraint(["needs_task_id"], ["tasks.id"], name=op.f("fk_task_links_needs_task_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_links_task_id")),
        sa.PrimaryKeyConstraint("task_id", "needs_task_id", name=op.f("pk_task_links")),
    )
    op.create_table(
        "task_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("phase", sa.String(length=60), nullable=False),
        sa.Column("theme", sa.String(length=60), nullable=False),
        sa.Column("priority", sa.String(length=60), nullable=False),
        sa.Column("infrastructure", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("prerequisites", sa.Text(), nullable=False),
        sa.Column("how_to", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("material", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("responsible_role", sa.String(length=60), nullable=True),
        sa.Column("executor_role", sa.String(length=60), nullable=True),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("deadline_rule", sa.String(length=120), nullable=False),
        sa.Column("deadline_parameter", sa.String(length=120), nullable=False),
        sa.Column("search_key", sa.Text(), nullable=False),
        sa.Column("change_note", sa.String(length=500), nullable=True),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("priority in ('hoej', 'normal', 'lav')", name=op.f("ck_task_versions_priority")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_task_versions_created_by")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_versions_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_versions")),
        sa.UniqueConstraint("id", "task_id", name=op.f("uq_task_versions_id_task_id")),
        sa.UniqueConstraint("task_id", "number", name=op.f("uq_task_versions_task_id_number")),
    )
    op.create_table(
        "municipal_tasks",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("task_version_id", sa.Integer(), nullable=True),
        sa.Column("project_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("system_code", sa.String(length=60), nullable=True),
        sa.Column("task_number", sa.String(length=12), nullable=True),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("title_key", sa.Text(), nullable=False),
        sa.Column("search_key", sa.Text(), nullable=False),
        sa.Column("local_text", sa.Text(), nullable=False),
        sa.Column("phase", sa.String(length=60), nullable=False),
        sa.Column("theme", sa.String(length=60), nullable=False),
        sa.Column("priority", sa.String(length=60), nullable=False),
        sa.Column("infrastructure", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("not_relevant_reason", sa.String(length=500), nullable=True),
        sa.Column("start_date", sa.Date(), nullable=True),
        sa.Column("deadline", sa.Date(), nullable=True),
        sa.Column("yellow_from", sa.Date(), nullable=True),
        sa.Column("deadline_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("deadline_is_own", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("completed_on", sa.Date(), nullable=True),
        sa.Column("responsible_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("responsible_role", sa.String(length=60), nullable=True),
        sa.Column("executor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("executor_role", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status in ('ikke-paabegyndt', 'i-gang', 'fuldfoert', 'ikke-relevant')",
            name=op.f("ck_municipal_tasks_status"),
        ),
        sa.CheckConstraint(
            "(task_id is null) = (task_version_id is null)", name=op.f("ck_municipal_tasks_published")
        ),
        sa.CheckConstraint(
            "deadline is null or yellow_from is not null", name=op.f("ck_municipal_tasks_yellow")
        ),
        sa.ForeignKeyConstraint(
            ["executor_id", "municipality_id"],
            ["memberships.person_id", "memberships.municipality_id"],
            name=op.f("fk_municipal_tasks_executor_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(["executor_id"], ["people.id"], name=op.f("fk_municipal_tasks_executor_id")),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_municipal_tasks_municipality_id")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_municipal_tasks_project_id")),
        sa.ForeignKeyConstraint(
            ["responsible_id", "municipality_id"],
            ["memberships.person_id", "memberships.municipality_id"],
            name=op.f("fk_municipal_tasks_responsible_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["responsible_id"], ["people.id"], name=op.f("fk_municipal_tasks_responsible_id")
        ),
        sa.ForeignKeyConstraint(
            ["system_code"], ["systems.code"], name=op.f("fk_municipal_tasks_system_code")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_municipal_tasks_task_id")),
        sa.ForeignKeyConstraint(
            ["task_version_id", "task_id"],
            ["task_versions.id", "task_versions.task_id"],
            name=op.f("fk_municipal_tasks_task_version_id_task_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_municipal_tasks")),
        sa.UniqueConstraint("id", "municipality_id", name=op.f("uq_municipal_tasks_id_municipality_id")),
        sa.UniqueConstraint(
            "task_id", "municipality_id", name=op.f("uq_municipal_tasks_task_id_municipality_id")
        ),
    )
    with op.batch_alter_table("municipal_tasks") as batch_op:
        batch_op.create_index("ix_municipal_tasks_deadline", ["status", "deadline"], unique=False)
        batch_op.create_index(batch_op.f("ix_municipal_tasks_executor_id"), ["executor_id"], unique=False)
        batch_op.create_index(
            "ix_municipal_tasks_list", ["municipality_id", "status", "deadline"], unique=False
        )
        batch_op.create_index(
            "ix_municipal_tasks_overview",
            ["project_id", "municipality_id", "phase", "status", "deadline", "yellow_from"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_municipal_tasks_responsible_id"), ["responsible_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_municipal_tasks_task_version_id"), ["task_version_id"], unique=False
        )

    op.create_table(
        "task_version_fields",
        sa.Column(
            "task_version_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("field", sa.String(length=120), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_version_id"], ["task_versions.id"], name=op.f("fk_task_version_fields_task_version_id")
        ),
        sa.PrimaryKeyConstraint("task_version_id", "field", name=op.f("pk_task_version_fields")),
    )
    op.create_table(
        "checklist_items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipal_task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(length=300), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["done_by"], ["people.id"], name=op.f("fk_checklist_items_done_by")),
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f("fk_checklist_items_municipal_task_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_checklist_items_municipality_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checklist_items")),
    )
    with op.batch_alter_table("checklist_items") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_checklist_items_municipal_task_id_position"),
            ["municipal_task_id", "position"],
            unique=False,
        )

    op.create_table(
        "comments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipal_task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("private", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["people.id"], name=op.f("fk_comments_author_id")),
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f("fk_comments_municipal_task_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_comments_municipality_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
    )
    with op.batch_alter_table("comments") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_comments_municipal_task_id"), ["municipal_task_id"], unique=False
        )

    op.create_table(
        "deletion_items",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("deletion_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipal_task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=60), nullable=False),
        sa.Column("notified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetched_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("receipted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receipted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("case_number", sa.String(length=60), nullable=True),
        sa.Column("hold_reason", sa.String(length=500), nullable=True),
        sa.Column("hold_until", sa.Date(), nullable=True),
        sa.Column("hold_granted", sa.Boolean(), nullable=True),
        sa.Column("archive_sha256", sa.String(length=64), nullable=True),
        sa.Column("archive_size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state in ('varslet', 'hentet', 'kvitteret', 'arkiveret', 'slettet')",
            name=op.f("ck_deletion_items_state"),
        ),
        sa.CheckConstraint(
            "state not in ('arkiveret', 'slettet') or archive_sha256 is not null",
            name=op.f("ck_deletion_items_archived"),
        ),
        sa.ForeignKeyConstraint(
            ["deletion_id"], ["deletions.id"], name=op.f("fk_deletion_items_deletion_id")
        ),
        sa.ForeignKeyConstraint(["fetched_by"], ["people.id"], name=op.f("fk_deletion_items_fetched_by")),
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f("fk_deletion_items_municipal_task_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_deletion_items_municipality_id")
        ),
        sa.ForeignKeyConstraint(["receipted_by"], ["people.id"], name=op.f("fk_deletion_items_receipted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deletion_items")),
        sa.UniqueConstraint(
            "deletion_id", "municipal_task_id", name=op.f("uq_deletion_items_deletion_id_municipal_task_id")
        ),
    )
    with op.batch_alter_table("deletion_items") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_deletion_items_municipal_task_id"), ["municipal_task_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_deletion_items_municipality_id_state"), ["municipality_id", "state"], unique=False
        )

    op.create_table(
        "municipal_task_fields",
        sa.Column(
            "municipal_task_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("field", sa.String(length=120), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f("fk_municipal_task_fields_municipal_task_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_municipal_task_fields_municipality_id")
        ),
        sa.PrimaryKeyConstraint("municipal_task_id", "field", name=op.f("pk_municipal_task_fields")),
    )
    with op.batch_alter_table("municipal_task_fields") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_municipal_task_fields_field_value_municipality_id"),
            ["field", "value", "municipality_id"],
            unique=False,
        )

    op.create_table(
        "municipal_task_files",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipal_task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("added_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["added_by"], ["people.id"], name=op.f("fk_municipal_task_files_added_by")),
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f("fk_municipal_task_files_municipal_task_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_municipal_task_files_municipality_id")
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["stored_files.sha256"], name=op.f("fk_municipal_task_files_sha256")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_municipal_task_files")),
    )
    with op.batch_alter_table("municipal_task_files") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_municipal_task_files_municipal_task_id"), ["municipal_task_id"], unique=False
        )

    op.create_table(
        "notices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dedupe_key", sa.String(length=200), nullable=False),
        sa.Column("occasion", sa.String(length=60), nullable=False),
        sa.Column("channel", sa.String(length=60), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=True),
        sa.Column("municipal_task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("heading", sa.String(length=300), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("about_day", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mail_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal_reason", sa.String(length=300), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "municipal_task_id is null or municipality_id is not null", name=op.f("ck_notices_municipality")
        ),
        sa.ForeignKeyConstraint(["mail_id"], ["mails.id"], name=op.f("fk_notices_mail_id")),
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f("fk_notices_municipal_task_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_notices_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_notices_person_id")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_notices_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_notices_dedupe_key")),
    )
    with op.batch_alter_table("notices") as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_mail_id"), ["mail_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notices_municipal_task_id"), ["municipal_task_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_notices_municipality_id_created_at"),
            ["municipality_id", "created_at"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_notices_person_id_created_at"), ["person_id", "created_at"], unique=False
        )
        batch_op.create_index(
            "ix_notices_waiting",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("mail_id is null and withdrawn_at is null"),
            postgresql_where=sa.text("mail_id is null and withdrawn_at is null"),
        )

    op.create_table(
        "read_marks",
        sa.Column(
            "person_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "municipal_task_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f("fk_read_marks_municipal_task_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_read_marks_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_read_marks_person_id")),
        sa.PrimaryKeyConstraint("person_id", "municipal_task_id", name=op.f("pk_read_marks")),
    )
    op.create_table(
        "task_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("municipal_task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("field", sa.String(length=60), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("via", sa.String(length=20), nullable=False),
        sa.Column("municipality_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["municipal_task_id", "municipality_id"],
            ["municipal_tasks.id", "municipal_tasks.municipality_id"],
            name=op.f("fk_task_changes_municipal_task_id_municipality_id"),
        ),
        sa.ForeignKeyConstraint(
            ["municipality_id"], ["municipalities.id"], name=op.f("fk_task_changes_municipality_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_task_changes_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_changes")),
    )
    with op.batch_alter_table("task_changes") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_task_changes_municipal_task_id_at"), ["municipal_task_id", "at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_task_changes_municipality_id_at"), ["municipality_id", "at"], unique=False
        )
