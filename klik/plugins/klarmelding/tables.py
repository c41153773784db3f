"""Klarmelding's own tables. People stand in them by id only; the keys compare names however they are cased."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()
VERSIONS = Path(__file__).parent / "migrations"

# What KOMBIT has written; a criterion of the seed stands here once KOMBIT has changed or withdrawn it.
criteria = Table(
    "klarmelding_criteria",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("interface", String(20), nullable=False),
    Column("number", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("withdrawn", Boolean, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("person", Integer),
    UniqueConstraint("interface", "number", name="uq_klarmelding_criteria"),
)

# A system that a municipality has bought under SKI 02.19.
agreements = Table(
    "klarmelding_agreements",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("municipality_id", Integer, nullable=False),
    Column("supplier", String(120), nullable=False),
    Column("supplier_key", String(150), nullable=False),
    Column("system", String(120), nullable=False),
    Column("system_key", String(150), nullable=False),
    Column("bought_on", Date),
    Column("questions", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("person", Integer),
    UniqueConstraint("municipality_id", "supplier_key", "system_key", name="uq_klarmelding_agreements"),
)

# What the agreement demands: an interface, and the day it must be ready, where the agreement says one.
demands = Table(
    "klarmelding_demands",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("agreement_id", Integer, nullable=False),
    Column("municipality_id", Integer, nullable=False),
    Column("interface", String(20), nullable=False),
    Column("due", Date),
    UniqueConstraint("agreement_id", "interface", name="uq_klarmelding_demands"),
)

# One klarmeldingsregneark: a supplier's system in one pilot municipality, in one version.
sheets = Table(
    "klarmelding_sheets",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("municipality_id", Integer, nullable=False, index=True),
    Column("supplier", String(120), nullable=False),
    Column("supplier_key", String(150), nullable=False, index=True),
    Column("system", String(120), nullable=False),
    Column("system_key", String(150), nullable=False),
    Column("edition", String(20), nullable=False),
    Column("published_at", DateTime(timezone=True)),
    Column("version", Integer, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("person", Integer),
    UniqueConstraint(
        "municipality_id", "supplier_key", "system_key", "edition", name="uq_klarmelding_sheets"
    ),
)

# What the supplier says of an interface; ``by_supplier`` when it wrote so in klik itself.
declarations = Table(
    "klarmelding_declarations",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("sheet_id", Integer, nullable=False),
    Column("municipality_id", Integer, nullable=False),
    Column("interface", String(20), nullable=False),
    Column("said", String(20), nullable=False),
    Column("remark", Text, nullable=False),
    Column("by_supplier", Boolean, nullable=False),
    Column("said_at", DateTime(timezone=True), nullable=False),
    Column("person", Integer),
    UniqueConstraint("sheet_id", "interface", name="uq_klarmelding_declarations"),
)

# "Klarmeldt" of an interface, by the municipality.
confirmations = Table(
    "klarmelding_confirmations",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("sheet_id", Integer, nullable=False),
    Column("municipality_id", Integer, nullable=False),
    Column("interface", String(20), nullable=False),
    Column("ready", Boolean, nullable=False),
    Column("remark", Text, nullable=False),
    Column("confirmed_at", DateTime(timezone=True), nullable=False),
    Column("person", Integer),
    UniqueConstraint("sheet_id", "interface", name="uq_klarmelding_confirmations"),
)

# A criterion seen to be met or not; ``edition`` is which wording of it was looked at.
answers = Table(
    "klarmelding_answers",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("sheet_id", Integer, nullable=False),
    Column("municipality_id", Integer, nullable=False),
    Column("interface", String(20), nullable=False),
    Column("criterion", Integer, nullable=False),
    Column("edition", Integer, nullable=False),
    Column("met", Boolean),
    Column("remark", Text, nullable=False),
    Column("answered_at", DateTime(timezone=True), nullable=False),
    Column("person", Integer),
    UniqueConstraint("sheet_id", "interface", "criterion", name="uq_klarmelding_answers"),
)
