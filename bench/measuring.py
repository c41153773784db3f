"""How measurements are made: over a kept connection, asked alternately, told as medians and ratios."""

from __future__ import annotations

import http.client
import logging
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
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
        connection.close()
        server.task_dispatcher.shutdown()
        server.close()
        thread.join(5)


def milliseconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    before = time.perf_counter()
    work()
    return (time.perf_counter() - before) * 1_000


def alternately(asked: Mapping[str, Callable[[], object]], rounds: int, warm: int = 3) -> dict[str, float]:
    """The median of each in milliseconds, asked in turn so that the machine's moods strike all alike."""
    for work in asked.values():
        for _ in range(warm):
            work()
    times: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(rounds):
        for name, work in asked.items():
            times[name].append(milliseconds(work))
    return {name: statistics.median(found) for name, found in times.items()}


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
