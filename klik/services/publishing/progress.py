"""How far the municipalities have come with what KOMBIT published."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, case, func, select

from klik.domain.deadlines import Colour, colour, explain
from klik.domain.life import State
from klik.domain.rights import Right
from klik.domain.status import OPEN_STATUSES, Status
from klik.domain.texts import search_key
from klik.models import (
    Deletion,
    DeletionItem,
    Municipality,
    MunicipalTask,
    Person,
    Project,
    Task,
    TaskVersion,
)
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
    publish_at: datetime | None = None
    publish_problem: str | None = None
    version_number: int | None = None
    last_day: date | None = None

    @property
    def state_label(self) -> str:
        """The state as people read it; "rettet" and "varslet slettet" are derived."""
        return state_words(State(self.state), self.version_number, self.last_day)

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


def state_words(state: State, version_number: int | None, last_day: date | None) -> str:
    """The state with what follows from versions and announced deletions: "Udgivet, rettet, varslet slettet"."""
    words = [state.label]
    if state is State.PUBLISHED and (version_number or 1) > 1:
        words.append("rettet")
    if last_day:
        words.append("varslet slettet")
    return ", ".join(words)


def last_days(work: Work, task_ids: Collection[int]) -> Mapping[int, date]:
    """The last day of each task that is announced for deletion somewhere; the first one where there are several."""
    rows = work.session.execute(
        select(MunicipalTask.task_id, func.min(Deletion.last_day))
        .join(DeletionItem, DeletionItem.municipal_task_id == MunicipalTask.id)
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .where(MunicipalTask.task_id.in_(task_ids), Deletion.state == "varslet", access.deletion_items(work))
        .group_by(MunicipalTask.task_id)
    )
    return {task_id: day for task_id, day in rows if task_id is not None}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of KOMBIT's tasks: of a project (slug), in a state, with this in number or title."""

    project: str | None = None
    state: State | None = None
    text: str = ""

    def conditions(self) -> list[ColumnElement[bool]]:
        """What must hold of Task, TaskVersion and Project."""
        found: list[ColumnElement[bool]] = []
        if self.project:
            found.append(Project.slug == self.project)
        if self.state:
            found.append(Task.state == self.state.value)
        found += [
            TaskVersion.search_key.contains(word, autoescape=True) for word in search_key(self.text).split()
        ]
        return found


ALL_TASKS = Wanted()
_WITH_VERSION = and_(TaskVersion.task_id == Task.id, TaskVersion.number == Task.current_number)


def task_lines(
    work: Work,
    project: str | None = None,
    first: int = 0,
    most: int = 100,
    *,
    wanted: Wanted = ALL_TASKS,
) -> list[TaskLine]:
    """KOMBIT's tasks, newest first, with their copies counted by one grouped statement.

    What waits for somebody stands on top: for approval, then planned by time.
    """
    access.require(work, Right.PUBLISH)
    wanted = replace(wanted, project=project) if project else wanted
    open_copy = and_(MunicipalTask.status.in_(OPEN), MunicipalTask.withdrawn_at.is_(None))
    columns = (
        Task.id,
        Task.task_number,
        TaskVersion.title,
        Project.name,
        TaskVersion.phase,
        Task.state,
        Task.published_at,
    )
    further = (Task.publish_at, Task.publish_problem, Task.current_number)
    waits = case(
        (and_(Task.state == State.PLANNED.value, Task.publish_problem.is_not(None)), 0),
        (Task.state == State.FOR_APPROVAL.value, 1),
        (Task.state == State.PLANNED.value, 2),
        else_=3,
    )
    planned = case((Task.state == State.PLANNED.value, Task.publish_at))
    statement = (
        select(
            *columns,
            func.count(MunicipalTask.id),
            func.count(
                case(
                    (
                        and_(
                            MunicipalTask.status == Status.COMPLETED.value,
                            MunicipalTask.withdrawn_at.is_(None),
                        ),
                        1,
                    )
                )
            ),
            func.count(case((open_copy, 1))),
            func.count(case((and_(open_copy, MunicipalTask.deadline < work.today), 1))),
            *further,
        )
        .join(TaskVersion, _WITH_VERSION)
        .join(Project, Project.id == Task.project_id)
        .outerjoin(MunicipalTask, and_(MunicipalTask.task_id == Task.id, access.visible(work)))
        .where(*wanted.conditions())
        .group_by(*columns, *further)
        .order_by(waits, planned, Task.id.desc())
        .offset(first)
        .limit(most)
    )
    lines = [TaskLine(*row) for row in work.session.execute(statement)]
    days = last_days(work, [line.task_id for line in lines]) if lines else {}
    return [replace(line, last_day=days.get(line.task_id)) for line in lines]


def count_states(work: Work, wanted: Wanted) -> Mapping[State, int]:
    """How many of the wanted tasks there are in each state that has any, in the order of the life."""
    rows = work.session.execute(
        select(Task.state, func.count(Task.id))
        .join(TaskVersion, _WITH_VERSION)
        .join(Project, Project.id == Task.project_id)
        .where(*wanted.conditions())
        .group_by(Task.state)
    )
    found = dict(rows.all())
    return {state: found[state.value] for state in State if state.value in found}


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
    shade = (
        None
        if task.withdrawn_at
        else colour(Status(task.status), task.deadline, task.yellow_from, work.today)
    )
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
