"""A copy that its municipality opens again catches up with the version and the deadline that hold now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select

from klik.models import MunicipalTask, Project, Task, TaskVersion
from klik.services.correcting import applying, dating, plan
from klik.services.correcting.copies import standing
from klik.services.work import Work

REOPENED = "Kommunen har åbnet opgaven igen og får den gældende tekst."


def catch_up(work: Work, reopened: Iterable[MunicipalTask]) -> None:
    """Give tasks that were just opened again the current version, by the same plan as a correction's, and its deadline.

    A fixed number of statements when all of them stand in it already. Changed rows are read again.
    """
    ids = [task.id for task in reopened if task.task_id is not None]
    if not ids:
        return
    behind: dict[int, list[int]] = defaultdict(list)
    for task_id, copy_id in work.session.execute(
        select(Task.id, MunicipalTask.id)
        .join(MunicipalTask, MunicipalTask.task_id == Task.id)
        .join(TaskVersion, (TaskVersion.task_id == Task.id) & (TaskVersion.number == Task.current_number))
        .where(MunicipalTask.id.in_(ids), MunicipalTask.task_version_id != TaskVersion.id)
    ):
        behind[task_id].append(copy_id)
    for task_id, copy_ids in behind.items():
        _follow(work, work.session.get_one(Task, task_id), copy_ids)
    _read_again(work, [copy_id for found in behind.values() for copy_id in found])
    _read_again(work, dating.date_anew(work, ids))


def _read_again(work: Work, ids: list[int]) -> None:
    if ids:
        work.session.scalars(
            select(MunicipalTask).where(MunicipalTask.id.in_(ids)).execution_options(populate_existing=True)
        ).all()


def _follow(work: Work, task: Task, copy_ids: list[int]) -> None:
    versions = plan.versions_of(work, task)
    current = next(each for each in versions.values() if each.number == task.current_number)
    project = work.session.get_one(Project, task.project_id)
    copies = standing(work, task, only=copy_ids)
    applying.apply(work, plan.make(work, task, project, current, versions, copies), REOPENED)
