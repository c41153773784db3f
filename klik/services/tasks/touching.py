"""Noting that something on a task is new, without disturbing those who have it open."""

from __future__ import annotations

from sqlalchemy import update

from klik.models import ChecklistItem, MunicipalTask, MunicipalTaskFile, TaskChange
from klik.services.work import Work


def touch(work: Work, task_id: int) -> None:
    """Set the task's ``changed_at``. Its version stays: a comment must not turn an open form into a conflict."""
    work.session.execute(
        update(MunicipalTask)
        .where(MunicipalTask.id == task_id)
        .values(changed_at=work.now)
        .execution_options(synchronize_session=False)
    )


def write_down(
    work: Work, child: ChecklistItem | MunicipalTaskFile, field: str, old: str | None, new: str | None
) -> None:
    """A line of the task's history about something that hangs on it, and ``touch``."""
    work.session.add(
        TaskChange(
            municipality_id=child.municipality_id,
            municipal_task_id=child.municipal_task_id,
            at=work.now,
            person_id=work.actor.person_id if work.actor else None,
            field=field,
            old=old,
            new=new,
        )
    )
    touch(work, child.municipal_task_id)
