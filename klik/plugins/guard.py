"""Calling into plug-ins at run time: an error, a hang or rubbish gives the core's own answer instead."""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, replace
from typing import TypeVar

from klik import speaking
from klik.plugins.context import PluginStore

log = logging.getLogger("klik.plugins")
Answer = TypeVar("Answer")

PATIENCE = 2.0
FAILURES_BEFORE_REST = 3
REST = 300.0
LONGEST_FAULT = 200
UNANSWERED = "blev ikke besvaret"


@dataclass(slots=True)
class Health:
    """How one contribution has behaved: failures in a row, the last fault, and until when it rests.

    ``hanging`` is the thread of a call that was given up; while it lives, nothing more is asked.
    """

    failures: int = 0
    fault: str = ""
    rests_until: float = 0.0
    hanging: threading.Thread | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What this process has seen of a contribution and no other knows yet; ``mended``: it answered last."""

    failures: int = 0
    fault: str = ""
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """What all processes know together of a contribution that fails; ``rests`` is how many seconds it still rests."""

    failures: int
    fault: str
    rests: float


class _Call:
    """One question on its way: what came of it, and whether anybody still waits."""

    def __init__(self, key: str, question: Callable[[], object], accept: Callable[..., bool]) -> None:
        self.answer: object = None
        self.fault = UNANSWERED
        self.error: BaseException | None = None
        self._key, self._question, self._accept = key, question, accept

    def run(self) -> None:
        try:
            with speaking.while_called(self._key):
                answer = self._question()
                accepted = bool(self._accept(answer))
        except BaseException as error:  # a plug-in's SystemExit must not end the server either
            self.error = error
            self.fault = fault_of(error)
            return
        self.answer = answer
        self.fault = "" if accepted else f"gav et ubrugeligt svar ({_name(type(answer))})"


class Guard:
    """Remembers, for each contribution's key, whether it can be trusted just now; one an application.

    After three failures in a row that one contribution (never the whole plug-in) rests for five minutes and
    is then tried again. What it sees is ``news`` for the other processes, and it ``learns`` what they saw
    (klik.services.quarantine).
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, patience: float = PATIENCE) -> None:
        self._clock = clock
        self._patience = patience
        self._health: dict[str, Health] = {}
        self._news: dict[str, News] = {}
        self._began: set[str] = set()
        self._lock = threading.Lock()
        # Of the table that the processes share: what was read of it last, and when it may be written to again.
        self.stamp = 0
        self.silent_until = 0.0

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
        if self.rests(key):
            return fallback
        call = _Call(key, question, accept)
        if store is not None:
            store.watch()
        hanging = self._wait(key, call.run, patience)
        fault = self._late(patience) if hanging else call.fault
        if store is not None:
            store.close(keep=not fault)
        if fault:
            self.failed(key, fault, call.error, hanging)
            return fallback
        self.answered(key)
        return call.answer  # type: ignore[return-value]

    def run(self, key: str, act: Callable[[], Answer], context: Context, patience: float) -> Answer:
        """Let a plug-in's page be made, in the caller's ``context``; raises what it raises, or TimeoutError.

        What its outcome says of the contribution is for the caller to tell (``failed``, ``answered``): a page that
        is not there is no fault.
        """
        call = _Call(key, act, lambda _answer: True)
        hanging = self._wait(key, lambda: context.run(call.run), patience)
        if hanging:
            self.failed(key, self._late(patience), hanging=hanging)
            raise TimeoutError(key)
        if call.error is not None:
            raise call.error
        return call.answer  # type: ignore[return-value]

    def _wait(self, key: str, run: Callable[[], None], patience: float | None) -> threading.Thread | None:
        """The thread, when it did not end in time."""
        thread = threading.Thread(target=run, name=f"plugin-{key}", daemon=True)
        thread.start()
        thread.join(self._patience if patience is None else patience)
        return thread if thread.is_alive() else None

    def _late(self, patience: float | None) -> str:
        return f"svarede ikke inden for {self._patience if patience is None else patience:g} sekunder"

    def faults(self) -> dict[str, str]:
        """The contributions that failed last time they were asked, with what went wrong."""
        with self._lock:
            return {key: health.fault for key, health in self._health.items()}

    def rests(self, key: str) -> bool:
        """Whether the contribution is left alone for now: it failed too often, or its last call still hangs."""
        with self._lock:
            health = self._health.get(key)
            return health is not None and (_hangs(health) or self._clock() < health.rests_until)

    def hangs(self, key: str) -> bool:
        """Whether a call of the contribution that was given up has still not ended."""
        with self._lock:
            health = self._health.get(key)
            return health is not None and _hangs(health)

    def answered(self, key: str) -> None:
        """Note that the contribution did as it should; what was wrong with it is over."""
        with self._lock:
            if self._health.pop(key, None) is not None:
                self._news[key] = replace(self._news.get(key, News()), mended=True)

    def began(self, key: str) -> None:
        """Note that what is asked once, when a process starts, went well in this one: what others say of it is over."""
        self._began.add(key)

    def failed(
        self,
        key: str,
        fault: str,
        error: BaseException | None = None,
        hanging: threading.Thread | None = None,
    ) -> None:
        """Note a failure, of a call that was made elsewhere too; ``fault`` is half a Danish sentence."""
        with self._lock:
            health = self._health.setdefault(key, Health())
            health.failures += 1
            health.fault = fault
            health.hanging = hanging
            if health.failures >= FAILURES_BEFORE_REST:
                health.rests_until = self._clock() + REST
            told = self._news.get(key, News())
            self._news[key] = News(told.failures + 1, fault)
        log.warning("plug-in contribution %s: %s%s", key, fault, where(error))
        # What an exception says may be anybody's data; only who asks for everything gets it.
        log.debug("plug-in contribution %s", key, exc_info=error)

    def news(self) -> Mapping[str, News]:
        """What has not been told to the other processes; from now on it counts as told."""
        if not self._news or self._clock() < self.silent_until:
            return {}
        with self._lock:
            told, self._news = self._news, {}
        return told

    def untold(self, news: Mapping[str, News], seconds: float) -> None:
        """It could not be told after all: keep it, and try again in so many seconds at the earliest."""
        with self._lock:
            self.silent_until = self._clock() + seconds
            for key, older in news.items():
                newer = self._news.get(key)
                self._news[key] = (
                    older
                    if newer is None
                    else News(older.failures + newer.failures, newer.fault or older.fault, newer.mended)
                )

    def learn(self, standing: Mapping[str, Standing], stamp: int) -> None:
        """Take over what all processes know together; what this one has not told yet stays."""
        with self._lock:
            self.stamp = stamp
            for key in [key for key in self._health if key not in standing and key not in self._news]:
                if not _hangs(self._health[key]):
                    del self._health[key]
            for key, known in standing.items():
                if key in self._began and key not in self._health:
                    self._news.setdefault(key, News(mended=True))
                    continue
                health = self._health.setdefault(key, Health())
                health.failures = max(health.failures, known.failures)
                health.fault = health.fault or known.fault
                if known.rests > 0:
                    health.rests_until = max(health.rests_until, self._clock() + known.rests)


def _hangs(health: Health) -> bool:
    return health.hanging is not None and health.hanging.is_alive()


def fault_of(error: BaseException) -> str:
    """What went wrong, by the error's kind alone: what it says may be anybody's data."""
    return _name(type(error))


def _name(kind: type) -> str:
    name = str(kind.__name__)[:LONGEST_FAULT]
    return name if name.isidentifier() else "ukendt fejl"


def where(error: BaseException | None) -> str:
    """The last steps of an error's way, without its words: " (board.py:61 show, …)"."""
    if error is None:
        return ""
    steps = traceback.extract_tb(error.__traceback__)[-5:]
    named = ", ".join(f"{step.filename.rpartition('/')[2]}:{step.lineno} {step.name}" for step in steps)
    return f" ({named})" if named else ""
