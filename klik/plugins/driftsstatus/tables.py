"""The plug-in's own tables: areas with their goals, figures by month, the month's words, and incidents."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Date, DateTime, Integer, MetaData, String, Table, Text, UniqueConstraint

METADATA = MetaData()
VERSIONS = Path(__file__).parent / "migrations"

# ``goal`` is in hundredths of a percent; empty: what is counted has no goal ("n.a.") and is a plain number.
areas = Table(
    "driftsstatus_areas",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("system", String(40), nullable=False),
    Column("name", String(80), nullable=False),
    Column("goal", Integer),
    Column("position", Integer, nullable=False),
    UniqueConstraint("system", "name"),
)

# ``month`` is "2020-09"; ``value`` as the area's goal is, or a number of calls.
figures = Table(
    "driftsstatus_figures",
    METADATA,
    Column("area", Integer, primary_key=True, autoincrement=False),
    Column("month", String(7), primary_key=True),
    Column("value", Integer, nullable=False),
)

months = Table(
    "driftsstatus_months",
    METADATA,
    Column("system", String(40), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("windows", Integer),
    Column("remarks", Text, nullable=False),
    Column("version", Integer, nullable=False),
)

incidents = Table(
    "driftsstatus_incidents",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("area", Integer, nullable=False, index=True),
    Column("heading", String(150), nullable=False),
    Column("colour", String(4), nullable=False),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True)),
    Column("seen", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("mend", Text, nullable=False),
    Column("solution", Text, nullable=False),
    Column("planned_on", Date),
    Column("solved", String(20), nullable=False),
    Column("version", Integer, nullable=False),
    Column("person", Integer),
)
