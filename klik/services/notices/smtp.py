"""The core's mail channel: a conversation for each mail, with a moment of doubt just before the final dot.

A thread keeps its connection for the next mail. Every answer has a limit for the whole of it: the time-out of a
socket is for each read, and a relay that drips never meets it.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from klik.plugins.context import PluginContext
from klik.plugins.contributions import Channel, Delivery, Message
from klik.settings import SmtpAddress

KEY = "core.mail"
ANSWER_LIMIT = 30.0  # seconds for one whole answer
RELAY_AWAY = 60  # seconds before a relay that cannot be reached is asked again
MOST_MAILS = 100  # over one connection; relays close it themselves when they find it has been enough
LONGEST_ANSWER = 20_000
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class _AnsweredError(Exception):
    """The relay said something other than go on."""

    def __init__(self, code: int, words: bytes) -> None:
        super().__init__(code, words)
        self.code = code
        self.words = words


class _Answers:
    """Reads answers with one limit for the whole answer; mixed into the standard library's two clients."""

    sock: Any
    _read = b""

    def getreply(self) -> tuple[int, bytes]:
        """The code and the words, as the standard library gives them; raises TimeoutError, or that it is closed."""
        end = time.monotonic() + ANSWER_LIMIT
        words: list[bytes] = []
        while True:
            line = self._line(end)
            words.append(line[4:].strip(b" \t\r\n"))
            if not line[:3].isdigit() or len(b"".join(words)) > LONGEST_ANSWER:
                raise smtplib.SMTPServerDisconnected("svaret kan ikke læses")
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(words)

    def _line(self, end: float) -> bytes:
        while b"\n" not in self._read:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.sock.settimeout(left)
            more = self.sock.recv(4096)
            if not more or len(self._read) > LONGEST_ANSWER:
                raise smtplib.SMTPServerDisconnected("forbindelsen blev lukket")
            self._read += more
        self.sock.settimeout(ANSWER_LIMIT)
        line, _, self._read = self._read.partition(b"\n")
        return line


class _Plain(_Answers, smtplib.SMTP):
    """Without encryption, or with STARTTLS."""


class _Encrypted(_Answers, smtplib.SMTP_SSL):
    """With TLS from the first byte."""


class _Kept(threading.local):
    """The connection that this thread keeps, and how many mails it has carried."""

    client: smtplib.SMTP | None = None
    carried: int = 0


def channel(relay: SmtpAddress | None, sender: str) -> Channel:
    """The channel "core.mail"; without a relay nothing is handed over and mails wait."""
    kept = _Kept()

    def send(message: Message, _context: PluginContext, in_doubt: Callable[[], None]) -> Delivery:
        if relay is None:
            return Delivery(outcome="later", reply="KLIK_SMTP_URL er ikke sat", retry_after=RELAY_AWAY)
        return _send(relay, kept, message.return_path or sender, message, in_doubt)

    return Channel(key=KEY, label="Mail", send=send, hang_up=lambda: _drop(kept))


def _send(
    relay: SmtpAddress, kept: _Kept, return_path: str, message: Message, in_doubt: Callable[[], None]
) -> Delivery:
    try:
        client = _begun(relay, kept, return_path)
    except (OSError, smtplib.SMTPException, _AnsweredError) as error:
        return Delivery(outcome="later", reply=_words(error), retry_after=RELAY_AWAY)
    doubtful = whole = False
    try:
        _expect(client.rcpt(message.address), 250, 251)
        _expect(client.docmd("DATA"), 354)
        client.send(_LEADING_DOT.sub(b"..", message.content.rstrip(b"\r\n")) + b"\r\n")
        in_doubt()
        doubtful = True
        client.send(b".\r\n")
        reply = client.getreply()
        doubtful = False
        whole = True
        _expect(reply, 250)
        return Delivery(outcome="sent", reply=_said(*reply))
    except _AnsweredError as answer:
        whole = whole or _put_back(client)
        return _refusal(answer)
    except (OSError, smtplib.SMTPException) as error:
        if doubtful:
            raise
        return Delivery(outcome="later", reply=_words(error), retry_after=None)
    finally:
        if not whole:
            _drop(kept)


