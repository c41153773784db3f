"""Calling into plug-ins at run time: an error, a hang or rubbish gives the core's own answer instead."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

log = logging.getLogger("klik.plugins")
Answer = TypeVar("Answer")

PATIENCE = 2.0
FAILURES_BEFORE_REST = 3
REST = 300.0


@dataclass(slots=True)
class Health:
    """How one contribution has behaved: failures in a row, the last fault, and until when it rests."""

    failures: int = 0
    fault: str = ""
    rests_until: float = 0.0


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

    def ask(
        self,
        key: str,
        question: Callable[[], Answer],
        fallback: Answer,
        accept: Callable[[Answer], bool] = lambda _answer: True,
    ) -> Answer:
        """The contribution's answer, or ``fallback`` when it fails, takes over two seconds, or is not accepted."""
        if self._resting(key):
            return fallback
        answers: list[Answer] = []
        faults: list[BaseException] = []

        def run() -> None:
            try:
                answers.append(question())
            except BaseException as fault:  # a plug-in's SystemExit must not end the server either
                faults.append(fault)

        thread = threading.Thread(target=run, name=f"plugin-{key}", daemon=True)
        thread.start()
        thread.join(self._patience)
        if thread.is_alive():
            self._failed(key, f"svarede ikke inden for {self._patience:g} sekunder")
            return fallback
        if faults:
            log.error("plug-in contribution %s failed", key, exc_info=faults[0])
            self._failed(key, type(faults[0]).__name__)
            return fallback
        if not accept(answers[0]):
            self._failed(key, f"gav et ubrugeligt svar ({type(answers[0]).__name__})")
            return fallback
        with self._lock:
            self._health.pop(key, None)
        return answers[0]

    def faults(self) -> dict[str, str]:
        """The contributions that failed last time they were asked, with what went wrong."""
        with self._lock:
            return {key: health.fault for key, health in self._health.items()}

    def _resting(self, key: str) -> bool:
        with self._lock:
            health = self._health.get(key)
            return health is not None and self._clock() < health.rests_until

    def _failed(self, key: str, fault: str) -> None:
        with self._lock:
            health = self._health.setdefault(key, Health())
            health.failures += 1
            health.fault = fault
            if health.failures >= FAILURES_BEFORE_REST:
                health.rests_until = self._clock() + REST
        log.warning("plug-in contribution %s: %s", key, fault)
