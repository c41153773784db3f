"""What people type on a task, made clean: limits told in Danish, and CPR numbers refused."""

from __future__ import annotations

from klik.domain import cpr, texts
from klik.domain.errors import InputError
from klik.services.errors import RefusedError


def checked(text: str, *, field: str, limit: int, not_cpr: bool, lines: bool = False) -> str:
    """The text as it is stored; raises RefusedError ("text").

    ``not_cpr`` is the writer's word that what looks like a CPR number is none.
    """
    try:
        wanted = texts.clean(text, field=field, limit=limit, required=True, lines=lines)
    except InputError as error:
        raise RefusedError({"text": str(error)}) from error
    if not not_cpr and cpr.find(wanted):
        raise RefusedError(
            {
                "text": f"{field} ser ud til at indeholde et CPR-nummer, og CPR-numre hører ikke hjemme i klik. "
                "Fjern nummeret, eller sæt kryds ved, at det er noget andet."
            }
        )
    return wanted
