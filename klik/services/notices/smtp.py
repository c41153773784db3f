"""The core's mail channel: one SMTP conversation a mail, with a moment of doubt just before the final dot."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress

from klik.plugins.context import PluginContext
from klik.plugins.contributions import Channel, Delivery, Message
from klik.settings import SmtpAddress

KEY = "core.mail"
READ_LIMIT = 30.0  # seconds for one answer; the dispatcher's own clock limits the whole conversation
RELAY_AWAY = 60  # seconds before a relay that cannot be reached is asked again
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_ENHANCED = re.compile(r"[\x00-\x1f\x7f]+")


class _AnsweredError(Exception):
    """The relay said something other than go on."""

    def __init__(self, code: int, words: bytes) -> None:
        super().__init__(code, words)
        self.code = code
        self.words = words


def channel(relay: SmtpAddress | None, sender: str) -> Channel:
    """The channel "core.mail"; without a relay nothing is handed over and mails wait."""

    def send(message: Message, _context: PluginContext, in_doubt: Callable[[], None]) -> Delivery:
        if relay is None:
            return Delivery(outcome="later", reply="KLIK_SMTP_URL er ikke sat", retry_after=RELAY_AWAY)
        return _send(relay, sender, message, in_doubt)

    return Channel(key=KEY, label="Mail", send=send)


def _send(relay: SmtpAddress, sender: str, message: Message, in_doubt: Callable[[], None]) -> Delivery:
    try:
        client = _connect(relay)
    except (OSError, smtplib.SMTPException, _AnsweredError) as error:
        return Delivery(outcome="later", reply=_words(error), retry_after=RELAY_AWAY)
    doubtful = False
    try:
        _expect(client.mail(sender), 250)
        _expect(client.rcpt(message.address), 250, 251)
        _expect(client.docmd("DATA"), 354)
        client.send(_LEADING_DOT.sub(b"..", message.content.rstrip(b"\r\n")) + b"\r\n")
        in_doubt()
        doubtful = True
        client.send(b".\r\n")
        reply = client.getreply()
        doubtful = False
        _expect(reply, 250)
        return Delivery(outcome="sent", reply=_line(*reply))
    except _AnsweredError as answer:
        return _refusal(answer)
    except (OSError, smtplib.SMTPException) as error:
        if doubtful:
            raise
        return Delivery(outcome="later", reply=_words(error), retry_after=None)
    finally:
        _close(client)


def _connect(relay: SmtpAddress) -> smtplib.SMTP:
    if relay.encrypted:
        client: smtplib.SMTP = smtplib.SMTP_SSL(timeout=READ_LIMIT, context=ssl.create_default_context())
    else:
        client = smtplib.SMTP(timeout=READ_LIMIT)
    try:
        # The certificate is checked against this name.
        client._host = relay.host  # type: ignore[attr-defined]
        _expect(client.connect(relay.host, relay.port), 220)
        _hello(client)
        local = relay.host in LOOPBACK
        if not relay.encrypted and not local and client.has_extn("starttls"):
            _expect(client.starttls(context=ssl.create_default_context()), 220)
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
    reply = _line(answer.code, answer.words)
    if 500 <= answer.code <= 599:
        return Delivery(outcome="refused", reply=reply)
    return Delivery(outcome="later", reply=reply, retry_after=RELAY_AWAY if answer.code == 421 else None)


def _line(code: int, words: bytes) -> str:
    return _ENHANCED.sub(" ", f"{code} {words.decode('utf-8', 'replace')}")[:500]


def _words(error: BaseException) -> str:
    if isinstance(error, _AnsweredError):
        return _line(error.code, error.words)
    if isinstance(error, ssl.SSLCertVerificationError):
        return "mailserverens certifikat kan ikke godkendes"
    if isinstance(error, TimeoutError):
        return "mailserveren svarede ikke i tide"
    if isinstance(error, ConnectionRefusedError):
        return "der er ikke forbindelse til mailserveren"
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return _line(error.smtp_code, words if isinstance(words, bytes) else str(words).encode())
    return f"forbindelsen til mailserveren blev afbrudt ({type(error).__name__})"


def _close(client: smtplib.SMTP) -> None:
    # No QUIT: a relay that hangs would hold the dispatcher up, and the answer is in hand already.
    with suppress(Exception):
        if client.sock is not None:
            client.send(b"QUIT\r\n")
    client.close()
