"""What a row out of a package gets besides what the package says: keys for searching and sorting, and its limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from klik.domain.life import State
from klik.domain.rights import Level
from klik.domain.texts import search_key, sort_key
from klik.models import (
    Base,
    Deletion,
    DeletionItem,
    Membership,
    MunicipalTask,
    Person,
    SavedFilter,
    StoredFile,
    System,
    Task,
    TaskVersion,
)
from klik.services import saved_filters
from klik.services.house_package.tables import PackedTable
from klik.services.house_package.values import PLAIN, ValueRefusedError
from klik.services.publishing.drafts import PARTS
from klik.services.work import Work

_PUBLIC = (State.PUBLISHED.value, State.WITHDRAWN.value)
Row = dict[str, Any]


def complete(table: PackedTable, row: Row, values: PLAIN, work: Work) -> None:
    """Fill in what every such row has; raises ValueRefusedError for what no package may bring."""
    if step := _STEPS.get(table.model):
        step(row, values, work)


def fill(there: Any, row: Row, names: Iterable[str]) -> None:
    """Give a row that is there the values it lacks."""
    for name in names:
        if getattr(there, name) is None and row[name] is not None:
            setattr(there, name, row[name])


def _person(row: Row, _values: PLAIN, _work: Work) -> None:
    local, at, domain = row["email"].partition("@")
    if not (local and at and domain) or any(sign.isspace() for sign in row["email"]):
        raise ValueRefusedError("feltet “email” er ingen mailadresse")
    row |= {"name_key": sort_key(row["name"]), "email_key": row["email"].casefold()}


def _membership(row: Row, _values: PLAIN, _work: Work) -> None:
    if row["level"] not in {level.value for level in Level if level.scope == "municipality"}:
        raise ValueRefusedError("niveauet hører ikke til i en kommune")


def _task(row: Row, _values: PLAIN, _work: Work) -> None:
    if row["state"] not in _PUBLIC or row["published_at"] is None:
        raise ValueRefusedError("opgaven er ikke udgivet")


def _version(row: Row, values: PLAIN, _work: Work) -> None:
    number = values["task"].rpartition("/")[2]
    row["search_key"] = search_key(" ".join([number, row["title"], *(row[part] for part in PARTS)]))


def _municipal_task(row: Row, _values: PLAIN, _work: Work) -> None:
    title, number = row["title"], row["task_number"]
    row |= {"title_key": sort_key(title), "number_key": sort_key(number or "")}
    words = f"{title} {row['local_text']}" if number is None else f"{number} {title}"
    row["search_key"] = "" if row["erased_at"] else search_key(words)


def _saved_filter(row: Row, _values: PLAIN, _work: Work) -> None:
    if row["shared"] != "kommune":
        raise ValueRefusedError("filteret er ikke delt i kommunen")
    row["name_key"] = saved_filters.name_key(row["name"])


def _deletion(row: Row, _values: PLAIN, _work: Work) -> None:
    row["state"] = "afsluttet"


def _deletion_item(row: Row, _values: PLAIN, work: Work) -> None:
    if row["state"] != "slettet":
        raise ValueRefusedError("opgaven er ikke slettet")
    # The archive file is where the task was deleted, or with the municipality, but not here.
    row["archive_removed_at"] = work.now


def _system(row: Row, _values: PLAIN, _work: Work) -> None:
    row["installed"] = False


def _file(row: Row, _values: PLAIN, work: Work) -> None:
    row["created_at"] = work.now


_STEPS: Mapping[type[Base], Callable[[Row, PLAIN, Work], None]] = {
    Deletion: _deletion,
    DeletionItem: _deletion_item,
    Membership: _membership,
    MunicipalTask: _municipal_task,
    Person: _person,
    SavedFilter: _saved_filter,
    StoredFile: _file,
    System: _system,
    Task: _task,
    TaskVersion: _version,
}
