"""A channel that posts to a team's own channel in Teams, signed, so that the receiver can tell who sent it and when."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from klik.plugins import Channel, Delivery, Message, PluginContext

URL, SECRET = "KLIK_KP_TEAMS_URL", "KLIK_KP_TEAMS_SECRET"
SIGNATURE = "X-Klik-Signature"
TIMESTAMP = "X-Klik-Timestamp"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
PATIENCE = 10.0  # seconds for the whole conversation, however slowly the other end drips
LONGEST_BODY = 24_000  # bytes; Teams takes 28 KB
LEAST_SECRET = 16
LONGEST_PAUSE = 3600  # seconds; a receiver that wants more is asked again in an hour
# Too early, too many, or told to wait: worth another try. The rest of the 4xx never will be.
TRY_AGAIN = frozenset({408, 425, 429})
CUT = "\n\n(Resten står i klik.)"


class TeamsSettingsError(Exception):
    """The channel's settings are missing or unsafe; the Danish text names the setting."""


def send(message: Message, context: PluginContext, in_doubt: Callable[[], None]) -> Delivery:
    """Post heading and text; no address and nobody's name. Follows no redirect.

    What goes wrong before the last byte is tried again; what goes wrong after it leaves the message in doubt, so
    the error is the caller's to see.
    """
    try:
        address, secret = _settings(context.settings)
    except TeamsSettingsError as error:
        return Delivery(outcome="refused", reply=str(error))
    body = _body(message)
    connection = _connection(address)
    ended = threading.Timer(PATIENCE, _cut, [connection])
    ended.daemon = True
    ended.start()
    try:
        try:
            connection.connect()
            _write(connection, address, _headers(message, context.now, secret, body), body[:-1])
        except (OSError, http.client.HTTPException) as error:
            return Delivery(outcome="later", reply=f"Ingen forbindelse: {type(error).__name__}")
        in_doubt()
        try:
            connection.send(body[-1:])
        except OSError as error:
            # The byte that ends the message never left, so nobody has the whole of it.
            return Delivery(outcome="later", reply=f"Afbrudt: {type(error).__name__}")
        answer = connection.getresponse()
        return _outcome(answer.status, answer.getheader("Retry-After"), context.now)
    finally:
        ended.cancel()
        connection.close()


def _headers(message: Message, now: datetime, secret: bytes, body: bytes) -> Mapping[str, str]:
    """The moment is signed with the body: a receiver refuses what is older than some minutes, and so a replay."""
    moment = str(int(now.timestamp()))
    signed = hmac.new(secret, moment.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json; charset=utf-8",
        "Content-Length": str(len(body)),
        "X-Klik-Message-Id": message.message_id.strip("<>"),
        TIMESTAMP: moment,
        SIGNATURE: f"sha256={signed}",
    }


def _write(
    connection: http.client.HTTPConnection, address: SplitResult, headers: Mapping[str, str], body: bytes
) -> None:
    connection.putrequest(
        "POST",
        (address.path or "/") + (f"?{address.query}" if address.query else ""),
        skip_accept_encoding=True,
    )
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders(body)


def _cut(connection: http.client.HTTPConnection) -> None:
    """End a conversation that takes too long: a time-out on the socket is per read."""
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)


def _outcome(status: int, retry_after: str | None, now: datetime) -> Delivery:
    if 200 <= status < 300:
        return Delivery(outcome="sent", reply=f"HTTP {status}")
    if 300 <= status < 500 and status not in TRY_AGAIN:
        return Delivery(outcome="refused", reply=f"HTTP {status}")
    return Delivery(outcome="later", reply=f"HTTP {status}", retry_after=_pause(retry_after, now))


def _pause(retry_after: str | None, now: datetime) -> int | None:
    """The seconds that Retry-After asks for, as a number or as a moment; None when it says nothing sensible."""
    if not retry_after:
        return None
    given = retry_after.strip()
    if given.isascii() and given.isdigit():
        return max(1, min(int(given[:9]), LONGEST_PAUSE))
    with suppress(ValueError, TypeError):
        seconds = (parsedate_to_datetime(given) - now).total_seconds()
        return max(1, min(int(seconds), LONGEST_PAUSE))
    return None


def _settings(settings: Mapping[str, str]) -> tuple[SplitResult, bytes]:
    try:
        address = urlsplit(settings.get(URL, ""))
        address.port  # noqa: B018 – reading it is what checks it
    except ValueError as error:
        raise TeamsSettingsError(f"{URL}: adressen kan ikke læses") from error
    if not address.hostname:
        raise TeamsSettingsError(f"{URL} mangler")
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOOPBACK):
        raise TeamsSettingsError(f"{URL}: adressen skal begynde med https://")
    if address.username or address.password:
        raise TeamsSettingsError(f"{URL}: adressen må ikke rumme navn eller adgangskode")
    secret = settings.get(SECRET, "")
    if len(secret) < LEAST_SECRET:
        raise TeamsSettingsError(f"{SECRET}: skal være på mindst {LEAST_SECRET} tegn")
    return address, secret.encode()


def _connection(address: SplitResult) -> http.client.HTTPConnection:
    assert address.hostname is not None
    if address.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(address.hostname, address.port, timeout=PATIENCE, context=context)
    return http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)


def _body(message: Message) -> bytes:
    """The card as bytes, the text cut so that it stays below what Teams takes."""
    body = _card(message.subject, message.text)
    if len(body) > LONGEST_BODY:
        text = message.text.encode()[: LONGEST_BODY // 2].decode(errors="ignore")
        body = _card(message.subject[:300], text + CUT)
    return body


def _card(subject: str, text: str) -> bytes:
    card = {
        "@type": "MessageCard",
        "@context": "https://schema.org/extensions",
        "summary": subject,
        "title": subject,
        "text": text,
    }
    return json.dumps(card, ensure_ascii=False).encode()


def lacks(context: PluginContext) -> str:
    """What is missing or unsafe in the settings, naming the setting; empty when messages can go."""
    try:
        _settings(context.settings)
    except TeamsSettingsError as error:
        return str(error)
    return ""


CHANNEL = Channel(key="kp.teams", label="Teams-kanal for KP", send=send, lacks=lacks)
