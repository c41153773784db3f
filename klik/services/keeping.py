"""What was worked out once and still holds: kept in this process for as long as the data it came from is the same.

Nothing is kept by time. What is kept was made under a stamp, and comes back only under that very stamp, which every
change of the data raises, whichever process makes it (klik.models.stamps).
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from klik.db import heard
from klik.models import Base
from klik.models.stamps import UNSTAMPED_COLUMNS, DataStamp, Part, stamped_tables
from klik.plugins.guard import Guard

MOST_BYTES = 64 * 1024 * 1024
Thing = TypeVar("Thing")
SMALL = 2_000  # bytes, about: what a few numbers take with their key


@dataclass(frozen=True, slots=True)
class Stamps:
    """The state of all that an actor may see: of the frame around the tasks, and of the tasks."""

    frame: int
    tasks: int


class Keep:
    """A bounded store that threads share; what was not asked for longest goes first."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._held = 0
        self._lock = threading.Lock()
        self._things: OrderedDict[Hashable, tuple[Hashable, Any, int]] = OrderedDict()

    def get(self, key: Hashable, stamp: Hashable) -> Any:
        """What is kept under the key and was made under this stamp, or None."""
        with self._lock:
            found = self._things.get(key)
            if found is None or found[0] != stamp:
                return None
            self._things.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, stamp: Hashable, thing: Any, size: int) -> None:
        """Keep a thing of so many bytes in place of any other under the key."""
        with self._lock:
            self._held -= self._things.pop(key, (0, None, 0))[2]
            if size > self._most:
                return
            self._things[key] = (stamp, thing, size)
            self._held += size
            while self._held > self._most:
                _key, (_stamp, _thing, gone) = self._things.popitem(last=False)
                self._held -= gone

    def under(self, stamps: Stamps, guard: Guard) -> Kept:
        """The store as one reader sees it."""
        return Kept(self, stamps, guard)

    def __len__(self) -> int:
        return len(self._things)


@dataclass(slots=True)
class Seen:
    """What was asked while something was worked out: the statements, and whether a plug-in had a say."""

    statements: list[str]
    plugin_asked: bool = False

    def may_be_kept(self, part: Part = Part.TASKS) -> bool:
        """Whether nothing but stamped tables was asked, with FRAME only the frame's."""
        return not self.plugin_asked and all(is_stamped(each, part) for each in self.statements)


@dataclass(frozen=True, slots=True)
class Kept:
    """The store under the stamps that one reading transaction began with."""

    store: Keep
    stamps: Stamps
    guard: Guard

    @contextmanager
    def watching(self, session: Session) -> Iterator[Seen]:
        """See what is asked while the block runs."""
        before = self.guard.asked
        with heard(session) as statements:
            seen = Seen(statements)
            yield seen
        seen.plugin_asked = self.guard.asked != before

    def once(
        self, session: Session, key: Hashable, make: Callable[[], Thing], *, part: Part, size: int = SMALL
    ) -> Thing:
        """What ``make`` gave under these stamps, now or before. What asks the database nothing is of the frame.

        ``key`` must hold all that the answer depends on beside the database: the actor, the day, what was asked.
        An answer for which more was read than the part's tables, or a plug-in was asked, is given but not kept.
        """
        stamp = self.stamps.frame if part is Part.FRAME else self.stamps
        found = self.store.get(key, stamp)
        if found is not None:
            return found[0]
        with self.watching(session) as seen:
            made = make()
        if seen.may_be_kept(part):
            self.store.put(key, stamp, (made,), size)
        return made


@lru_cache(maxsize=2_000)
def is_stamped(statement: str, part: Part = Part.TASKS) -> bool:
    """Whether everything that a statement reads raises a stamp when it changes; with FRAME, the frame's.

    Taken by its words, so it errs on the safe side: a table that is not stamped or not known, a column that
    changes without a stamp, the database's clock or chance, or what is no question, and the answer is no.
    """
    text = statement.casefold().strip(" \n(")
    if not text.startswith(("select", "with")) or _NEVER & set(_WORD.findall(text)):
        return False
    named = set(_WITH.findall(text))
    read = {word for listed in _FROM.findall(text) for word in _LISTED.findall(listed)} - named
    stamped = {table for table, each in stamped_tables().items() if part is Part.TASKS or each.part is part}
    stamped.add(DataStamp.__tablename__)
    return bool(read) and read <= stamped and not _reads_unstamped_column(text)


def _reads_unstamped_column(text: str) -> bool:
    for table, columns in UNSTAMPED_COLUMNS.items():
        for qualifier, column in _COLUMN.findall(text):
            other = Base.metadata.tables.get(qualifier[:-1])
            if column in columns and (other is None or other.name == table):
                return True
    return False


_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_COLUMN = re.compile(r"\b([a-z_][a-z0-9_]*\.)?([a-z_][a-z0-9_]*)\b")
_WITH = re.compile(r"\b([a-z_][a-z0-9_]*)(?:\s*\([^()]*\))?\s+as\s+(?:materialized\s+)?\(")
_TABLE = r"(?:(?:main|public)\.)?\w+(?:\s+as\s+\w+)?"
_FROM = re.compile(rf"\b(?:from|join)\s+({_TABLE}(?:\s*,\s*{_TABLE})*)")
_LISTED = re.compile(r"(?:^|,)\s*(?:(?:main|public)\.)?(\w+)")
_NEVER = frozenset(
    {"insert", "update", "delete", "now", "random", "julianday", "strftime", "unixepoch", "nextval"}
    | {"current_timestamp", "current_date", "current_time", "localtimestamp", "localtime"}
    | {"clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday"}
)
