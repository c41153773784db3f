"""An address of its own for each mail to come back to ("klik+4711.k3v…@klik.example"), signed.

Whoever knows how it is made cannot make one without the installation's secret, so a forged message marks no
address.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable

SIGNATURE = 12  # letters of 5 bits
LONGEST_LOCAL = 64  # RFC 5321
_TOKEN = re.compile(r"\+(\d{1,18})\.([a-z2-7]{12})@", re.IGNORECASE)


class ForgedError(Exception):
    """An address that looks like one of ours and is not."""


def return_path(address: str, secret: str, mail_id: int) -> str | None:
    """Where this mail comes back to; None when it cannot have an address of its own."""
    local, _, domain = address.rpartition("@")
    own = f"{local}+{mail_id}.{_signature(secret, mail_id)}"
    return f"{own}@{domain}" if secret and local and len(own) <= LONGEST_LOCAL else None


def mail_id(addresses: Iterable[str], secret: str) -> int | None:
    """The mail that one of these addresses was made for; None when none looks like one of ours.

    Raises ForgedError when one does, and none has the right signature. Mail servers may change small letters
    to capitals on the way.
    """
    tokens = [found for address in addresses for found in _TOKEN.findall(address)]
    for number, signature in tokens:
        if secret and hmac.compare_digest(signature.lower(), _signature(secret, int(number))):
            return int(number)
    if tokens:
        raise ForgedError
    return None


def _signature(secret: str, number: int) -> str:
    digest = hmac.new(secret.encode(), f"klik return path {number}".encode(), hashlib.sha256).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:SIGNATURE]
