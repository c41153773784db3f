"""How measurements are made: over a kept connection, asked alternately, told as medians and ratios."""

from __future__ import annotations

import http.client
import logging
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import waitress
from sqlalchemy import Engine, event

Ask = Callable[[], bytes]


@contextmanager
def serving(app: Any, cookie: str = "") -> Iterator[Callable[[str], bytes]]:
    """Serve an application with waitress; call the result with a path for the answer, on one connection."""
    # Between two requests the connection waits for the thread; waitress warns of it.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=1, ident=None)
    threading.Thread(target=server.run, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", server.effective_port)
    headers = {"Cookie": f"klik={cookie}"} if cookie else {}

    def get(path: str) -> bytes:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
        return body

    try:
        yield get
    finally:
        # waitress cannot be stopped from outside; its idle loop ends with the process.
        connection.close()


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds by the clock, and of this process's own work; a database server's work is not in the second.

    On a machine with other things to do the second is the steadier one.
    """

    clock: float
    work: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """Work with something that must come before it and is not measured."""

    before: Callable[[], object]
    work: Callable[[], object]

    def __call__(self) -> object:
        """Only the work."""
        return self.work()


def cost(work: Callable[[], object]) -> Cost:
    """What one call costs."""
    if isinstance(work, Prepared):
        work.before()
    clock, busy = time.perf_counter(), time.process_time()
    work()
    return Cost((time.perf_counter() - clock) * 1_000, (time.process_time() - busy) * 1_000)


def alternately(
    asked: Mapping[str, Callable[[], object]],
    rounds: int,
    warm: int = 3,
    before: Callable[[], object] = lambda: None,
) -> dict[str, Cost]:
    """The median of each, asked in turn so that the machine's moods strike all alike; ``before`` each turn."""
    for work in asked.values():
        for _ in range(warm):
            work()
    costs: dict[str, list[Cost]] = {name: [] for name in asked}
    for _ in range(rounds):
        before()
        for name, work in asked.items():
            costs[name].append(cost(work))
    return {
        name: Cost(
            statistics.median(each.clock for each in found), statistics.median(each.work for each in found)
        )
        for name, found in costs.items()
    }


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The statements sent to the database while the block runs."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def tell(*lines: str) -> None:
    """Print at once, also into a pipe."""
    for line in lines:
        print(line, flush=True)  # noqa: T201
