"""The demo's mail catcher: a real SMTP server that keeps what it gets as files, and sends nothing on."""

from __future__ import annotations

import secrets
import time
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class _Keeper:
    """Stores each accepted message as one file, written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """The name of this method is aiosmtpd's."""
        name = f"{time.time_ns()}-{secrets.token_hex(4)}"
        head = "".join(f"X-Demo-Recipient: {address}\r\n" for address in envelope.rcpt_tos)
        content = envelope.content or b""
        temporary = self._folder / f".{name}"
        temporary.write_bytes(head.encode() + (content if isinstance(content, bytes) else content.encode()))
        temporary.replace(self._folder / f"{name}.eml")
        return "250 OK"


class Catcher:
    """The catcher on a port of its own choosing on this machine."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # Port 0 would do for the server, but aiosmtpd then calls itself on port 0 to see whether it is up.
        self._controller = Controller(
            _Keeper(folder), hostname="127.0.0.1", port=_free_port(), data_size_limit=2**25
        )

    @property
    def url(self) -> str:
        """For KLIK_SMTP_URL."""
        return f"smtp://127.0.0.1:{self._controller.port}"

    def start(self) -> None:
        """Begin to listen."""
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; the files stay."""
        self._controller.stop()


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
