"""Writing down where a moved deadline met one that the municipality had set itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert, update

from klik.models import Deviation
from klik.services.work import Work

FIELD = "deadline"


@dataclass(frozen=True, slots=True)
class OwnDeadline:
    """A copy whose deadline is the municipality's own, while KOMBIT's moves from ``central_old`` to ``central_new``."""

    copy_id: int
    municipality: int
    task_version_id: int
    central_old: date | None
    central_new: date | None
    local: date | None


def note_deviations(work: Work, found: Sequence[OwnDeadline]) -> None:
    """An open deviation for each, in two statements; what was open of the same field is settled by it."""
    if not found:
        return
    work.session.execute(
        update(Deviation)
        .where(
            Deviation.municipal_task_id.in_([each.copy_id for each in found]),
            Deviation.field == FIELD,
            Deviation.settled_at.is_(None),
        )
        .values(settled_at=work.now, version=Deviation.version + 1)
        .execution_options(synchronize_session=False)
    )
    # Who has chosen the very day that KOMBIT now comes to differs in nothing.
    rows = [
        {
            "municipality_id": each.municipality,
            "municipal_task_id": each.copy_id,
            "field": FIELD,
            "task_version_id": each.task_version_id,
            "central_old": _stored(each.central_old),
            "central_new": _stored(each.central_new),
            "local": _stored(each.local),
            "at": work.now,
            "version": 1,
        }
        for each in found
        if each.central_new != each.local
    ]
    if rows:
        work.session.connection().execute(insert(Deviation.__table__), rows)  # type: ignore[arg-type]


def _stored(day: date | None) -> str | None:
    return day.isoformat() if day else None
