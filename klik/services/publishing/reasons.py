"""The reason that some acts in the life of a task cannot do without."""

from __future__ import annotations

from klik.domain.errors import InputError
from klik.services import free_text
from klik.services.errors import RefusedError
from klik.services.publishing.steps import NOTE_LIMIT

FIELD = "note"


def written_reason(reason: str, *, required: bool = True) -> str:
    """The reason as it is stored, at most 500 characters; raises RefusedError."""
    try:
        return free_text.clean(reason, field="Begrundelse", limit=NOTE_LIMIT, required=required, tick=False)
    except InputError as error:
        raise RefusedError({FIELD: str(error)}) from error
