"""Pressing a button twice: the second press finds what the first one did."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from klik.models import RequestKey
from klik.services.errors import RefusedError
from klik.services.work import Work

FORM = re.compile(r"[0-9a-f-]{20,64}")


def earlier_result(session: Session, key: str | None) -> str | None:
    """The result stored under a form's key, or None when this is the first time."""
    if not key or not FORM.fullmatch(key):
        return None
    found = session.get(RequestKey, key)
    return found.result if found else None


def taken(work: Work, key: str | None, action: str) -> str | None:
    """What an earlier press with this key came to; raises RefusedError when it was for something else."""
    result = earlier_result(work.session, key)
    if (
        result is not None
        and work.session.scalar(select(RequestKey.action).where(RequestKey.key == key)) != action
    ):
        raise used_otherwise()
    return result


def used_otherwise() -> RefusedError:
    """That a form's key stands for another act."""
    return RefusedError({"": "Formularen er brugt til noget andet. Åbn siden igen."})


def remember(work: Work, key: str | None, action: str, result: str) -> None:
    """Store what the key's act resulted in, in the act's own transaction (a second one then fails as a whole)."""
    if key and FORM.fullmatch(key):
        work.session.add(
            RequestKey(
                key=key,
                person_id=work.actor.person_id if work.actor else None,
                action=action,
                result=result,
                at=work.now,
            )
        )
