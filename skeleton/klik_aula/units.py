"""The table of the municipalities' units, and all that is read from and written to it."""

from sqlalchemy import (
    Boolean,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    insert,
    select,
    update,
)

METADATA = MetaData()
LONGEST_NAME = 100
units = Table(
    "aula_units",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("municipality", Integer, nullable=False),
    Column("unit", String(LONGEST_NAME), nullable=False),
    Column("ready", Boolean, nullable=False),
    UniqueConstraint("municipality", "unit", name="uq_aula_units_unit"),
)


def of(context, municipality):
    """A municipality's units by name: whether each is ready."""
    rows = context.store.execute(select(units).where(units.c.municipality == municipality))
    return {row.unit: row.ready for row in sorted(rows, key=lambda row: row.unit)}


def note(context, municipality, unit, ready):
    """Write a unit down; says in klik's word for a row what that did."""
    known = of(context, municipality)
    if known.get(unit) == ready:
        return "uændret"
    same = (units.c.municipality == municipality, units.c.unit == unit)
    if unit in known:
        context.store.execute(update(units).where(*same).values(ready=ready))
        return "ændret"
    context.store.execute(insert(units).values(municipality=municipality, unit=unit, ready=ready))
    return "ny"


def totals(context):
    """How many of the municipality's units are ready, and how many there are; for KOMBIT in the whole country."""
    asked = select(units.c.ready)
    if not context.kombit:
        asked = asked.where(units.c.municipality == context.municipality)
    ready = [row.ready for row in context.store.execute(asked)]
    return {"ready": sum(ready), "total": len(ready)}
