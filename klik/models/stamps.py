"""When a municipality's data last changed: stamps that the database itself raises with every change.

There are two of each municipality: one of its tasks, which change all day, and one of the frame around them
(people, projects, systems, published texts), which seldom does.

A stamp is the sum over its slots. Each transaction raises the slot of its own connection, so that two that write
at once neither wait for each other nor deadlock; what is committed can only make the sum larger. A value is also
never below the clock, so that a database restored from a backup does not come to old stamps with new data.

Municipality 0 stands for what belongs to nobody: projects, systems, published texts, people's names. The triggers
are made anew after every migration, like the guards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import BigInteger, Connection, Integer, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from klik.models.base import Base

EVERYONE = 0
SLOTS = 64
# Everything that is made of these tables may be kept, and nothing else (klik.services.keeping).
TASKS = ("earlier_states", "municipal_tasks")
FRAME_OF_MUNICIPALITY = ("deletion_items", "memberships", "municipal_systems")
FRAME_OF_EVERYONE = (
    "deletions",
    "municipalities",
    "people",
    "projects",
    "systems",
    "task_versions",
    "waves",
)
# What changes with every visit; nothing that is kept may be made of it.
UNSTAMPED_COLUMNS = {"people": frozenset({"seen_at", "password_hash", "epoch", "version"})}
ACTS = {"insert": "new", "update": "new", "delete": "old"}


class Part(Enum):
    """Which of a municipality's two stamps."""

    FRAME = 0
    TASKS = 1


class DataStamp(Base):
    """One slot of a municipality's stamp; ``municipality_id`` is 0 for what belongs to everyone."""

    __tablename__ = "data_stamps"

    municipality_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    stamp: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True, slots=True)
class Stamped:
    """A table whose changes raise a stamp: of which part, and whether its rows belong to a municipality."""

    part: Part
    of_municipality: bool


STAMPED: Mapping[str, Stamped] = (
    {table: Stamped(Part.TASKS, True) for table in TASKS}
    | {table: Stamped(Part.FRAME, True) for table in FRAME_OF_MUNICIPALITY}
    | {table: Stamped(Part.FRAME, False) for table in FRAME_OF_EVERYONE}
)


def install(connection: Connection) -> None:
    """Make every trigger anew."""
    sqlite = connection.dialect.name == "sqlite"
    if not sqlite:
        _make_functions(connection)
    make = _make_sqlite if sqlite else _make_postgresql
    for table, stamped in STAMPED.items():
        for act in ACTS:
            make(connection, table, stamped, act)


def missing(connection: Connection) -> list[str]:
    """The triggers that the database lacks."""
    query = (
        "select name from sqlite_master where type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "select tgname from pg_trigger where not tgisinternal"
    )
    there = set(connection.scalars(text(query)))
    return [name for table in STAMPED for act in ACTS if (name := f"{table}_stamped_{act}") not in there]


def _event(table: str, act: str) -> str:
    left_out = UNSTAMPED_COLUMNS.get(table)
    if act != "update" or not left_out:
        return act
    columns = (column.name for column in Base.metadata.tables[table].columns)
    return "update of " + ", ".join(name for name in columns if name not in left_out)


def _make_sqlite(connection: Connection, table: str, stamped: Stamped, act: str) -> None:
    name = f"{table}_stamped_{act}"
    municipality = (
        f"coalesce({ACTS[act]}.municipality_id, {EVERYONE})" if stamped.of_municipality else EVERYONE
    )
    connection.exec_driver_sql(f"drop trigger if exists {name}")
    connection.exec_driver_sql(
        f"create trigger {name} after {_event(table, act)} on {table} begin "
        "insert into data_stamps (municipality_id, part, slot, stamp) values "
        f"({municipality}, {stamped.part.value}, 0, cast((julianday('now') - 2440587.5) * 86400000 as integer)) "
        "on conflict (municipality_id, part, slot) "
        "do update set stamp = max(data_stamps.stamp + 1, excluded.stamp); end"
    )


def _make_functions(connection: Connection) -> None:
    part = "tg_argv[0]::smallint"
    slot = f"pg_backend_pid() % {SLOTS}"
    clock = "(extract(epoch from statement_timestamp()) * 1000)::bigint"
    for name, rows in (
        ("stamp_everyone", f"values ({EVERYONE}, {part}, {slot}, {clock})"),
        (
            "stamp_municipalities",
            # Always in the same order: who shares a slot by chance waits, and is not deadlocked.
            f"select distinct coalesce(municipality_id, {EVERYONE}), {part}, {slot}, {clock} from changed order by 1",
        ),
    ):
        connection.exec_driver_sql(
            (
                f"create or replace function {name}() returns trigger language plpgsql as $$ begin "
                f"insert into data_stamps as held (municipality_id, part, slot, stamp) {rows} "
                "on conflict (municipality_id, part, slot) "
                "do update set stamp = greatest(held.stamp + 1, excluded.stamp); return null; end $$"
            ).replace("%", "%%")
        )


def _make_postgresql(connection: Connection, table: str, stamped: Stamped, act: str) -> None:
    name = f"{table}_stamped_{act}"
    seen = f"referencing {ACTS[act]} table as changed " if stamped.of_municipality else ""
    function = "stamp_municipalities" if stamped.of_municipality else "stamp_everyone"
    connection.exec_driver_sql(f"drop trigger if exists {name} on {table}")
    connection.exec_driver_sql(
        f"create trigger {name} after {_event(table, act)} on {table} {seen}"
        f"for each statement execute function {function}('{stamped.part.value}')"
    )
