"""What KOMBIT has put on one task of the demo: a file for every municipality, and what must be done first."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from klik.models import Project, Task, TaskLink
from klik.services.filestore import FileStore
from klik.services.publishing import files
from klik.services.work import Work

PROJECT = "ksd"
NAME = "Skema til fordeling af roller.csv"
CONTENT = "Rolle;Person;Stedfortræder\r\nSystemansvarlig;;\r\nSuperbruger;;\r\n".encode("utf-8-sig")


def fill(work: Work, store: FileStore) -> None:
    """The second task of one project gets the file, and needs the one before it."""
    needed, task = work.session.scalars(
        select(Task).join(Project).where(Project.slug == PROJECT).order_by(Task.id).limit(2)
    ).all()
    # It came with the task, so that it is nobody's news this morning.
    when = replace(work, now=task.published_at or work.now)
    files.add(when, store, task.id, NAME, CONTENT)
    work.session.add(TaskLink(task_id=task.id, needs_task_id=needed.id))
    work.session.flush()
