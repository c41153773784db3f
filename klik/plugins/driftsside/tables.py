"""A driftsside's tables under the prefix of the plug-in that has it, and the migration that makes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Column, Date, DateTime, Integer, MetaData, String, Table, Text, TypeDecorator

from klik.plugins.driftsside.nouns import NOUNS


class Moment(TypeDecorator[datetime]):
    """An aware moment; SQLite forgets the time zone, which is always UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, _dialect: Any) -> datetime | None:
        """The stored moment with its time zone."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


_OWN: Mapping[str, Any] = {
    "messages": lambda: [Column("solve_on", Date), Column("state", String(10), nullable=False)],
    "errors": lambda: [
        Column("number", String(40), nullable=False),
        Column("criticality", String(1), nullable=False),
        Column("solve_on", Date),
        Column("state", String(10), nullable=False),
        Column("workaround", Text, nullable=False),
        # The release it holds until; its day once the workaround has ended.
        Column("until_release", Integer),
        Column("ended_on", Date),
    ],
    "releases": lambda: [Column("released_on", Date, nullable=False)],
    "news": list,
    "wheel": lambda: [Column("month", Integer, nullable=False)],
    "guides": lambda: [Column("link", String(300), nullable=False)],
}


def make(prefix: str, metadata: MetaData) -> Mapping[str, Table]:
    """The six tables by noun: ``kp_drift_errors`` and so on. No person is in them."""
    return {
        noun.slug: Table(
            f"{prefix}_drift_{noun.table}",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("title", String(200), nullable=False),
            Column("component", String(60), nullable=False),
            Column("text", Text, nullable=False),
            *_OWN[noun.table](),
            # Everything that is searched, folded as klik.plugins.search_key does.
            Column("searched", Text, nullable=False),
            Column("version", Integer, nullable=False),
            Column("created_at", Moment, nullable=False),
            Column("changed_at", Moment, nullable=False),
        )
        for noun in NOUNS
    }


def create_tables(prefix: str) -> None:
    """For a plug-in's migration: make the tables as they were in the first version. Never changed afterwards."""
    own = {
        "messages": [sa.Column("solve_on", sa.Date()), sa.Column("state", sa.String(10), nullable=False)],
        "errors": [
            sa.Column("number", sa.String(40), nullable=False),
            sa.Column("criticality", sa.String(1), nullable=False),
            sa.Column("solve_on", sa.Date()),
            sa.Column("state", sa.String(10), nullable=False),
            sa.Column("workaround", sa.Text(), nullable=False),
            sa.Column("until_release", sa.Integer()),
            sa.Column("ended_on", sa.Date()),
        ],
        "releases": [sa.Column("released_on", sa.Date(), nullable=False)],
        "news": [],
        "wheel": [sa.Column("month", sa.Integer(), nullable=False)],
        "guides": [sa.Column("link", sa.String(300), nullable=False)],
    }
    for name, columns in own.items():
        op.create_table(
            f"{prefix}_drift_{name}",
            sa.Column("id", sa.Integer(), primary_key=True),
            sa.Column("title", sa.String(200), nullable=False),
            sa.Column("component", sa.String(60), nullable=False),
            sa.Column("text", sa.Text(), nullable=False),
            *columns,
            sa.Column("searched", sa.Text(), nullable=False),
            sa.Column("version", sa.Integer(), nullable=False),
            sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
            sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        )


def drop_tables(prefix: str) -> None:
    """The way back of ``create_tables``."""
    for name in ("messages", "errors", "releases", "news", "wheel", "guides"):
        op.drop_table(f"{prefix}_drift_{name}")
