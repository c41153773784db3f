"""The published tasks that a municipality gets when it gets the system, or a wave, later than the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import selectinload

from klik.domain.life import State
from klik.domain.texts import slug
from klik.models import MunicipalTask, Project, Task, TaskVersion
from klik.plugins.views import MunicipalityView, PublishedView, TaskView
from klik.services import events, views
from klik.services.deadlines import deadlines_for, yellow_from_for
from klik.services.errors import RefusedError
from klik.services.publishing import audience, copies
from klik.services.publishing.audience import Place, RecipientChoice
from klik.services.work import Work


class Skipped(StrEnum):
    """Why a municipality does not get a task, in words."""

    THERE = "Kommunen har den allerede"
    WITHDRAWN = "Trukket tilbage af KOMBIT"
    LISTED = "Udgivet til bestemte kommuner, der er valgt én for én"
    ELSEWHERE = "Udgivet til andre bølger, regioner eller kommuner"
    UNREADABLE = "Modtagerne kan ikke læses"


@dataclass(frozen=True, slots=True)
class Offer:
    """A task the municipality gets; without a deadline when it had passed already (``for_information``)."""

    task: Task
    version: TaskVersion
    project: Project
    view: TaskView
    dates: copies.Dates

    @property
    def name(self) -> str:
        """ "MI 15 Udpeg systemansvarlig"."""
        return f"{self.task.task_number} {self.version.title}"

    @property
    def deadline(self) -> date | None:
        """The deadline in this municipality."""
        return self.dates.deadline


@dataclass(frozen=True, slots=True)
class Skip:
    """A task the municipality does not get, and why."""

    name: str
    why: Skipped


@dataclass(frozen=True, slots=True)
class Late:
    """What one municipality gets, and what it does not; ``there`` are the tasks it has already."""

    municipality: MunicipalityView
    offers: tuple[Offer, ...] = ()
    skipped: tuple[Skip, ...] = ()
    there: int = 0

    @property
    def for_information(self) -> int:
        """How many come without a deadline, because it has passed."""
        return sum(offer.dates.for_information for offer in self.offers)


def offered(work: Work, system: str, municipality: MunicipalityView) -> Late:
    """Which published tasks of the system the municipality, as it will stand, should have and has not.

    Three statements however many there are.
    """
    rows = work.session.execute(
        select(Task, TaskVersion, Project, MunicipalTask.id)
        .join(TaskVersion, and_(TaskVersion.task_id == Task.id, TaskVersion.number == Task.current_number))
        .join(Project, Project.id == Task.project_id)
        .outerjoin(
            MunicipalTask,
            and_(MunicipalTask.task_id == Task.id, MunicipalTask.municipality_id == municipality.code),
        )
        .where(
            Project.system_code == system,
            Task.published_at.is_not(None),
            Task.state.in_([State.PUBLISHED.value, State.WITHDRAWN.value]),
        )
        .order_by(Project.name, Task.task_number)
        .options(selectinload(TaskVersion.fields))
    ).all()
    places = audience.places_of(work)
    offers, skipped, there = [], [], 0
    for task, version, project, copy_id in rows:
        why = _skipped(task, municipality, system, copy_id, places)
        if why is None:
            offers.append(_offer(work, task, version, project, municipality))
        elif why is Skipped.THERE:
            there += 1
        else:
            skipped.append(Skip(f"{task.task_number} {version.title}", why))
    return Late(municipality, tuple(offers), tuple(skipped), there)


def give(work: Work, late: Late) -> list[copies.Copy]:
    """Make the copies, and tell the plug-ins as at a publication; the task's key lets each come only once.

    The statements do not grow with the number of tasks.
    """
    made = copies.make_all(
        work, [copies.Given(offer.task, offer.version, offer.project, [offer.dates]) for offer in late.offers]
    )
    work.session.execute(
        update(Task)
        .where(Task.id.in_([offer.task.id for offer in late.offers]))
        .values(recipient_count=func.coalesce(Task.recipient_count, 0) + 1, version=Task.version + 1)
    )
    events.note_all(
        work,
        events.PUBLISHED,
        [
            PublishedView(task=offer.view, municipalities=(late.municipality.code,), at=work.now)
            for offer in late.offers
        ],
    )
    return made


def covers(
    choice: RecipientChoice, municipality: MunicipalityView, system: str, places: Mapping[int, Place]
) -> bool:
    """Whether a choice of recipients holds the municipality, which has the system; a listed choice holds nobody new.

    ``places`` are the active municipalities, whose names a choice may use.
    """
    if choice.kind in (audience.ALL, audience.WITH_SYSTEM):
        return True
    if choice.kind == audience.WAVES:
        wave = municipality.wave
        return wave is not None and bool({wave, f"{system}/{wave}"} & set(choice.values))
    if choice.kind == audience.REGIONS:
        region = municipality.region
        mine = {slug(region), slug(region.removeprefix("Region "))}
        return any(slug(value) in mine for value in choice.values)
    if choice.kind == audience.ALL_EXCEPT:
        # "Only those with the system" holds of it by now.
        return not audience.excepts(choice, municipality.code, places)
    return False


def _skipped(
    task: Task, municipality: MunicipalityView, system: str, copy_id: int | None, places: Mapping[int, Place]
) -> Skipped | None:
    if copy_id is not None:
        return Skipped.THERE
    if task.state == State.WITHDRAWN.value:
        return Skipped.WITHDRAWN
    if task.recipients is None:
        return None
    try:
        choice = RecipientChoice.parse(task.recipients)
    except RefusedError:
        return Skipped.UNREADABLE
    if covers(choice, municipality, system, places):
        return None
    return Skipped.LISTED if choice.kind == audience.LISTED else Skipped.ELSEWHERE


def _offer(
    work: Work, task: Task, version: TaskVersion, project: Project, municipality: MunicipalityView
) -> Offer:
    # What counts from publication counts from the day the municipality gets the task.
    view = views.task_view(task, version, project, work.today)
    deadline = deadlines_for(
        work.registry,
        version.deadline_rule,
        version.deadline_parameter,
        view,
        [municipality],
        working_day=version.working_day,
    )[municipality.code]
    if deadline is not None and deadline < work.today:
        dates = copies.Dates(municipality.code, None, None, for_information=True)
    else:
        yellow = (
            yellow_from_for(work.registry, version.deadline_rule, version.start_date, deadline)
            if deadline
            else None
        )
        dates = copies.Dates(municipality.code, deadline, yellow)
    return Offer(task, version, project, view, dates)
