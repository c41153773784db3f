"""What a plug-in sees of klik's data: values that cannot be changed, never rows, and only what the actor may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, TypeVar

View = TypeVar("View", "MunicipalityView", "MunicipalTaskView", "SystemView", "FrontView")


@dataclass(frozen=True, slots=True, kw_only=True)
class MunicipalityView:
    """A municipality in relation to one system; ``go_live`` is its own date, else its wave's, else None."""

    code: int
    name: str
    region: str
    wave: str | None
    go_live: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """A KLIK-opgave in the version being published."""

    number: str
    title: str
    project: str
    system: str | None
    phase: str
    theme: str
    priority: str
    infrastructure: bool
    start: date | None
    published_on: date
    fields: Mapping[str, str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MunicipalTaskView:
    """A municipality's task. ``go_live`` is when the municipality takes the task's system into use, if known.

    ``phase``, ``theme`` and ``status`` are slugs, and ``phase_name``, ``theme_name`` and ``status_name`` the words.
    """

    id: int
    municipality: int
    municipality_name: str
    number: str | None
    title: str
    project: str
    system: str | None
    phase: str
    theme: str
    status: str
    start: date | None
    deadline: date | None
    yellow_from: date | None
    deadline_version: int
    local: bool
    fields: Mapping[str, str]
    go_live: date | None = None
    phase_name: str = ""
    theme_name: str = ""
    status_name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemView:
    """An it-system, and how a municipality stands with it (None: seen by KOMBIT for all)."""

    code: str
    name: str
    municipality: MunicipalityView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontView:
    """The front page of the actor: the municipality it belongs to, or KOMBIT's or a supplier's (None)."""

    municipality: MunicipalityView | None
    kombit: bool


def own_copy(view: View) -> View:
    """The same values anew: whoever forces a change upon its own changes nobody else's."""
    nested = getattr(view, "municipality", None)
    parts: Any = {"municipality": replace(nested)} if isinstance(nested, MunicipalityView) else {}
    return replace(view, **parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderView:
    """Who holds a role of the gallery today; ``name`` is a person's or a mailbox, None where it is vacant.

    ``person`` is the person's id, None for a mailbox.
    """

    role: str
    role_name: str
    system: str | None
    name: str | None
    primary: bool
    person: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressView:
    """How many of a municipality's tasks are closed: "Fuldført" or "Ikke relevant"."""

    tasks: int
    closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """One change of a municipality's task, after it was stored; ``old`` and ``new`` are the words people read."""

    task: int
    municipality: int
    system: str | None
    field: str
    old: str | None
    new: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedView:
    """That a task was published, after it was stored; ``municipalities`` are codes."""

    task: TaskView
    municipalities: tuple[int, ...]
    at: datetime
