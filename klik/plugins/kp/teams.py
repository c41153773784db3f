"""A channel that posts to a team's own channel in Teams, signed, so that the receiver can tell who sent it."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, urlsplit

from klik.plugins import Channel, Delivery, Message, PluginContext

URL, SECRET = "KLIK_KP_TEAMS_URL", "KLIK_KP_TEAMS_SECRET"
SIGNATURE = "X-Klik-Signature"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
PATIENCE = 10.0
LONGEST_TEXT = 20_000
LEAST_SECRET = 16
# Too early, too many, or told to wait: worth another try. The rest of the 4xx never will be.
TRY_AGAIN = frozenset({408, 425, 429})


class TeamsSettingsError(Exception):
    """The channel's settings are missing or unsafe; the Danish text names the setting."""


def send(message: Message, context: PluginContext, in_doubt: Callable[[], None]) -> Delivery:
    """Post heading and text; the person's address stays here. Follows no redirect."""
    try:
        address, secret = _settings(context.settings)
    except TeamsSettingsError as error:
        return Delivery(outcome="refused", reply=str(error))
    body = _body(message)
    connection = _connection(address)
    try:
        try:
            connection.connect()
        except OSError as error:
            return Delivery(outcome="later", reply=f"Ingen forbindelse: {type(error).__name__}")
        in_doubt()
        connection.request(
            "POST",
            address.path + (f"?{address.query}" if address.query else "") or "/",
            body,
            {
                "Content-Type": "application/json; charset=utf-8",
                "X-Klik-Message-Id": message.message_id.strip("<>"),
                SIGNATURE: f"sha256={hmac.new(secret, body, hashlib.sha256).hexdigest()}",
            },
        )
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return Delivery(outcome="later", reply=f"Afbrudt: {type(error).__name__}")
    finally:
        connection.close()
    if 200 <= status < 300:
        return Delivery(outcome="sent", reply=f"HTTP {status}")
    refused = 300 <= status < 500 and status not in TRY_AGAIN
    return Delivery(outcome="refused" if refused else "later", reply=f"HTTP {status}")


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
    card = {
        "@type": "MessageCard",
        "@context": "https://schema.org/extensions",
        "summary": message.subject,
        "title": message.subject,
        "text": message.text[:LONGEST_TEXT],
    }
    return json.dumps(card, ensure_ascii=False).encode()


CHANNEL = Channel(key="kp.teams", label="Teams-kanal for KP", send=send)
