"""What stands on the front page: counts by colour, progress by project and phase, and what waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from klik.domain.deadlines import Colour, colour
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import (
    Municipality,
    MunicipalTask,
    Notice,
    Person,
    Project,
    Task,
)
from klik.services import access, own_tasks
from klik.services.work import Work

OPEN = tuple(sorted(status.value for status in OPEN_STATUSES))
PEOPLE = ("responsible", "executor")
IN_FORCE = MunicipalTask.withdrawn_at.is_(None)


@dataclass(frozen=True, slots=True)
class Counts:
    """Open tasks by colour; ``red_tomorrow`` are those whose deadline is today."""

    red: int
    yellow: int
    green: int
    without_deadline: int
    red_tomorrow: int
    mine: int
    completed: int
    total: int

    @property
    def open(self) -> int:
        """All open tasks."""
        return self.red + self.yellow + self.green + self.without_deadline


def count_of(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows fulfil it; 0 for none."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def seen(work: Work, municipality: int | None) -> ColumnElement[bool]:
    """What the actor may see, in one municipality or in all."""
    if municipality is None:
        return access.visible(work)
    return and_(access.visible(work), MunicipalTask.municipality_id == municipality)


def is_open() -> ColumnElement[bool]:
    """Not started or in progress."""
    return MunicipalTask.status.in_(OPEN)


def is_red(today: date) -> ColumnElement[bool]:
    """Open, and the deadline has passed."""
    return and_(is_open(), MunicipalTask.deadline < today)


def is_yellow(today: date) -> ColumnElement[bool]:
    """Open, from the yellow day up to and including the deadline."""
    return and_(is_open(), MunicipalTask.deadline >= today, MunicipalTask.yellow_from <= today)


def is_green(today: date) -> ColumnElement[bool]:
    """Open, and the yellow day has not come."""
    return and_(
        is_open(),
        MunicipalTask.deadline >= today,
        or_(MunicipalTask.yellow_from.is_(None), MunicipalTask.yellow_from > today),
    )


def counts(work: Work) -> Counts:
    """How the actor's visible tasks stand; one statement, and one for the roles that make tasks the actor's."""
    today = work.today
    me, held = work.actor.person_id if work.actor else 0, access.roles_held(work)
    row = work.session.execute(
        select(
            count_of(is_red(today)),
            count_of(is_yellow(today)),
            count_of(is_green(today)),
            count_of(and_(is_open(), MunicipalTask.deadline.is_(None))),
            count_of(and_(is_open(), MunicipalTask.deadline == today)),
            count_of(and_(is_open(), or_(*(own_tasks.of_person(each, me, held) for each in PEOPLE)))),
            count_of(MunicipalTask.status == Status.COMPLETED.value),
            func.count(),
        ).where(access.visible(work), IN_FORCE)
    ).one()
    return Counts(*row)


@dataclass(frozen=True, slots=True)
class PhaseProgress:
    """One phase of one project: how many tasks, how many done, how many red and yellow."""

    project: str
    project_name: str
    phase: str
    total: int
    completed: int
    red: int
    yellow: int

    @property
    def percent(self) -> int:
        """Share completed, in whole per cent, never rounded up to 100."""
        return self.completed * 100 // self.total if self.total else 0


def progress(work: Work, municipality: int | None = None) -> Sequence[PhaseProgress]:
    """Progress by project and phase, of one municipality or all that is seen; one statement.

    Tasks that are not relevant do not count.
    """
    today = work.today
    rows = work.session.execute(
        select(
            Project.slug,
            Project.name,
            MunicipalTask.phase,
            func.count(),
            count_of(MunicipalTask.status == Status.COMPLETED.value),
            count_of(is_red(today)),
            count_of(is_yellow(today)),
        )
        .join(Project, Project.id == MunicipalTask.project_id)
        .where(seen(work, municipality), IN_FORCE, MunicipalTask.status != Status.NOT_RELEVANT.value)
        .group_by(Project.slug, Project.name, MunicipalTask.phase)
    )
    order = {phase.slug: phase.number for phase in work.registry.content.phases}
    found = [PhaseProgress(*row) for row in rows]
    return sorted(found, key=lambda part: (part.project_name, order.get(part.phase, 99)))


@dataclass(frozen=True, slots=True)
class UrgentTask:
    """A line of "det haster"; ``responsible`` is a name, or None."""

    id: int
    number: str | None
    title: str
    deadline: date
    status: Status
    colour: Colour | None
    responsible: str | None


def most_urgent(work: Work, limit: int = 8) -> Sequence[UrgentTask]:
    """The red and yellow tasks with the earliest deadlines."""
    today = work.today
    rows = work.session.execute(
        select(
            MunicipalTask.id,
            MunicipalTask.task_number,
            MunicipalTask.title,
            MunicipalTask.deadline,
            MunicipalTask.status,
            MunicipalTask.yellow_from,
            Person.name,
        )
        .outerjoin(Person, Person.id == MunicipalTask.responsible_id)
        .where(access.visible(work), IN_FORCE, or_(is_red(today), is_yellow(today)))
        .order_by(MunicipalTask.deadline, MunicipalTask.number_key, MunicipalTask.id)
        .limit(limit)
    )
    return [
        UrgentTask(
            id=row.id,
            number=row.task_number,
            title=row.title,
            deadline=row.deadline,
            status=Status(row.status),
            colour=colour(Status(row.status), row.deadline, row.yellow_from, today),
            responsible=row.name,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class MunicipalityStanding:
    """How one municipality stands, for KOMBIT."""

    code: int
    name: str
    red: int
    yellow: int
    completed: int
    total: int


def most_behind(work: Work, limit: int = 10) -> Sequence[MunicipalityStanding]:
    """The municipalities with most red tasks; one statement."""
    today = work.today
    red = count_of(is_red(today))
    rows = work.session.execute(
        select(
            Municipality.id,
            Municipality.name,
            red,
            count_of(is_yellow(today)),
            count_of(MunicipalTask.status == Status.COMPLETED.value),
            func.count(),
        )
        .join(Municipality, Municipality.id == MunicipalTask.municipality_id)
        .where(access.visible(work), IN_FORCE, MunicipalTask.status != Status.NOT_RELEVANT.value)
        .group_by(Municipality.id, Municipality.name, Municipality.name_key)
        .order_by(red.desc(), Municipality.name_key)
        .limit(limit)
    )
    return [MunicipalityStanding(*row) for row in rows]


def unread_notices(work: Work) -> int:
    """How many notices the actor has not read."""
    if work.actor is None:
        return 0
    return (
        work.session.scalar(
            select(func.count()).where(
                access.notices(work),
                Notice.person_id == work.actor.person_id,
                Notice.read_at.is_(None),
                Notice.withdrawn_at.is_(None),
            )
        )
        or 0
    )


@dataclass(frozen=True, slots=True)
class RecentTask:
    """A task KOMBIT published lately."""

    id: int
    number: str
    title: str
    published_on: date
    recipients: int


def recently_published(work: Work, limit: int = 5) -> Sequence[RecentTask]:
    """The tasks published in the last thirty days, newest first; for those who publish."""
    rows = work.session.execute(
        select(Task)
        .where(Task.published_at.is_not(None), Task.published_at > work.now - timedelta(days=30))
        .order_by(Task.published_at.desc(), Task.id.desc())
        .limit(limit)
    ).scalars()
    found = []
    for task in rows:
        version = max(task.versions, key=lambda one: one.number)
        assert task.published_at is not None
        found.append(
            RecentTask(
                task.id, task.task_number, version.title, task.published_at.date(), task.recipient_count or 0
            )
        )
    return found
