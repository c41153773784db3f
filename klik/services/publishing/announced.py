"""The tasks that KOMBIT has announced, as those they concern see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, select

from klik.domain.life import State
from klik.domain.rights import Level
from klik.domain.texts import slug
from klik.models import Municipality, MunicipalSystem, Project, Task, TaskVersion, Wave
from klik.services.deadlines import explanation
from klik.services.publishing import audience
from klik.services.publishing.audience import RecipientChoice, recipients
from klik.services.publishing.drafts import choice_of
from klik.services.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class ComingTask:
    """An announced task. ``expected`` is the day it is planned to be published, else the start KOMBIT expects."""

    task_id: int
    number: str
    title: str
    project: str
    phase: str
    purpose: str
    description: str
    responsible_role: str | None
    start: date | None
    publish_at: datetime | None
    deadline_words: str
    announced_at: datetime

    @property
    def anchor(self) -> str:
        """Where it stands on the page of coming tasks."""
        return f"opgave-{self.task_id}"


def coming(work: Work) -> list[ComingTask]:
    """What is announced to the actor's municipality, the first to come on top; KOMBIT sees all of it."""
    rows = work.session.execute(
        select(Task, TaskVersion, Project)
        .join(TaskVersion, and_(TaskVersion.task_id == Task.id, TaskVersion.number == Task.current_number))
        .join(Project, Project.id == Task.project_id)
        .where(Task.state.in_([State.ANNOUNCED.value, State.PLANNED.value]), Task.announced_at.is_not(None))
        .order_by(Task.announced_at, Task.id)
    ).all()
    actor = work.actor
    if rows and actor is not None and actor.municipality_id is not None:
        place = _place(work, actor.municipality_id)
        rows = [row for row in rows if _concerns(work, place, *row[::2])]
    elif actor is not None and actor.level is Level.SUPPLIER:
        rows = [row for row in rows if row[2].system_code in actor.systems]
    found = [_coming_task(work, *row) for row in rows]
    return sorted(found, key=lambda each: (_expected(each) or date.max, each.number))


def _expected(task: ComingTask) -> date | None:
    return task.publish_at.date() if task.publish_at else task.start


def _coming_task(work: Work, task: Task, version: TaskVersion, project: Project) -> ComingTask:
    assert task.announced_at is not None
    return ComingTask(
        task_id=task.id,
        number=task.task_number,
        title=version.title,
        project=project.name,
        phase=work.registry.content.phase(version.phase).name,
        purpose=version.purpose,
        description=version.description,
        responsible_role=(
            work.registry.content.role(version.responsible_role).name if version.responsible_role else None
        ),
        start=version.start_date,
        publish_at=task.publish_at,
        deadline_words=explanation(work.registry, version.deadline_rule, version.deadline_parameter),
        announced_at=task.announced_at,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """A municipality: its region's slugs, and its wave ("ky/b1", or None) in each system it has."""

    code: int
    active: bool
    regions: frozenset[str]
    waves: Mapping[str, str | None]
    in_use: frozenset[str]


def _place(work: Work, code: int) -> _Place:
    municipality = work.session.get_one(Municipality, code)
    rows = work.session.execute(
        select(MunicipalSystem.system_code, Wave.system_code, Wave.slug)
        .outerjoin(Wave, Wave.id == MunicipalSystem.wave_id)
        .where(MunicipalSystem.municipality_id == code)
    )
    region = municipality.region
    return _Place(
        code,
        municipality.active,
        frozenset({slug(region), slug(region.removeprefix("Region "))}),
        {system: f"{of_system}/{word}" if word else None for system, of_system, word in rows},
        frozenset(work.session.scalars(select(MunicipalSystem.system_code).distinct())),
    )


def _concerns(work: Work, place: _Place, task: Task, project: Project) -> bool:
    """What ``recipients`` says of one municipality, without asking for all of them."""
    choice = choice_of(task)
    if choice is None or not place.active:
        return False
    system = project.system_code
    match choice.kind:
        case audience.ALL:
            return True
        case audience.WITH_SYSTEM:
            # Where nobody is noted to have the system at all, everyone is meant.
            return system in place.waves or system not in place.in_use
        case audience.LISTED:
            return str(place.code) in choice.values
        case audience.ALL_EXCEPT:
            return str(place.code) not in choice.values
        case audience.REGIONS:
            return any(slug(value) in place.regions for value in choice.values)
        case audience.WAVES:
            wanted = {value if "/" in value else f"{system or ''}/{value}" for value in choice.values}
            return not wanted.isdisjoint(set(place.waves.values()) - {None})
    return place.code in recipients(work, RecipientChoice(choice.kind, choice.values), project.slug)
