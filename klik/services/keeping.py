"""What was worked out once and still holds: kept in this process for as long as the data it came from is the same.

Nothing is kept by time. Whoever keeps something says under which stamp it was made (``Work.stamp``), and gets it
back only under that very stamp, which every change of the data raises, whichever process makes it.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Hashable
from functools import lru_cache
from typing import Any

from klik.models import Base
from klik.models.stamps import UNSTAMPED_COLUMNS, stamped_tables

MOST_BYTES = 64 * 1024 * 1024
_WORD = re.compile(r"[a-z_][a-z0-9_]*")


class Keep:
    """A bounded store that threads share; what was not asked for longest goes first."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._held = 0
        self._lock = threading.Lock()
        self._things: OrderedDict[Hashable, tuple[int, Any, int]] = OrderedDict()

    def get(self, key: Hashable, stamp: int) -> Any:
        """What is kept under the key and was made under this stamp, or None."""
        with self._lock:
            found = self._things.get(key)
            if found is None or found[0] != stamp:
                return None
            self._things.move_to_end(key)
            return found[1]

    def put(self, key: Hashable, stamp: int, thing: Any, size: int) -> None:
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

    def __len__(self) -> int:
        return len(self._things)


@lru_cache(maxsize=2_000)
def is_stamped(statement: str) -> bool:
    """Whether everything that a statement reads raises a stamp when it changes.

    Taken by its words, so it errs on the safe side: a table that is not stamped or not known, a column that
    changes without a stamp, the database's clock or chance, or what is no question, and the answer is no.
    """
    text = statement.casefold().strip(" \n(")
    if not text.startswith(("select", "with")) or _NEVER & set(_WORD.findall(text)):
        return False
    named = set(_WITH.findall(text))
    read = {word for listed in _FROM.findall(text) for word in _LISTED.findall(listed)} - named
    return bool(read) and read <= stamped_tables().keys() and not _reads_unstamped_column(text)


def _reads_unstamped_column(text: str) -> bool:
    for table, columns in UNSTAMPED_COLUMNS.items():
        for qualifier, column in _COLUMN.findall(text):
            other = Base.metadata.tables.get(qualifier[:-1])
            if column in columns and (other is None or other.name == table):
                return True
    return False


_COLUMN = re.compile(r"\b([a-z_][a-z0-9_]*\.)?([a-z_][a-z0-9_]*)\b")
_WITH = re.compile(r"\b([a-z_][a-z0-9_]*)(?:\s*\([^()]*\))?\s+as\s+(?:materialized\s+)?\(")
_FROM = re.compile(r"\b(?:from|join)\s+(\w+(?:\s+as\s+\w+)?(?:\s*,\s*\w+(?:\s+as\s+\w+)?)*)")
_LISTED = re.compile(r"(?:^|,)\s*(\w+)")
_NEVER = frozenset(
    {"insert", "update", "delete", "now", "random", "julianday", "strftime", "unixepoch", "nextval"}
    | {"current_timestamp", "current_date", "current_time", "localtimestamp", "localtime"}
    | {"clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday"}
)
