"""What the database itself refuses, to raw SQL too: triggers, made anew after every migration.

They stand here and not in a migration, because SQLite rebuilds a table to change it and loses its triggers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import Connection, text

from klik.domain import life
from klik.models import remembering
from klik.models.base import Base, OfMunicipality

# Tables that belong to a municipality without the mixin (their column may be empty for other rows).
ALSO_OF_MUNICIPALITY = ("role_holdings", "municipal_systems", "notices", "memberships")


# The words of a task whose content is gone; klik.services.deleting.erasing writes them.
ERASED_TITLE = "Slettet opgave"
# Between the reading of an archive file and the erasing it stands for.
MOST_SECONDS = 60
# What hangs on a municipal task and cannot be hung on an erased one.
HANGING_ON = (
    "bulk_change_items",
    "checklist_items",
    "comments",
    "deviations",
    "municipal_task_fields",
    "municipal_task_files",
    "questions",
    "task_changes",
)


@dataclass(frozen=True, slots=True)
class Guard:
    """One rule: when ``refused`` holds for the old and new row at ``event`` on ``table``, the statement fails.

    ``danish_day(x)`` in it is the Danish date of an instant, ``seconds(x, y)`` how much later x is than y.
    """

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
    erased = [
        Guard(
            f"{table}_not_on_erased",
            table,
            "insert",
            "exists (select 1 from municipal_tasks"
            " where municipal_tasks.id = new.municipal_task_id and municipal_tasks.erased_at is not null)",
            "nothing is put on an erased task",
        )
        for table in HANGING_ON
    ]
    return (*stays, *erased, *RULES)


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
        "new.erased_at is not null and old.erased_at is null and ("
        "not exists (select 1 from deletion_items join deletions on deletions.id = deletion_items.deletion_id"
        " where deletion_items.municipal_task_id = new.id and deletion_items.state = 'arkiveret'"
        " and deletion_items.archive_sha256 is not null and deletion_items.verified_at is not null"
        " and deletions.state = 'varslet' and deletions.last_day < danish_day(new.erased_at)"
        f" and seconds(new.erased_at, deletion_items.verified_at) between 0 and {MOST_SECONDS})"
        f" or new.title <> '{ERASED_TITLE}' or new.local_text <> '' or new.search_key <> ''"
        " or new.not_relevant_reason is not null)",
        "a task is erased whole, after its last day, and only when its archive file was just read again",
    ),
    Guard(
        "municipal_tasks_cleared_when_erased",
        "municipal_tasks",
        "update",
        f"new.erased_at is null and (new.title = '' or (new.title = '{ERASED_TITLE}' and new.search_key = ''))",
        "a task keeps its content until it is erased",
    ),
    Guard(
        "municipal_tasks_stay_erased",
        "municipal_tasks",
        "update",
        "old.erased_at is not null and (new.erased_at is distinct from old.erased_at or new.title <> old.title"
        " or new.local_text <> old.local_text or new.search_key <> old.search_key"
        " or new.not_relevant_reason is distinct from old.not_relevant_reason)",
        "an erased task stays as it is",
    ),
    Guard("deletions_remain", "deletions", "delete", "true", "an announcement stays"),
    Guard(
        "deletions_not_earlier",
        "deletions",
        "update",
        "new.last_day < old.last_day",
        "the announced last day is never moved earlier",
    ),
    Guard(
        "deletions_stay_closed",
        "deletions",
        "update",
        "old.state <> 'varslet' and new.state = 'varslet'",
        "a deletion that was regretted or is done is announced anew",
    ),
    Guard(
        "deletion_items_begin_unarchived",
        "deletion_items",
        "insert",
        # The account of a tombstone comes along in a municipality's package, and is of no task that has content.
        "new.state = 'arkiveret' or (new.state = 'slettet' and not exists (select 1 from municipal_tasks"
        " where municipal_tasks.id = new.municipal_task_id and municipal_tasks.erased_at is not null))",
        "a deletion begins with announcing",
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
        "deletion_items_not_held",
        "deletion_items",
        "update",
        "new.state = 'arkiveret' and old.state <> 'arkiveret' and new.hold_reason is not null"
        " and (new.hold_granted is null or (new.hold_granted and (new.hold_until is null"
        " or new.archived_at is null or new.hold_until >= danish_day(new.archived_at))))",
        "what a municipality asked to keep is not archived for deletion",
    ),
    Guard(
        "deletion_items_verified",
        "deletion_items",
        "update",
        "new.state = 'slettet' and old.state <> 'slettet' and (new.archive_sha256 is null"
        " or new.verified_at is null or new.erased_at is null"
        f" or seconds(new.erased_at, new.verified_at) not between 0 and {MOST_SECONDS}"
        " or not exists (select 1 from deletions where deletions.id = new.deletion_id"
        " and deletions.state = 'varslet' and deletions.last_day < danish_day(new.erased_at))"
        " or not exists (select 1 from municipal_tasks where municipal_tasks.id = new.municipal_task_id"
        " and municipal_tasks.erased_at is not null))",
        "nothing is deleted before its last day is over and its archive file was just read again",
    ),
    Guard(
        "deletion_items_archive_stays",
        "deletion_items",
        "update",
        # A task that was changed after it was archived is archived once more, and read again before it goes.
        "old.archive_sha256 is not null and new.archive_sha256 is distinct from old.archive_sha256"
        " and not (old.state = 'arkiveret' and new.state = 'arkiveret' and new.archive_sha256 is not null"
        " and new.verified_at is null and coalesce(seconds(new.archived_at, old.archived_at) > 0, false))",
        "the archive file of a deletion is never another one",
    ),
    Guard(
        "deletion_items_proof_stays",
        "deletion_items",
        "update",
        "old.state = 'slettet' and (new.verified_at is distinct from old.verified_at"
        " or new.erased_at is distinct from old.erased_at or new.archived_at is distinct from old.archived_at"
        " or new.archive_size is distinct from old.archive_size)",
        "the proof of a deletion is append-only",
    ),
    Guard("export_proofs_stay", "export_proofs", "update", "true", "proofs are append-only"),
    Guard("export_proofs_remain", "export_proofs", "delete", "true", "proofs are append-only"),
)

_DAY = re.compile(r"danish_day\(([a-z_.]+)\)")
_SECONDS = re.compile(r"seconds\(([a-z_.]+), ([a-z_.]+)\)")
# SQLite knows no time zones: summer time lasts from the last Sunday of March to that of October, at 01:00 UTC.
_SQLITE_DAY = (
    "date({0}, case when"
    " datetime({0}) >= datetime(strftime('%Y', {0}) || '-03-25', 'weekday 0', '+1 hours') and"
    " datetime({0}) < datetime(strftime('%Y', {0}) || '-10-25', 'weekday 0', '+1 hours')"
    " then '+2 hours' else '+1 hours' end)"
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
    refused = _DAY.sub(lambda found: _SQLITE_DAY.format(found[1]), refused)
    refused = _SECONDS.sub(r"(round((julianday(\1) - julianday(\2)) * 86400.0, 2))", refused)
    connection.exec_driver_sql(f"drop trigger if exists {guard.name}")
    connection.exec_driver_sql(
        f"create trigger {guard.name} before {guard.event} on {guard.table} when {refused} "
        f"begin select raise(abort, '{guard.words}'); end"
    )


def _make_postgresql(connection: Connection, guard: Guard) -> None:
    row = "old" if guard.event == "delete" else "new"
    refused = _DAY.sub(r"(\1 at time zone 'Europe/Copenhagen')::date", guard.refused)
    refused = _SECONDS.sub(r"extract(epoch from (\1 - \2))", refused)
    connection.exec_driver_sql(
        f"create or replace function {guard.name}() returns trigger language plpgsql as $$ begin "
        f"if {refused} then raise exception '{guard.words}' using errcode = 'integrity_constraint_violation'; "
        f"end if; return {row}; end $$"
    )
    connection.exec_driver_sql(f"drop trigger if exists {guard.name} on {guard.table}")
    connection.exec_driver_sql(
        f"create trigger {guard.name} before {guard.event} on {guard.table} "
        f"for each row execute function {guard.name}()"
    )
