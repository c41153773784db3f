"""What people write: a service that stores it takes it through ``clean`` or ``checked`` (klik.domain.free_text)."""

from __future__ import annotations

from klik.domain.errors import InputError
from klik.domain.free_text import (
    TICK,
    TICK_ENDING,
    Confirmed,
    CprError,
    asks,
    clean,
    confirmed,
    is_confirmed,
    refuse_cpr,
    sentence,
)
from klik.services.errors import RefusedError

__all__ = [
    "TICK",
    "TICK_ENDING",
    "Confirmed",
    "CprError",
    "asks",
    "checked",
    "clean",
    "confirmed",
    "is_confirmed",
    "refuse_cpr",
    "sentence",
]


def checked(
    text: str,
    *,
    field: str,
    limit: int,
    not_cpr: bool = False,
    lines: bool = False,
    required: bool = True,
    key: str = "text",
    tick: bool = True,
) -> str:
    """The same for a service's own argument: raises RefusedError (``key``); ``not_cpr`` is the writer's tick."""
    try:
        return clean(
            confirmed(text) if not_cpr else text,
            field=field,
            limit=limit,
            required=required,
            lines=lines,
            tick=tick,
        )
    except InputError as error:
        raise RefusedError({key: str(error)}) from error
