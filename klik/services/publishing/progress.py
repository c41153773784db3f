"""How far the municipalities have come with what KOMBIT published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, case, func, select

from klik.domain.deadlines import Colour, colour, explain
from klik.domain.rights import Right
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import Municipality, MunicipalTask, Person, Project, Task, TaskVersion
from klik.services import access
from klik.services.work import Work

OPEN = [status.value for status in OPEN_STATUSES]


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task of KOMBIT's with the state of its copies; ``open`` counts the red ones too."""

    task_id: int
    number: str
    title: str
    project: str
    phase: str
    state: str
    published_at: datetime | None
    municipalities: int
    completed: int
    open: int
    red: int

    @property
    def percent(self) -> int:
        """How many of the copies are completed, in whole per cent, rounded down."""
        return self.completed * 100 // self.municipalities if self.municipalities else 0


@dataclass(frozen=True, slots=True)
class CopyLine:
    """One municipality's copy; ``role`` is the responsible role's slug where nobody is responsible yet."""

    municipal_task_id: int
    municipality: str
    status: Status
    deadline: date | None
    colour: Colour | None
    explanation: str
    responsible: str | None
    role: str | None


def task_lines(work: Work, project: str | None = None, first: int = 0, most: int = 100) -> list[TaskLine]:
    """KOMBIT's tasks, newest first, with their copies counted by one grouped statement."""
    access.require(work, Right.PUBLISH)
    open_copy = MunicipalTask.status.in_(OPEN)
    statement = (
        select(
            Task.id,
            Task.task_number,
            TaskVersion.title,
            Project.name,
            TaskVersion.phase,
            Task.state,
            Task.published_at,
            func.count(MunicipalTask.id),
            func.count(case((MunicipalTask.status == Status.COMPLETED.value, 1))),
            func.count(case((open_copy, 1))),
            func.count(case((and_(open_copy, MunicipalTask.deadline < work.today), 1))),
        )
        .join(TaskVersion, and_(TaskVersion.task_id == Task.id, TaskVersion.number == Task.current_number))
        .join(Project, Project.id == Task.project_id)
        .outerjoin(MunicipalTask, and_(MunicipalTask.task_id == Task.id, access.visible(work)))
        .group_by(
            Task.id,
            Task.task_number,
            TaskVersion.title,
            Project.name,
            TaskVersion.phase,
            Task.state,
            Task.published_at,
        )
        .order_by(Task.id.desc())
        .offset(first)
        .limit(most)
    )
    if project:
        statement = statement.where(Project.slug == project)
    return [TaskLine(*row) for row in work.session.execute(statement)]


def count_tasks(work: Work, project: str | None = None) -> int:
    """How many tasks ``task_lines`` has in all."""
    statement = select(func.count(Task.id)).join(Project, Project.id == Task.project_id)
    if project:
        statement = statement.where(Project.slug == project)
    return work.session.scalar(statement) or 0


def copy_lines(work: Work, task_id: int) -> list[CopyLine]:
    """Every municipality's copy of a task, in Danish order of names; one statement."""
    access.require(work, Right.PUBLISH)
    rows = work.session.execute(
        select(MunicipalTask, Municipality.name, Person.name)
        .join(Municipality, Municipality.id == MunicipalTask.municipality_id)
        .outerjoin(Person, Person.id == MunicipalTask.responsible_id)
        .where(MunicipalTask.task_id == task_id, access.visible(work))
        .order_by(Municipality.name_key)
    )
    return [_copy_line(work, task, municipality, person) for task, municipality, person in rows]


def _copy_line(work: Work, task: MunicipalTask, municipality: str, person: str | None) -> CopyLine:
    shade = colour(Status(task.status), task.deadline, task.yellow_from, work.today)
    return CopyLine(
        municipal_task_id=task.id,
        municipality=municipality,
        status=Status(task.status),
        deadline=task.deadline,
        colour=shade,
        explanation=explain(shade, task.deadline, task.yellow_from, work.today),
        responsible=person,
        role=None if person else task.responsible_role,
    )
