"""What plug-ins print or log while klik calls them: it may be anybody's data, so klik only says that they spoke."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

_CALLED: ContextVar[str] = ContextVar("klik_plugin_called", default="")


@contextmanager
def while_called(key: str) -> Iterator[None]:
    """The contribution is being asked, in this thread."""
    token = _CALLED.set(key)
    try:
        yield
    finally:
        _CALLED.reset(token)


def called() -> str:
    """The contribution that is being asked in this thread, or nothing."""
    return _CALLED.get()


class Mouth:
    """The standard streams without what a plug-in prints while it is called; everything else goes through."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Pass it on, unless a plug-in prints it."""
        return len(text) if _CALLED.get() else self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def hush() -> None:
    """From now on nothing that a plug-in prints reaches this process's streams; for processes that serve."""
    if not isinstance(sys.stdout, Mouth):
        sys.stdout = Mouth(sys.stdout)  # type: ignore[assignment]
    if not isinstance(sys.stderr, Mouth):
        sys.stderr = Mouth(sys.stderr)  # type: ignore[assignment]


class Discretion(logging.Filter):
    """Lets a plug-in's own log lines through as where they were written and not as what they say.

    An operator who logs at DEBUG gets the words too.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true; the record is changed."""
        key = _CALLED.get()
        own = record.name.startswith("klik.") and not record.name.startswith("klik.plugins.")
        if key and not own and not logging.getLogger().isEnabledFor(logging.DEBUG):
            record.msg = "plug-in contribution %s logged at %s:%s"
            record.args = (key, record.filename, record.lineno)
            record.exc_info = record.exc_text = record.stack_info = None
        return True
