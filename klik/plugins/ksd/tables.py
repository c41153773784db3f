"""KSD's own tables: every report that was read in, by day. Numbers only; no person is in them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Date, DateTime, Integer, MetaData, String, Table

METADATA = MetaData()
VERSIONS = Path(__file__).parent / "migrations"

open_tasks = Table(
    "ksd_open_tasks",
    METADATA,
    Column("municipality", Integer, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    # "2017-10" where the report says when tasks were due, else empty.
    Column("month", String(7), primary_key=True),
    Column("title_key", String(200), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("blocks", String(20), nullable=False),
    Column("count", Integer, nullable=False),
)

reports = Table(
    "ksd_reports",
    METADATA,
    Column("municipality", Integer, primary_key=True, autoincrement=False),
    Column("day", Date, primary_key=True),
    Column("read_at", DateTime(timezone=True), nullable=False),
)
