"""Natural keys: what a thing is called in a package, so that a klik with other numbers knows it again.

project "kp" · KLIK-opgave "kp/MI 15" · version "kp/MI 15/2" · the municipality's task the same as the KLIK-opgave, a
local one "kp/lokal/<when it was made>/<which of them>" · person: the address, and somebody from elsewhere only by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from klik.models import (
    Deletion,
    Membership,
    MunicipalTask,
    Person,
    Project,
    SavedFilter,
    Task,
    TaskVersion,
    Wave,
)

OUTSIDE = "udefra/"
# Addresses that reach nobody (RFC 2606), for people from elsewhere of whom a package has only the name.
OUTSIDE_DOMAIN = "@pakke.invalid"
LOCAL = "lokal"
Names = dict[int, str]


def moment(value: datetime) -> str:
    """An instant as it stands in a package: UTC."""
    return value.astimezone(UTC).isoformat()


def outsider(name: str) -> str:
    """The key of somebody who is not of the municipality."""
    return OUTSIDE + name


def outside_address(key: str) -> str:
    """The address an outsider's row gets, the same for the same name."""
    return f"udefra-{hashlib.sha256(key.encode()).hexdigest()[:20]}{OUTSIDE_DOMAIN}"


class Naming:
    """The keys of what one municipality has in this database, by kind and id; read when first asked for."""

    def __init__(self, session: Session, code: int) -> None:
        self.session, self.code = session, code
        self._names: dict[str, Names] = {}
        self._outsiders: Names = {}

    def of(self, kind: str, number: Any) -> str:
        """The key of one thing; raises KeyError for one that is not the municipality's to name."""
        if kind in ("file", "system"):
            return str(number)
        names = self.all(kind)
        if kind == "person" and number not in names:
            return self._from_elsewhere(number)
        return names[number]

    def all(self, kind: str) -> Names:
        """Every thing of a kind."""
        if kind not in self._names:
            self._names[kind] = _READERS[kind](self)
        return self._names[kind]

    def ids(self, kind: str) -> dict[str, int]:
        """The same the other way round; people from elsewhere by the address their key gives."""
        return {name: number for number, name in self.all(kind).items()}

    @property
    def outsiders(self) -> Mapping[int, str]:
        """The people from elsewhere that were named so far."""
        return self._outsiders

    def _from_elsewhere(self, number: int) -> str:
        if number not in self._outsiders:
            name = self.session.scalar(select(Person.name).where(Person.id == number)) or "ukendt"
            self._outsiders[number] = outsider(name)
        return self._outsiders[number]

    def _pairs(self, statement: Any, word: Callable[..., str]) -> Names:
        return {number: word(*rest) for number, *rest in self.session.execute(statement)}

    def _people(self) -> Names:
        here = select(Membership.person_id).where(Membership.municipality_id == self.code)
        return self._pairs(select(Person.id, Person.email_key).where(Person.id.in_(here)), str)

    def _memberships(self) -> Names:
        statement = (
            select(Membership.id, Person.email_key)
            .join(Person, Person.id == Membership.person_id)
            .where(Membership.municipality_id == self.code)
        )
        return self._pairs(statement, str)

    def _projects(self) -> Names:
        return self._pairs(select(Project.id, Project.slug), str)

    def _waves(self) -> Names:
        return self._pairs(select(Wave.id, Wave.system_code, Wave.slug), "{}/{}".format)

    def _tasks(self) -> Names:
        statement = select(Task.id, Project.slug, Task.task_number).join(
            Project, Project.id == Task.project_id
        )
        return self._pairs(statement, "{}/{}".format)

    def _versions(self) -> Names:
        statement = (
            select(TaskVersion.id, Project.slug, Task.task_number, TaskVersion.number)
            .join(Task, Task.id == TaskVersion.task_id)
            .join(Project, Project.id == Task.project_id)
        )
        return self._pairs(statement, "{}/{}/{}".format)

    def _municipal_tasks(self) -> Names:
        rows = self.session.execute(
            select(MunicipalTask.id, Project.slug, MunicipalTask.task_number, MunicipalTask.created_at)
            .join(Project, Project.id == MunicipalTask.project_id)
            .where(MunicipalTask.municipality_id == self.code)
            .order_by(MunicipalTask.id)
        )
        return numbered(
            (number, f"{slug}/{task}" if task else f"{slug}/{LOCAL}/{moment(made)}", task is None)
            for number, slug, task, made in rows
        )

    def _deletions(self) -> Names:
        rows = self.session.execute(select(Deletion.id, Deletion.announced_at).order_by(Deletion.id))
        return numbered((number, moment(at), True) for number, at in rows)

    def _filters(self) -> Names:
        statement = (
            select(SavedFilter.id, Person.email_key, SavedFilter.name_key)
            .join(Person, Person.id == SavedFilter.person_id)
            .where(SavedFilter.municipality_id == self.code, SavedFilter.shared == "kommune")
        )
        return self._pairs(statement, "{}/{}".format)


def numbered(things: Iterable[tuple[int, str, bool]]) -> Names:
    """Names made different by a number after those that need one, in the order given."""
    counts: dict[str, int] = {}
    names: Names = {}
    for number, name, counted in things:
        if counted:
            counts[name] = counts.get(name, 0) + 1
            name = f"{name}/{counts[name]}"
        names[number] = name
    return names


_READERS: Mapping[str, Callable[[Naming], Names]] = {
    "person": Naming._people,
    "membership": Naming._memberships,
    "project": Naming._projects,
    "wave": Naming._waves,
    "task": Naming._tasks,
    "version": Naming._versions,
    "municipal_task": Naming._municipal_tasks,
    "deletion": Naming._deletions,
    "filter": Naming._filters,
}
