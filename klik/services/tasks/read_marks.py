"""What a person has seen of a task, so that the list can tell what changed since."""

from __future__ import annotations

from sqlalchemy import select

from klik.models import MunicipalTask, ReadMark
from klik.services import access
from klik.services.work import Work


def mark_read(work: Work, task_id: int) -> None:
    """The actor has seen the task as it stands now ("Set")."""
    mark(work, access.municipal_task(work, task_id))


def mark(work: Work, task: MunicipalTask) -> None:
    """Set the actor's mark on a task that is already loaded."""
    if work.actor is None:
        return
    # Somebody with two windows open may press in both at once: the row of the person decides who goes first.
    found = work.session.get(ReadMark, (work.actor.person_id, task.id), with_for_update=True)
    if found is not None:
        found.seen_at = work.now
        return
    work.session.add(
        ReadMark(
            person_id=work.actor.person_id,
            municipal_task_id=task.id,
            municipality_id=task.municipality_id,
            seen_at=work.now,
        )
    )
    work.session.flush()


def is_unread(work: Work, task: MunicipalTask) -> bool:
    """Whether the task changed since the actor last said "Set", or never did."""
    if work.actor is None:
        return False
    seen = work.session.scalar(
        select(ReadMark.seen_at).where(
            ReadMark.person_id == work.actor.person_id, ReadMark.municipal_task_id == task.id
        )
    )
    return seen is None or task.changed_at > seen