def _begun(relay: SmtpAddress, kept: _Kept, return_path: str) -> smtplib.SMTP:
    """A connection on which a mail has been begun: the kept one, where it still is one, else a new one.

    A refused sender is the relay's business with klik, whoever the mail is to.
    """
    if kept.client is not None and kept.carried < MOST_MAILS:
        with suppress(OSError, smtplib.SMTPException, _AnsweredError):
            _expect(kept.client.mail(return_path), 250)
            kept.carried += 1
            return kept.client
    _drop(kept)
    client = _connect(relay)
    try:
        _expect(client.mail(return_path), 250)
    except BaseException:
        _close(client)
        raise
    kept.client, kept.carried = client, 1
    return client


def _put_back(client: smtplib.SMTP) -> bool:
    """Whether the relay lets the next mail begin on the same connection."""
    with suppress(OSError, smtplib.SMTPException):
        return client.docmd("RSET")[0] == 250
    return False


def _drop(kept: _Kept) -> None:
    if kept.client is not None:
        _close(kept.client)
    kept.client = None


def _connect(relay: SmtpAddress) -> smtplib.SMTP:
    if relay.encrypted:
        client: smtplib.SMTP = _Encrypted(timeout=ANSWER_LIMIT, context=ssl.create_default_context())
    else:
        client = _Plain(timeout=ANSWER_LIMIT)
    try:
        # The certificate is checked against this name.
        client._host = relay.host  # type: ignore[attr-defined]
        _expect(client.connect(relay.host, relay.port), 220)
        # The dot is a packet of its own; without this it waits for the relay's system to acknowledge the bytes
        # before it, which systems put off by up to 40 ms.
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _hello(client)
        local = relay.host in LOOPBACK
        if not relay.encrypted and not local and client.has_extn("starttls"):
            _expect(client.starttls(context=ssl.create_default_context()), 220)
            # What came before the encryption may be anybody's words.
            client._read = b""  # type: ignore[attr-defined]
            _hello(client)
            relay_is_private = True
        else:
            relay_is_private = relay.encrypted or local
        if relay.user is not None:
            if not relay_is_private:
                raise smtplib.SMTPException("mailserveren tilbyder ikke kryptering, så koden sendes ikke")
            client.login(relay.user, relay.password or "")
    except BaseException:
        _close(client)
        raise
    return client


def _hello(client: smtplib.SMTP) -> None:
    code, words = client.ehlo()
    if not 200 <= code <= 299:
        code, words = client.helo()
    _expect((code, words), 250)


def _expect(answer: tuple[int, bytes], *wanted: int) -> None:
    if answer[0] not in wanted:
        raise _AnsweredError(*answer)


def _refusal(answer: _AnsweredError) -> Delivery:
    reply = _said(answer.code, answer.words)
    if 500 <= answer.code <= 599:
        return Delivery(outcome="refused", reply=reply)
    return Delivery(outcome="later", reply=reply, retry_after=RELAY_AWAY if answer.code == 421 else None)


def _said(code: int, words: bytes) -> str:
    return _CONTROL.sub(" ", f"{code} {words.decode('utf-8', 'replace')}")[:500]


def _words(error: BaseException) -> str:
    if isinstance(error, _AnsweredError):
        return _said(error.code, error.words)
    if isinstance(error, ssl.SSLCertVerificationError):
        return "mailserverens certifikat kan ikke godkendes"
    if isinstance(error, TimeoutError):
        return "mailserveren svarede ikke i tide"
    if isinstance(error, ConnectionRefusedError):
        return "der er ikke forbindelse til mailserveren"
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return _said(error.smtp_code, words if isinstance(words, bytes) else str(words).encode())
    return f"forbindelsen til mailserveren blev afbrudt ({type(error).__name__})"


def _close(client: smtplib.SMTP) -> None:
    # Nobody waits for the answer to QUIT: a relay that hangs would hold the dispatcher up.
    with suppress(Exception):
        if client.sock is not None:
            client.send(b"QUIT\r\n")
    client.close()
