"""The page of an erased task: who decided that it goes, when it went, and what proves its archive file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from klik.domain.rights import Right
from klik.models import Deletion, Municipality, Project
from klik.services import access
from klik.services.errors import NotFoundError
from klik.services.work import Work

LOCAL = "Lokal opgave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What is left of a task; ``deletion_id`` is None for those who may not open the deletion's page.

    ``kept_until`` is the last day on which the package can be fetched, None when it is over.
    """

    number: str
    municipality: str
    project: str
    erased_at: datetime
    last_day: date
    heading: str
    legal_basis: str
    decided_by: str
    decided_on: date
    sha256: str
    kept_until: date | None
    deletion_id: int | None


def read(work: Work, task_id: int) -> Tombstone:
    """The tombstone of an erased task that the actor would have seen; raises NotFoundError."""
    task, item = access.erased_task(work, task_id)
    deletion = work.session.get_one(Deletion, item.deletion_id)
    assert item.erased_at is not None and item.archive_sha256 is not None
    kept = item.archive_kept_until if item.archive_removed_at is None else None
    return Tombstone(
        number=task.task_number or LOCAL,
        municipality=work.session.get_one(Municipality, task.municipality_id).name,
        project=work.session.get_one(Project, task.project_id).name,
        erased_at=item.erased_at,
        last_day=deletion.last_day,
        heading=deletion.heading,
        legal_basis=deletion.legal_basis,
        decided_by=deletion.decided_by,
        decided_on=deletion.decided_on,
        sha256=item.archive_sha256,
        kept_until=kept if kept and kept >= work.today else None,
        deletion_id=deletion.id if _opens(work, deletion.id) else None,
    )


def _opens(work: Work, deletion_id: int) -> bool:
    if work.actor is None or not work.actor.has(Right.EXPORT):
        return False
    try:
        access.deletion(work, deletion_id)
    except NotFoundError:
        return False
    return True
