"""When a municipality's data last changed: a stamp that the database itself raises with every change.

A stamp is the sum over its slots. Each transaction raises the slot of its own connection, so that two that write
at once neither wait for each other nor deadlock; what is committed can only make the sum larger. A value is also
never below the clock, so that a database restored from a backup does not come to old stamps with new data.

Municipality 0 stands for what belongs to nobody: projects, systems, published texts, people's names. The triggers
are made anew after every migration, like the guards.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base, OfMunicipality

EVERYONE = 0
SLOTS = 64
# Tables without the mixin whose rows a page may show; the first have a municipality, sometimes empty.
ALSO_OF_MUNICIPALITY = ("memberships", "municipal_systems", "role_holdings", "saved_filters")
OF_EVERYONE = (
    "deletions",
    "municipalities",
    "people",
    "projects",
    "systems",
    "task_links",
    "task_version_fields",
    "task_versions",
    "tasks",
    "waves",
)
# What changes with every visit and is shown on no page that is kept.
UNSTAMPED_COLUMNS = {"people": frozenset({"seen_at", "password_hash", "epoch"})}
ACTS = {"insert": "new", "update": "new", "delete": "old"}


class DataStamp(Base):
    """One slot of a municipality's stamp; ``municipality_id`` is 0 for what belongs to everyone."""

    __tablename__ = "data_stamps"

    municipality_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    stamp: Mapped[int] = mapped_column(BigInteger)


def stamped_tables() -> dict[str, bool]:
    """Every table whose changes raise a stamp, and whether its rows belong to a municipality."""
    own = {
        mapper.local_table.name
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, OfMunicipality)
    }
    return dict.fromkeys(sorted(own | set(ALSO_OF_MUNICIPALITY)), True) | dict.fromkeys(OF_EVERYONE, False)


def install(connection: Connection) -> None:
    """Make every trigger anew."""
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        _make_functions(connection)
    for table, has_municipality in stamped_tables().items():
        for act, row in ACTS.items():
            if sqlite:
                _make_sqlite(connection, table, act, f"{row}.municipality_id" if has_municipality else "null")
            else:
                _make_postgresql(connection, table, act, row if has_municipality else "")


def missing(connection: Connection) -> list[str]:
    """The triggers that the database lacks."""
    query = (
        "select name from sqlite_master where type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "select tgname from pg_trigger where not tgisinternal"
    )
    there = set(connection.scalars(text(query)))
    return [
        name for table in stamped_tables() for act in ACTS if (name := f"{table}_stamped_{act}") not in there
    ]


def _event(table: str, act: str) -> str:
    left_out = UNSTAMPED_COLUMNS.get(table)
    if act != "update" or not left_out:
        return act
    columns = (column.name for column in Base.metadata.tables[table].columns)
    return "update of " + ", ".join(name for name in columns if name not in left_out)


def _make_sqlite(connection: Connection, table: str, act: str, municipality: str) -> None:
    name = f"{table}_stamped_{act}"
    connection.exec_driver_sql(f"drop trigger if exists {name}")
    connection.exec_driver_sql(
        f"create trigger {name} after {_event(table, act)} on {table} begin "
        "insert into data_stamps (municipality_id, slot, stamp) "
        f"values (coalesce({municipality}, {EVERYONE}), 0, "
        "cast((julianday('now') - 2440587.5) * 86400000 as integer)) "
        "on conflict (municipality_id, slot) do update set stamp = max(data_stamps.stamp + 1, excluded.stamp); end"
    )


def _make_functions(connection: Connection) -> None:
    raised = (
        f"pg_backend_pid() % {SLOTS}, (extract(epoch from statement_timestamp()) * 1000)::bigint",
        "on conflict (municipality_id, slot) do update set stamp = greatest(held.stamp + 1, excluded.stamp)",
    )
    for name, rows in (
        ("stamp_municipalities", f"select distinct coalesce(municipality_id, {EVERYONE}), {raised[0]} from changed"),
        ("stamp_everyone", f"select {EVERYONE}, {raised[0]}"),
    ):
        # Always in the order of the municipalities: who shares a slot by chance waits, and is not deadlocked.
        connection.exec_driver_sql(
            f"create or replace function {name}() returns trigger language plpgsql as $$ begin "
            f"insert into data_stamps as held (municipality_id, slot, stamp) {rows} order by 1 {raised[1]}; "
            "return null; end $$".replace("%", "%%")
        )


def _make_postgresql(connection: Connection, table: str, act: str, rows: str) -> None:
    """``rows`` is ``new`` or ``old``: which rows name the municipality; empty for a table of everyone's."""
    name = f"{table}_stamped_{act}"
    seen = f"referencing {rows} table as changed " if rows else ""
    function = "stamp_municipalities" if rows else "stamp_everyone"
    connection.exec_driver_sql(f"drop trigger if exists {name} on {table}")
    connection.exec_driver_sql(
        f"create trigger {name} after {_event(table, act)} on {table} {seen}"
        f"for each statement execute function {function}()"
    )
