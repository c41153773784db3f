"""A mail server on 127.0.0.1 that keeps what it gets and can be made as hostile as real ones are."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP

from klik.settings import SmtpAddress


@dataclass(slots=True)
class Behaviour:
    """How the server answers. ``replies``: address → answer to RCPT. ``after_dot``: answer to the final dot.

    ``delay``: seconds before the 250 of a stored mail. ``hang``: addresses whose RCPT is never answered.
    ``drip``: the greeting comes a byte each half second. ``reset``: the connection is reset at the greeting.
    ``drop_after_dot``: stored, and then the connection ends without an answer. ``drip_to``, ``reset_to``,
    ``drop_to``: addresses whose mail alone meets a dripped answer, a reset, or an end after the dot.
    """

    replies: dict[str, str] = field(default_factory=dict)
    after_dot: str = "250 2.0.0 modtaget"
    greeting: str = "220 sink"
    delay: float = 0.0
    hang: set[str] = field(default_factory=set)
    drip: bool = False
    reset: bool = False
    drop_after_dot: bool = False
    drip_to: set[str] = field(default_factory=set)
    reset_to: set[str] = field(default_factory=set)
    drop_to: set[str] = field(default_factory=set)


class Sink:
    """The server; ``received`` holds (envelope recipient, raw bytes) in order."""

    def __init__(self, port: int = 0) -> None:
        self.behaviour = Behaviour()
        self.received: list[tuple[str, bytes]] = []
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._server = socket.create_server(("127.0.0.1", port))
        self.port = self._server.getsockname()[1]
        self._open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> SmtpAddress:
        """Where to hand mail over."""
        return SmtpAddress("127.0.0.1", self.port)

    @property
    def url(self) -> str:
        """The same as KLIK_SMTP_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    def messages(self) -> list[EmailMessage]:
        """Everything received, parsed."""
        return [message_from_bytes(raw, policy=SMTP) for _, raw in self.received]  # type: ignore[misc]

    def by_id(self) -> Counter[str]:
        """How often each Message-ID came."""
        return Counter(str(message["Message-ID"]) for message in self.messages())

    def wait_for(self, count: int, seconds: float = 20.0) -> None:
        """Until so many mails came; fails after the limit."""
        wait_until(lambda: len(self.received) >= count, seconds)

    def close(self) -> None:
        """Stop listening and drop every connection."""
        self._closing.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for a connection
        self._server.close()
        with self._lock:
            for connection in self._open:
                connection.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.behaviour.reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            with connection.makefile("rb") as lines:
                self._greet(connection)
                self._talk(connection, lines)
        except (OSError, ValueError):
            return
        finally:
            connection.close()
            with self._lock:
                self._open.discard(connection)

    def _greet(self, connection: socket.socket) -> None:
        if not self.behaviour.drip:
            self._say(connection, self.behaviour.greeting)
            return
        self._drip(connection)

    def _drip(self, connection: socket.socket) -> None:
        while not self._closing.wait(0.5):
            connection.sendall(b"2")

    def _talk(self, connection: socket.socket, lines: object) -> None:
        recipient = ""
        while line := lines.readline(4096):  # type: ignore[attr-defined]
            verb = line[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                self._say(connection, "250 sink")
            elif verb == b"MAIL":
                self._say(connection, "250 ok")
            elif verb == b"RCPT":
                recipient = line.partition(b"<")[2].partition(b">")[0].decode()
                if recipient in self.behaviour.hang:
                    self._closing.wait()
                    return
                if recipient in self.behaviour.drip_to:
                    self._drip(connection)
                if recipient in self.behaviour.reset_to:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                self._say(connection, self.behaviour.replies.get(recipient, "250 ok"))
            elif verb == b"DATA":
                self._say(connection, "354 kom nu")
                if not self._take(connection, lines, recipient):
                    return
            elif verb == b"QUIT":
                return
            else:
                self._say(connection, "250 ok")

    def _take(self, connection: socket.socket, lines: object, recipient: str) -> bool:
        raw = b""
        while (line := lines.readline()) != b".\r\n":  # type: ignore[attr-defined]
            if not line:
                return False
            assert line.endswith(b"\r\n"), "a bare line feed"
            assert len(line) <= 1000, "a line longer than 998"
            raw += line[1:] if line.startswith(b".") else line
        if self.behaviour.after_dot.startswith("2"):
            with self._lock:
                self.received.append((recipient, raw))
        if self.behaviour.drop_after_dot or recipient in self.behaviour.drop_to:
            return False
        if self.behaviour.delay:
            time.sleep(self.behaviour.delay)
        self._say(connection, self.behaviour.after_dot)
        return True

    @staticmethod
    def _say(connection: socket.socket, words: str) -> None:
        connection.sendall(words.encode() + b"\r\n")


@contextmanager
def running_sink() -> Iterator[Sink]:
    """A sink for the length of the block."""
    sink = Sink()
    try:
        yield sink
    finally:
        sink.close()


def wait_until(holds: Callable[[], bool], seconds: float = 20.0, *, every: float = 0.05) -> None:
    """Until it holds, asked again after ``every`` seconds; fails after the limit."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(every)
