"""What a plug-in is handed when it is called: the day, who asks, its own settings and its own tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.orm import Session
from sqlalchemy.sql import visitors


class ForeignTableError(Exception):
    """A plug-in asked for a table that is not its own."""


class PluginStore:
    """The plug-in's own tables, inside the caller's transaction; it cannot commit and sees no others."""

    def __init__(self, session: Session, prefix: str) -> None:
        self._session = session
        self._prefix = prefix

    def execute(self, statement: Executable, parameters: Any = None) -> Any:
        """Run a Core statement on tables with the plug-in's prefix; raises ForeignTableError for others.

        Literal SQL is refused too: what it touches cannot be told.
        """
        for element in visitors.iterate(statement):  # type: ignore[arg-type]
            if isinstance(element, Table) and not element.name.startswith(self._prefix):
                raise ForeignTableError(f"{element.name} does not begin with {self._prefix}")
            if element.__visit_name__ in ("textclause", "text"):
                raise ForeignTableError("literal SQL is not open to plug-ins")
        return self._session.execute(statement, parameters)


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginContext:
    """Built anew for every call.

    ``municipality`` is the code the actor belongs to, or None for KOMBIT and suppliers; ``settings`` holds
    the environment's ``KLIK_<PLUGIN>_…`` only.
    """

    plugin: str
    now: datetime
    today: date
    municipality: int | None
    person_id: int | None
    kombit: bool
    store: PluginStore | None
    settings: Mapping[str, str] = field(default_factory=dict)
