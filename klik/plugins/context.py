"""What a plug-in is handed when it is called: the day, who asks, its own settings and its own tables."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql import visitors


class ForeignTableError(Exception):
    """A plug-in asked for a table that is not its own."""


class StoreClosedError(Exception):
    """A plug-in asked for its tables after its call was over."""


class PluginStore:
    """The plug-in's own tables, inside the caller's transaction; it cannot commit and sees no others.

    A watched store (Guard) puts what the plug-in writes behind a savepoint and is closed when the call is over, so
    a call that failed leaves nothing and one that was given up never touches the session again.
    """

    def __init__(self, session: Session, prefix: str) -> None:
        self._session = session
        self._prefix = prefix
        self._lock = threading.Lock()
        self._watched = False
        self._closed = False
        self._savepoint: SessionTransaction | None = None
        self._savepoints = ExitStack()
        self._driver: Any = None

    def execute(self, statement: Executable, parameters: Any = None) -> Any:
        """Run a Core statement on tables with the plug-in's prefix; raises ForeignTableError for others.

        Rows are fetched at once. Literal SQL is refused too: what it touches cannot be told.
        """
        for element in visitors.iterate(statement):  # type: ignore[arg-type]
            if isinstance(element, Table) and not element.name.startswith(self._prefix):
                raise ForeignTableError(f"{element.name} does not begin with {self._prefix}")
            if element.__visit_name__ in ("textclause", "text"):
                raise ForeignTableError("literal SQL is not open to plug-ins")
        with self._lock:
            if self._closed:
                raise StoreClosedError("the call this store was for is over")
            if self._watched and self._savepoint is None:
                self._savepoint = self._savepoints.enter_context(self._session.begin_nested())
                self._driver = self._session.connection().connection.driver_connection
            result: Any = self._session.execute(statement, parameters)
            return result.freeze()() if result.returns_rows else result

    def watch(self) -> None:
        """Put what is written from now on behind a savepoint."""
        self._watched = True

    def close(self, *, keep: bool) -> None:
        """End it for good, and keep or undo what was written; a statement that still runs is broken off."""
        while not self._lock.acquire(timeout=0.05):
            self._interrupt()
        self._closed = True
        self._lock.release()
        if self._savepoint is not None and not keep:
            self._savepoint.rollback()
        self._savepoints.close()

    def _interrupt(self) -> None:
        # SQLite calls it interrupt, psycopg cancel; both may be called from another thread.
        stop = getattr(self._driver, "interrupt", None) or getattr(self._driver, "cancel", None)
        if stop is not None:
            stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginContext:
    """Built anew for every call.

    ``municipality`` is the code the actor belongs to (in an import: the one it is for), or None for KOMBIT and
    suppliers; ``kombit`` tells the two apart. ``settings`` holds the environment's ``KLIK_<PLUGIN>_…`` only.
    """

    plugin: str
    now: datetime
    today: date
    municipality: int | None
    person_id: int | None
    kombit: bool
    store: PluginStore | None
    settings: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
