"""Passwords: argon2id, at least fifteen characters, and never a word of the place itself."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from klik.domain.errors import InputError

LEAST = 15
MOST = 200
COMMON = ("password", "adgangskode", "kodeord", "kombit", "klik", "kommune", "1234", "qwerty")

_hasher = PasswordHasher()
# Checked when the account is unknown, so that the answer takes as long as for a known one. Its salt and digest are
# zeros, written rather than reckoned: a hash takes longer than all else a command imports.
_NOBODY = (
    f"$argon2id$v=19$m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    f"${'A' * 22}${'A' * 43}"
)


def hash_password(password: str) -> str:
    """The argon2id hash to store."""
    return _hasher.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether the password is right; takes the same time when there is nothing to compare with."""
    try:
        _hasher.verify(stored or _NOBODY, password[: MOST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def check_new(password: str) -> None:
    """Raise InputError with a Danish sentence when a new password is too weak."""
    if not LEAST <= len(password) <= MOST:
        raise InputError(
            f"Adgangskode: skal være på mellem {LEAST} og {MOST} tegn; den er på {len(password)}"
        )
    rest = password.casefold()
    for word in COMMON:
        rest = rest.replace(word, "")
    if len(set(rest)) < 6:
        raise InputError("Adgangskode: er for let at gætte; brug flere ord, der ikke hører sammen")
