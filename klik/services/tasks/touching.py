"""Noting that something on a task is new, without disturbing those who have it open."""

from __future__ import annotations

from sqlalchemy import update

from klik.models import MunicipalTask
from klik.services.work import Work


def touch(work: Work, task_id: int) -> None:
    """Set the task's ``changed_at``. Its version stays: a comment must not turn an open form into a conflict."""
    work.session.execute(
        update(MunicipalTask)
        .where(MunicipalTask.id == task_id)
        .values(changed_at=work.now)
        .execution_options(synchronize_session=False)
    )
