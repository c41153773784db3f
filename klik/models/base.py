"""What every table shares: names of constraints, the id, instants in UTC, and the municipality it belongs to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Integer, MetaData, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite is an order of magnitude quicker on its own INTEGER PRIMARY KEY than on any other type.
Identifier = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """A moment: aware in Python, UTC in the database; a naive value is a programming error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


key = Annotated[int, mapped_column(Identifier, primary_key=True)]
instant = Annotated[datetime, mapped_column(Instant)]
word = Annotated[str, mapped_column(String(60))]
line = Annotated[str, mapped_column(String(300))]
prose = Annotated[str, mapped_column(Text)]


class Base(DeclarativeBase):
    """The one declarative base; its metadata is what Alembic compares with."""

    metadata = MetaData(naming_convention=NAMES)


class Versioned:
    """A row that people edit: the version goes into the form, and the loser of a race is told (409)."""

    version: Mapped[int] = mapped_column(Integer, default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


class OfMunicipality:
    """A row that belongs to one municipality for ever; a trigger keeps ``municipality_id`` as first written."""

    @declared_attr
    def municipality_id(cls) -> Mapped[int]:
        return mapped_column(Integer, ForeignKey("municipalities.id"))
