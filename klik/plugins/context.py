"""What a plug-in is handed when it is called: the day, who asks, its own settings and its own tables."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Protocol

from sqlalchemy import Executable
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnClause, TextClause
from sqlalchemy.sql.selectable import TableClause

from klik.domain.rights import Right
from klik.plugins.views import HolderView, MunicipalityView, MunicipalTaskView, ProgressView


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
        self._wrote = False
        self._savepoint: SessionTransaction | None = None
        self._savepoints = ExitStack()
        self._driver: Any = None

    def execute(self, statement: Executable, parameters: Any = None) -> Any:
        """Run a Core statement on tables with the plug-in's prefix; raises ForeignTableError for others.

        Rows are fetched at once. Literal SQL is refused too: what it touches cannot be told.
        """
        for element in visitors.iterate(statement):  # type: ignore[arg-type]
            if isinstance(element, TableClause) and not element.name.startswith(self._prefix):
                raise ForeignTableError(f"{element.name} does not begin with {self._prefix}")
            if isinstance(element, TextClause) or _is_literal(element):
                raise ForeignTableError("literal SQL is not open to plug-ins")
        with self._lock:
            if self._closed:
                raise StoreClosedError("the call this store was for is over")
            self._begin()
            self._wrote = self._wrote or bool(getattr(statement, "is_dml", False))
            result: Any = self._session.execute(statement, parameters)
            return result.freeze()() if result.returns_rows else result

    @contextmanager
    def held(self, *, writes: bool = False) -> Iterator[None]:
        """For klik's own work on the plug-in's behalf: the call must still be going on; raises StoreClosedError.

        What is written is kept or undone with what the plug-in writes itself.
        """
        with self._lock:
            if self._closed:
                raise StoreClosedError("the call this store was for is over")
            if writes:
                self._begin()
                self._wrote = True
            yield

    @property
    def wrote(self) -> bool:
        """Whether the plug-in changed something through it, be it kept or undone."""
        return self._wrote

    def _begin(self) -> None:
        if self._watched and self._savepoint is None:
            self._savepoint = self._savepoints.enter_context(self._session.begin_nested())
        if self._driver is None:
            self._driver = self._session.connection().connection.driver_connection

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


def _is_literal(element: Any) -> bool:
    """Whether it is SQL in a column's place; "*" is what count() counts."""
    return isinstance(element, ColumnClause) and element.is_literal and element.name != "*"


class Klik(Protocol):
    """What klik itself answers and does for a plug-in, within what the actor may see."""

    def municipalities(self, system: str | None = None) -> tuple[MunicipalityView, ...]:
        """All 98, by name, each in relation to the system; the plan of waves is no secret."""

    def tasks(self, system: str, municipality: int | None = None) -> tuple[MunicipalTaskView, ...]:
        """A municipality's published tasks of a system and its local ones, by phase and number; none withdrawn.

        A municipality's actor gets its own, whatever is asked for; KOMBIT those of ``municipality`` without local ones.
        """

    def holders(self, system: str, municipality: int | None = None) -> tuple[HolderView, ...]:
        """Who holds the system's roles and those across, in a municipality; the actor's own, or for KOMBIT any."""

    def progress(self, system: str, phases: Iterable[str]) -> Mapping[int, ProgressView]:
        """Each municipality's KLIK-opgaver of the system in these phases, and how many are closed.

        Those without tasks are left out; a municipality's actor is told of its own only.
        """

    def filled(self, system: str, role: str) -> frozenset[int]:
        """The municipalities where somebody holds the role today; a municipality's actor is told of its own only."""

    def names(self, people: Iterable[int]) -> Mapping[int, str]:
        """The names of people in the actor's own municipality, or for KOMBIT of anybody; others are left out."""

    def tell(self, topic: str, key: str, heading: str, sentence: str, path: str) -> None:
        """Tell those who subscribe to one of the plug-in's topics, once for each key, when this is stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginContext:
    """Built anew for every call.

    ``municipality`` is the code the actor belongs to (in an import: the one it is for), or None for KOMBIT and
    suppliers; ``kombit`` tells the two apart, ``place`` names it, and ``systems`` are a supplier's. ``rights`` are the
    actor's; klik's own work has every one. ``settings`` holds the environment's ``KLIK_<PLUGIN>_…`` only. ``klik`` is
    None where no transaction is open (channels).
    """

    plugin: str
    now: datetime
    today: date
    municipality: int | None
    person_id: int | None
    kombit: bool
    store: PluginStore | None
    settings: Mapping[str, str] = field(default_factory=dict)
    person_name: str = ""
    place: str = ""
    systems: frozenset[str] = frozenset()
    rights: frozenset[Right] = frozenset()
    klik: Klik | None = None

    def has(self, right: Right) -> bool:
        """Whether the actor's level carries the right."""
        return right in self.rights

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
