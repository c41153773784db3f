"""The database's own memory of how each municipal task stood: triggers, so that bulk and raw SQL are remembered too.

They are made anew together with the guards (see klik.models.guards).
"""

from __future__ import annotations

from sqlalchemy import Connection

from klik.models.past import EarlierState

KEY = ("municipal_task_id", "municipality_id", "until")
TRACKED = tuple(column.name for column in EarlierState.__table__.columns if column.name not in KEY)
REMEMBERED = "municipal_tasks_remembered"
FORGOTTEN = "municipal_tasks_forgotten"
NAMES = (REMEMBERED, FORGOTTEN)

# Two changes at one instant keep the first: what stood before both.
_KEEP = f"""insert into earlier_states ({", ".join((*KEY, *TRACKED))})
values (old.id, old.municipality_id, new.changed_at, {", ".join(f"old.{name}" for name in TRACKED)})
on conflict (municipal_task_id, until) do nothing"""
_DIFFERS = " or ".join(f"new.{name} is distinct from old.{name}" for name in TRACKED)
# A comment moves changed_at alone; what is erased leaves no earlier states either.
_CHANGED = f"new.changed_at > old.changed_at and new.erased_at is null and ({_DIFFERS})"
_ERASED = "new.erased_at is not null and old.erased_at is null"
_FORGET = "delete from earlier_states where municipal_task_id = new.id"


def install(connection: Connection) -> None:
    """Make both triggers anew."""
    for name, condition, act in ((REMEMBERED, _CHANGED, _KEEP), (FORGOTTEN, _ERASED, _FORGET)):
        if connection.dialect.name == "sqlite":
            _make_sqlite(connection, name, condition, act)
        else:
            _make_postgresql(connection, name, condition, act)


def _make_sqlite(connection: Connection, name: str, condition: str, act: str) -> None:
    when = condition.replace(" is distinct from ", " is not ")
    connection.exec_driver_sql(f"drop trigger if exists {name}")
    connection.exec_driver_sql(
        f"create trigger {name} after update on municipal_tasks when {when} begin {act}; end"
    )


def _make_postgresql(connection: Connection, name: str, condition: str, act: str) -> None:
    connection.exec_driver_sql(
        f"create or replace function {name}() returns trigger language plpgsql as $$ begin "
        f"{act}; return null; end $$"
    )
    connection.exec_driver_sql(f"drop trigger if exists {name} on municipal_tasks")
    connection.exec_driver_sql(
        f"create trigger {name} after update on municipal_tasks for each row when ({condition}) "
        f"execute function {name}()"
    )
