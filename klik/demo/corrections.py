"""A correction in the demo: KOMBIT moved a deadline by a fortnight; it meets a deadline of Køge's own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import func, select

from klik.demo.people import KOEGE
from klik.domain.status import OPEN_STATUSES
from klik.models import MunicipalTask, Project, Task, TaskVersion
from klik.services import correcting, publishing
from klik.services.tasks import changing, read_marks
from klik.services.tasks.changing import Changes
from klik.services.work import Actor, Work

NOTE = (
    "Leverandøren har udskudt testmiljøet med to uger. Fristen er flyttet tilsvarende, "
    "og det er præciseret, hvem der skal have besked."
)
ADDED = "Giv også besked til kommunens økonomifunktion, når opgaven er løst."


def fill(work: Work, leader: Actor, editor: Actor) -> None:
    """Køge read a KP task and set its own deadline three days ago; yesterday KOMBIT corrected the task."""
    task = _task(work)
    if task is None:
        return
    before = replace(work, now=work.now - timedelta(days=3), actor=leader)
    copy = work.session.scalars(
        select(MunicipalTask).where(MunicipalTask.task_id == task.id, MunicipalTask.municipality_id == KOEGE)
    ).one()
    assert copy.deadline is not None
    read_marks.mark_read(before, copy.id)
    own = copy.deadline + timedelta(days=9)
    changing.change(before, copy.id, copy.version, Changes(deadline=own))
    _correct(
        replace(work, now=work.now - timedelta(days=1), actor=editor), task, copy.deadline - timedelta(days=9)
    )


def _correct(work: Work, task: Task, deadline: date) -> None:
    draft = publishing.draft_of(work, task.id)
    later = replace(
        draft,
        deadline_parameter=(deadline + timedelta(days=14)).isoformat(),
        description=f"{draft.description}\n\n{ADDED}".strip(),
    )
    correcting.correct(work, task.id, later, NOTE, version=task.current_number or 1)


def _task(work: Work) -> Task | None:
    """A KP task with a fixed date ahead that is open in Køge and known to everybody."""
    task_id = work.session.scalar(
        select(func.min(Task.id))
        .join(Project, Project.id == Task.project_id)
        .join(TaskVersion, TaskVersion.task_id == Task.id)
        .join(MunicipalTask, MunicipalTask.task_id == Task.id)
        .where(
            Project.slug == "kp",
            TaskVersion.deadline_rule == "core.date",
            MunicipalTask.municipality_id == KOEGE,
            MunicipalTask.status.in_(sorted(OPEN_STATUSES)),
            MunicipalTask.deadline > work.today + timedelta(days=30),
            MunicipalTask.withdrawn_at.is_(None),
        )
    )
    return work.session.get(Task, task_id) if task_id else None
