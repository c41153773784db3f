"""Every report is kept with its day, so that the weeks can be compared; what stood there is the first."""

from datetime import UTC
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "ksd0002"
down_revision = "ksd0001"
branch_labels = None
depends_on = None

TASKS, REPORTS = "ksd_open_tasks", "ksd_reports"
LIMITS = "grænseværdi"


def upgrade() -> None:
    tasks, reports = _stored(TASKS), _stored(REPORTS)
    op.drop_table(TASKS)
    op.drop_table(REPORTS)
    days = {row["municipality"]: _day(row["read_at"]) for row in reports}
    _fill(_tasks_table(dated=True), [_classed(row) | {"day": days[row["municipality"]]} for row in tasks])
    _fill(_reports_table(dated=True), [row | {"day": days[row["municipality"]]} for row in reports])


def downgrade() -> None:
    tasks, reports = _stored(TASKS), _stored(REPORTS)
    op.drop_table(TASKS)
    op.drop_table(REPORTS)
    newest = {row["municipality"]: row["day"] for row in sorted(reports, key=lambda row: row["day"])}
    _fill(_tasks_table(dated=False), [row for row in tasks if row.pop("day") == newest[row["municipality"]]])
    _fill(
        _reports_table(dated=False), [row for row in reports if row.pop("day") == newest[row["municipality"]]]
    )


def _stored(name):
    connection = op.get_bind()
    table = sa.Table(name, sa.MetaData(), autoload_with=connection)
    return [dict(row._mapping) for row in connection.execute(sa.select(table))]


def _fill(table, rows):
    if rows:
        op.bulk_insert(table, rows)


def _day(moment):
    # SQLite gives the moment back without its zone.
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return known.astimezone(ZoneInfo("Europe/Copenhagen")).date()


def _classed(row):
    limits = LIMITS in row["title"].casefold() and row["blocks"] in ("ingen", "uoplyst")
    return row | {"blocks": "graensevaerdi"} if limits else row


def _place(dated):
    place = [sa.Column("municipality", sa.Integer(), primary_key=True, autoincrement=False)]
    return [*place, sa.Column("day", sa.Date(), primary_key=True)] if dated else place


def _tasks_table(*, dated):
    return op.create_table(
        TASKS,
        *_place(dated),
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("title_key", sa.String(200), primary_key=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("blocks", sa.String(20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
    )


def _reports_table(*, dated):
    return op.create_table(
        REPORTS, *_place(dated), sa.Column("read_at", sa.DateTime(timezone=True), nullable=False)
    )
