"""The tables of the support desk: a municipality's cases, their ticks, and what was learnt. People stand by id only."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, MetaData, String, Table, Text

METADATA = MetaData()
VERSIONS = Path(__file__).parent / "migrations"

cases = Table(
    "kp_cases",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("municipality", Integer, nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("support_kind", String(60), nullable=False),
    Column("title", String(200), nullable=False),
    # That the writer keeps the title in spite of what is said of it.
    Column("title_kept", Boolean, nullable=False),
    Column("component", String(60), nullable=False),
    Column("criticality", String(1), nullable=False),
    Column("about_citizen", Boolean, nullable=False),
    Column("case_key", String(20), nullable=False),
    Column("task_key", String(20), nullable=False),
    # The disponible dato where a payment is held back; None where none is.
    Column("payment_on", Date),
    Column("steps", Text, nullable=False),
    Column("tried", Text, nullable=False),
    Column("technical", Text, nullable=False),
    Column("expected", Text, nullable=False),
    Column("elsewhere", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("reference", String(40), nullable=False),
    Column("filed_on", Date),
    Column("follow_up_on", Date),
    Column("answer", Text, nullable=False),
    Column("answered_on", Date),
    Column("person", Integer),
    Column("changed_by", Integer),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

ticks = Table(
    "kp_ticks",
    METADATA,
    Column("case_id", Integer, primary_key=True, autoincrement=False),
    Column("checklist", String(20), primary_key=True),
    Column("point", String(20), primary_key=True),
    Column("municipality", Integer, nullable=False),
    Column("person", Integer),
    Column("at", DateTime(timezone=True), nullable=False),
)

knowledge = Table(
    "kp_knowledge",
    METADATA,
    Column("id", Integer, primary_key=True),
    # None: KOMBIT's own.
    Column("municipality", Integer, index=True),
    Column("case_id", Integer),
    Column("component", String(60), nullable=False),
    Column("problem", String(200), nullable=False),
    Column("solution", Text, nullable=False),
    # The municipality has let KOMBIT see it.
    Column("offered", Boolean, nullable=False),
    Column("published_at", DateTime(timezone=True)),
    Column("person", Integer),
    Column("version", Integer, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)
