"""Calling into plug-ins at run time: an error, a hang or rubbish gives the core's own answer instead."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from klik.plugins.context import PluginStore

log = logging.getLogger("klik.plugins")
Answer = TypeVar("Answer")

PATIENCE = 2.0
FAILURES_BEFORE_REST = 3
REST = 300.0


@dataclass(slots=True)
class Health:
    """How one contribution has behaved: failures in a row, the last fault, and until when it rests.

    ``hanging`` is the thread of a call that was given up; while it lives, nothing more is asked.
    """

    failures: int = 0
    fault: str = ""
    rests_until: float = 0.0
    hanging: threading.Thread | None = None


class _Call:
    """One question on its way: what came of it, and whether anybody still waits."""

    def __init__(self, question: Callable[[], object], accept: Callable[..., bool]) -> None:
        self.answer: object = None
        self.fault = "blev ikke besvaret"
        self.error: BaseException | None = None
        self._question, self._accept = question, accept

    def run(self) -> None:
        try:
            answer = self._question()
            accepted = bool(self._accept(answer))
        except BaseException as error:  # a plug-in's SystemExit must not end the server either
            self.error = error
            self.fault = type(error).__name__
            return
        self.answer = answer
        self.fault = "" if accepted else f"gav et ubrugeligt svar ({type(answer).__name__})"


class Guard:
    """Remembers, for each contribution's key, whether it can be trusted just now; one an application.

    After three failures in a row that one contribution (never the whole plug-in) rests for five minutes and
    is then tried again.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, patience: float = PATIENCE) -> None:
        self._clock = clock
        self._patience = patience
        self._health: dict[str, Health] = {}
        self._lock = threading.Lock()
        # Rises with every question: what a plug-in had a say in may be otherwise next time, and is never kept.
        self.asked = 0

    def ask(
        self,
        key: str,
        question: Callable[[], Answer],
        fallback: Answer,
        accept: Callable[[Answer], bool] = lambda _answer: True,
        *,
        store: PluginStore | None = None,
        patience: float | None = None,
    ) -> Answer:
        """The contribution's answer, or ``fallback`` when it fails, takes too long (seconds), or is not accepted.

        ``store`` is the one in the context the contribution is handed: it is closed afterwards, and what was
        written through it is undone unless the answer was accepted.
        """
        self.asked += 1
        if self.rests(key):
            return fallback
        patience = self._patience if patience is None else patience
        call = _Call(question, accept)
        if store is not None:
            store.watch()
        thread = threading.Thread(target=call.run, name=f"plugin-{key}", daemon=True)
        thread.start()
        thread.join(patience)
        late = thread.is_alive()
        fault = f"svarede ikke inden for {patience:g} sekunder" if late else call.fault
        if store is not None:
            store.close(keep=not fault)
        if fault:
            self._failed(key, fault, call.error, thread if late else None)
            return fallback
        with self._lock:
            self._health.pop(key, None)
        return call.answer  # type: ignore[return-value]

    def faults(self) -> dict[str, str]:
        """The contributions that failed last time they were asked, with what went wrong."""
        with self._lock:
            return {key: health.fault for key, health in self._health.items()}

    def rests(self, key: str) -> bool:
        """Whether the contribution is left alone for now: it failed too often, or its last call still hangs."""
        with self._lock:
            health = self._health.get(key)
            if health is None:
                return False
            hangs = health.hanging is not None and health.hanging.is_alive()
            return hangs or self._clock() < health.rests_until

    def _failed(
        self, key: str, fault: str, error: BaseException | None, hanging: threading.Thread | None
    ) -> None:
        with self._lock:
            health = self._health.setdefault(key, Health())
            health.failures += 1
            health.fault = fault
            health.hanging = hanging
            if health.failures >= FAILURES_BEFORE_REST:
                health.rests_until = self._clock() + REST
        log.warning("plug-in contribution %s: %s", key, fault, exc_info=error)
