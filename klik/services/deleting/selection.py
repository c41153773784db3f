"""Which tasks an announcement is about, and what announcing their deletion would mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, exists, false, func, select

from klik.domain.status import OPEN_STATUSES
from klik.models import Deletion, DeletionItem, Municipality, MunicipalTask, Project
from klik.services import access
from klik.services.work import Work

MOST_TASKS = 1_000
OPEN = tuple(sorted(status.value for status in OPEN_STATUSES))


@dataclass(frozen=True, slots=True)
class Selection:
    """KLIK-opgaver by project (slug), system (code) and id; what is given must all hold, nothing is no task."""

    project: str | None = None
    system: str | None = None
    task_ids: tuple[int, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing was chosen."""
        return not (self.project or self.system or self.task_ids)


@dataclass(frozen=True, slots=True)
class MunicipalPreview:
    """What an announcement would mean to one municipality; ``open`` tasks are not completed."""

    code: int
    name: str
    tasks: int
    open: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A task that stands in another running announcement, in so many municipalities."""

    task_number: str | None
    title: str
    deletion_id: int
    heading: str
    municipalities: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What an announcement would mean, before it is made."""

    municipalities: tuple[MunicipalPreview, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def tasks(self) -> int:
        """Municipal tasks in all."""
        return sum(municipality.tasks for municipality in self.municipalities)

    @property
    def open(self) -> int:
        """Of them those that are not completed."""
        return sum(municipality.open for municipality in self.municipalities)


def chosen(work: Work, selection: Selection) -> ColumnElement[bool]:
    """The municipal copies of the chosen KLIK-opgaver; local tasks are the municipality's own and never here."""
    if selection.empty:
        return false()
    conditions = [access.visible(work), MunicipalTask.task_id.is_not(None)]
    if selection.project:
        project = select(Project.id).where(Project.slug == selection.project)
        conditions.append(MunicipalTask.project_id.in_(project))
    if selection.system:
        conditions.append(MunicipalTask.system_code == selection.system)
    if selection.task_ids:
        conditions.append(MunicipalTask.task_id.in_(selection.task_ids))
    return and_(*conditions)


def already_announced() -> ColumnElement[bool]:
    """Municipal tasks that a running announcement holds."""
    return exists(
        select(DeletionItem.id)
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .where(DeletionItem.municipal_task_id == MunicipalTask.id, Deletion.state == "varslet")
    )


def preview(work: Work, selection: Selection) -> Preview:
    """Counts a municipality and the tasks left out; two statements however many tasks there are."""
    return Preview(_municipalities(work, selection), _left_out(work, selection))


def _municipalities(work: Work, selection: Selection) -> tuple[MunicipalPreview, ...]:
    rows = work.session.execute(
        select(
            Municipality.id,
            Municipality.name,
            func.count(),
            func.sum(case((MunicipalTask.status.in_(OPEN), 1), else_=0)),
        )
        .join(MunicipalTask, MunicipalTask.municipality_id == Municipality.id)
        .where(chosen(work, selection), ~already_announced())
        .group_by(Municipality.id, Municipality.name, Municipality.name_key)
        .order_by(Municipality.name_key)
    )
    return tuple(MunicipalPreview(*row) for row in rows)


def _left_out(work: Work, selection: Selection) -> tuple[LeftOut, ...]:
    rows = work.session.execute(
        select(
            MunicipalTask.task_number,
            func.min(MunicipalTask.title),
            Deletion.id,
            Deletion.heading,
            func.count(),
        )
        .join(DeletionItem, DeletionItem.municipal_task_id == MunicipalTask.id)
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .where(chosen(work, selection), Deletion.state == "varslet")
        .group_by(MunicipalTask.task_id, MunicipalTask.task_number, Deletion.id, Deletion.heading)
        .order_by(func.min(MunicipalTask.number_key), Deletion.id)
    )
    return tuple(LeftOut(*row) for row in rows)


@dataclass(frozen=True, slots=True)
class Choice:
    """A KLIK-opgave one may tick."""

    task_id: int | None
    task_number: str | None
    title: str


def choices(work: Work, selection: Selection) -> Sequence[Choice]:
    """The KLIK-opgaver of a project or system, by number; at most `MOST_TASKS`."""
    rows = work.session.execute(
        select(MunicipalTask.task_id, MunicipalTask.task_number, func.min(MunicipalTask.title))
        .where(chosen(work, selection))
        .group_by(MunicipalTask.task_id, MunicipalTask.task_number)
        .order_by(func.min(MunicipalTask.number_key), MunicipalTask.task_id)
        .limit(MOST_TASKS)
    )
    return [Choice(*row) for row in rows]
