"""Writing many changed tasks to the database together, each still guarded by its version."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, inspect, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.exc import StaleDataError

from klik.models import MunicipalTask
from klik.services.work import Work

_PORTION = 500
_ROW = MunicipalTask.__table__.c
_COLUMNS = frozenset(inspect(MunicipalTask).column_attrs.keys())


def write(work: Work, tasks: Iterable[MunicipalTask]) -> None:
    """Write the set values of tasks and raise their versions, 500 rows a statement.

    A session's own flush asks row by row wherever there is a version. Raises StaleDataError, as a flush does,
    when somebody stored one of them first.
    """
    groups: dict[frozenset[str], list[tuple[MunicipalTask, dict[str, Any]]]] = defaultdict(list)
    for task in tasks:
        values = _set_values(task)
        if values:
            groups[frozenset(values)].append((task, values))
    for names, group in groups.items():
        for start in range(0, len(group), _PORTION):
            _write_alike(work, sorted(names), group[start : start + _PORTION])


def _write_alike(work: Work, names: list[str], group: list[tuple[MunicipalTask, dict[str, Any]]]) -> None:
    statement = (
        update(MunicipalTask.__table__)
        .where(_ROW.id == bindparam("of_id"), _ROW.version == bindparam("seen_version"))
        .values({name: bindparam(f"new_{name}") for name in names} | {"version": _ROW.version + 1})
    )
    rows = [
        {f"new_{name}": value for name, value in values.items()}
        | {"of_id": task.id, "seen_version": task.version}
        for task, values in group
    ]
    written = work.session.connection().execute(statement, rows).rowcount
    if written != len(group):
        raise StaleDataError(f"{len(group)} tasks were to be changed, and {written} were")
    for task, values in group:
        for name, value in (values | {"version": task.version + 1}).items():
            set_committed_value(task, name, value)


def _set_values(task: MunicipalTask) -> dict[str, Any]:
    state = inspect(task)
    touched = state.committed_state.keys() & _COLUMNS
    return {name: getattr(task, name) for name in touched if state.attrs[name].history.has_changes()}
