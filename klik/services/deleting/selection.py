"""Which tasks an announcement is about: by project, system, filter or one by one, and what stays out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, false, func, select

from klik.models import Deletion, DeletionItem, MunicipalTask, Project
from klik.services import access, filtering
from klik.services.criteria import Criteria, QueryTooLongError
from klik.services.work import Work

MOST_TASKS = 1_000


@dataclass(frozen=True, slots=True)
class Selection:
    """KLIK-opgaver by project (slug), system (code), filter and id; what is given must all hold, nothing is no task.

    ``query`` is a filter as the list's address holds it; one without any filter is nothing chosen.
    """

    project: str | None = None
    system: str | None = None
    task_ids: tuple[int, ...] = ()
    query: str | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was chosen."""
        return not (self.project or self.system or self.task_ids or self.query)


def criteria_of(work: Work, query: str) -> Criteria:
    """What the filter asks, without sorting and page; raises QueryTooLongError."""
    return filtering.read(work.registry, query).filters_only()


def wrong_filter(work: Work, query: str) -> str | None:
    """Why the filter cannot choose what is deleted, in Danish: never may it find more than was meant."""
    try:
        asked = filtering.read(work.registry, query)
    except QueryTooLongError as error:
        return str(error)
    if not asked.filters:
        return "Opgaver: filteret er tomt og ville vælge alle opgaver. Vælg noget i filteret på opgavelisten."
    found = filtering.select_tasks(work, asked)
    if found.remarks:
        return f"Opgaver: filteret kan ikke bruges, som det er. {' '.join(found.remarks)}"
    if asked.as_of:
        return "Opgaver: filteret viser listen, som den stod en anden dag. Gå tilbage til i dag først."
    return None


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
    if selection.query:
        if wrong_filter(work, selection.query):
            return false()
        conditions.append(filtering.select_tasks(work, criteria_of(work, selection.query)).where())
    return and_(*conditions)


def already_announced() -> ColumnElement[bool]:
    """Municipal tasks that a running announcement holds."""
    return exists(
        select(DeletionItem.id)
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .where(DeletionItem.municipal_task_id == MunicipalTask.id, Deletion.state == "varslet")
    )


@dataclass(frozen=True, slots=True)
class Choice:
    """A KLIK-opgave one may tick."""

    task_id: int | None
    task_number: str | None
    title: str


def choices(work: Work, selection: Selection) -> Sequence[Choice]:
    """The KLIK-opgaver of a project, system or filter, by number; at most `MOST_TASKS`."""
    rows = work.session.execute(
        select(MunicipalTask.task_id, MunicipalTask.task_number, func.min(MunicipalTask.title))
        .where(chosen(work, selection))
        .group_by(MunicipalTask.task_id, MunicipalTask.task_number)
        .order_by(func.min(MunicipalTask.number_key), MunicipalTask.task_id)
        .limit(MOST_TASKS)
    )
    return [Choice(*row) for row in rows]
