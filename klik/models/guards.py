"""What the database itself refuses, to raw SQL too: triggers, made anew after every migration.

They stand here and not in a migration, because SQLite rebuilds a table to change it and loses its triggers.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from klik.domain import life
from klik.models import remembering
from klik.models.base import Base, OfMunicipality

# Tables that belong to a municipality without the mixin (their column may be empty for other rows).
ALSO_OF_MUNICIPALITY = ("role_holdings", "municipal_systems", "notices", "memberships")


@dataclass(frozen=True, slots=True)
class Guard:
    """One rule: when ``refused`` holds for the old and new row at ``event`` on ``table``, the statement fails."""

    name: str
    table: str
    event: str
    refused: str
    words: str


def all_guards() -> tuple[Guard, ...]:
    """Every guard there is, from the tables' own nature and from the rules of audit and deletion."""
    tables = sorted(
        {
            str(mapper.local_table)
            for mapper in Base.registry.mappers
            if issubclass(mapper.class_, OfMunicipality)
        }
        | set(ALSO_OF_MUNICIPALITY)
    )
    stays = [
        Guard(
            f"{table}_municipality_stays",
            table,
            "update",
            "new.municipality_id is distinct from old.municipality_id",
            "a row never moves to another municipality",
        )
        for table in tables
    ]
    return (*stays, *RULES)


_LIFE = " or ".join(f"(old.state = '{begin}' and new.state = '{end}')" for begin, end in sorted(life.steps()))

RULES = (
    Guard(
        "tasks_live_in_order",
        "tasks",
        "update",
        f"new.state <> old.state and not ({_LIFE})",
        "a task goes only where an act of klik.domain.life leads",
    ),
    Guard("task_steps_stay", "task_steps", "update", "true", "the history of a task is append-only"),
    Guard("task_steps_remain", "task_steps", "delete", "true", "the history of a task is append-only"),
    Guard("audit_entries_stay", "audit_entries", "update", "true", "the audit trail is append-only"),
    Guard("audit_entries_remain", "audit_entries", "delete", "true", "the audit trail is append-only"),
    Guard("municipal_tasks_remain", "municipal_tasks", "delete", "true", "a task leaves a tombstone"),
    Guard(
        "municipal_tasks_erased_after_archive",
        "municipal_tasks",
        "update",
        "new.erased_at is not null and old.erased_at is null and not exists (select 1 from deletion_items"
        " where deletion_items.municipal_task_id = new.id and deletion_items.state = 'arkiveret'"
        " and deletion_items.archive_sha256 is not null and deletion_items.verified_at is not null)",
        "a task is erased only after its archive file was read again",
    ),
    Guard("deletions_remain", "deletions", "delete", "true", "an announcement stays"),
    Guard(
        "deletions_not_earlier",
        "deletions",
        "update",
        "new.last_day < old.last_day",
        "the announced last day is never moved earlier",
    ),
    Guard("deletion_items_remain", "deletion_items", "delete", "true", "the account of a deletion stays"),
    Guard(
        "deletion_items_in_order",
        "deletion_items",
        "update",
        "new.state <> old.state and not ("
        "(old.state = 'varslet' and new.state in ('hentet', 'kvitteret', 'arkiveret')) or "
        "(old.state = 'hentet' and new.state in ('kvitteret', 'arkiveret')) or "
        "(old.state = 'kvitteret' and new.state = 'arkiveret') or "
        "(old.state = 'arkiveret' and new.state = 'slettet'))",
        "varslet, hentet, kvitteret, arkiveret, slettet, in this order",
    ),
    Guard(
        "deletion_items_told_first",
        "deletion_items",
        "update",
        "new.state = 'arkiveret' and old.state <> 'arkiveret' and new.notified_at is null",
        "nothing is archived for deletion before the municipality was told",
    ),
    Guard(
        "deletion_items_verified",
        "deletion_items",
        "update",
        "new.state = 'slettet' and (new.archive_sha256 is null or new.verified_at is null)",
        "nothing is deleted before its archive file was read again",
    ),
)


def install(connection: Connection) -> None:
    """Make every guard anew, and the triggers that remember."""
    make = _make_sqlite if connection.dialect.name == "sqlite" else _make_postgresql
    for guard in all_guards():
        make(connection, guard)
    remembering.install(connection)


def missing(connection: Connection) -> list[str]:
    """The guards and other triggers that the database lacks."""
    query = (
        "select name from sqlite_master where type = 'trigger'"
        if connection.dialect.name == "sqlite"
        else "select tgname from pg_trigger where not tgisinternal"
    )
    there = set(connection.scalars(text(query)))
    wanted = (*(guard.name for guard in all_guards()), *remembering.NAMES)
    return [name for name in wanted if name not in there]


def _make_sqlite(connection: Connection, guard: Guard) -> None:
    refused = guard.refused.replace(" is distinct from ", " is not ")
    connection.exec_driver_sql(f"drop trigger if exists {guard.name}")
    connection.exec_driver_sql(
        f"create trigger {guard.name} before {guard.event} on {guard.table} when {refused} "
        f"begin select raise(abort, '{guard.words}'); end"
    )


def _make_postgresql(connection: Connection, guard: Guard) -> None:
    row = "old" if guard.event == "delete" else "new"
    connection.exec_driver_sql(
        f"create or replace function {guard.name}() returns trigger language plpgsql as $$ begin "
        f"if {guard.refused} then raise exception '{guard.words}' using errcode = 'integrity_constraint_violation'; "
        f"end if; return {row}; end $$"
    )
    connection.exec_driver_sql(f"drop trigger if exists {guard.name} on {guard.table}")
    connection.exec_driver_sql(
        f"create trigger {guard.name} before {guard.event} on {guard.table} "
        f"for each row execute function {guard.name}()"
    )
