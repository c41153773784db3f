"""What an ordered file is of: a municipality's tasks of a deletion, ticked tasks, or the tasks of a filter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select

from klik.domain.deadlines import end_of_day
from klik.models import Deletion, DeletionItem, Export, MunicipalTask
from klik.services import access, filtering, list_document, listing
from klik.services.errors import NotFoundError
from klik.services.exports.kinds import HOUSE
from klik.services.exports.states import KEPT
from klik.services.filtering import Selection
from klik.services.work import Work

EVERYTHING = "fuldfoerte=ja"


@dataclass(frozen=True, slots=True)
class Contents:
    """What was asked for, as plain values that outlast a transaction."""

    export_id: int
    kind: str
    query: str
    task_ids: tuple[int, ...]
    deletion_id: int | None
    municipality_id: int | None
    ordered_at: datetime


def contents_of(export: Export) -> Contents:
    """What an export is of."""
    ticked = tuple(int(each) for each in (export.task_ids or "").split(",") if each)
    return Contents(
        export.id,
        export.kind,
        export.query,
        ticked,
        export.deletion_id,
        export.municipality_id,
        export.created_at,
    )


def selection(work: Work, contents: Contents) -> Selection:
    """The rows of a list: those of the filter, or the ticked ones and nothing else."""
    if not contents.task_ids:
        return filtering.select_tasks(work, filtering.read(work.registry, contents.query))
    chosen = filtering.select_tasks(work, filtering.read(work.registry, EVERYTHING))
    ticked = {"opgave": MunicipalTask.id.in_(contents.task_ids)}
    return replace(chosen, conditions={**chosen.conditions, **ticked}, key=None)


def task_ids(work: Work, contents: Contents) -> list[int]:
    """The tasks in the order they are packed; those of a deletion also when they are erased and archived."""
    if contents.deletion_id is not None:
        return [item.municipal_task_id for item in deletion_items(work, contents.deletion_id)]
    if contents.task_ids:
        return list(contents.task_ids)
    return [row.id for row in listing.every_row(work, selection(work, contents))]


def fetchable(work: Work, deletion_id: int) -> ColumnElement[bool]:
    """The actor's municipality's items of a deletion, but for those whose archive file is removed."""
    actor = work.actor
    return and_(
        DeletionItem.deletion_id == deletion_id,
        access.deletion_items(work),
        DeletionItem.municipality_id == (actor.municipality_id if actor else None),
        or_(DeletionItem.state != "slettet", DeletionItem.archive_removed_at.is_(None)),
    )


def deletion_items(work: Work, deletion_id: int) -> list[DeletionItem]:
    """Those items in the order of their tasks' numbers."""
    return list(
        work.session.scalars(
            select(DeletionItem)
            .join(MunicipalTask, MunicipalTask.id == DeletionItem.municipal_task_id)
            .where(fetchable(work, deletion_id))
            .order_by(MunicipalTask.number_key, MunicipalTask.id)
        )
    )


def kept_until(work: Work, contents: Contents, archive_days: int) -> datetime:
    """How long a file made now can be fetched: a week, a deletion's package as long as its archive files at least."""
    week = work.now + KEPT
    deletion = work.session.get(Deletion, contents.deletion_id) if contents.deletion_id is not None else None
    if deletion is None:
        return week
    kept = work.session.scalar(
        select(func.max(DeletionItem.archive_kept_until)).where(
            DeletionItem.deletion_id == deletion.id, DeletionItem.municipality_id == contents.municipality_id
        )
    )
    last = max(deletion.last_day + timedelta(days=archive_days), kept or work.today)
    # The day's last second, so that it reads "til og med" that day.
    return max(week, end_of_day(last) - timedelta(seconds=1))


def in_words(work: Work, contents: Contents) -> tuple[str, ...]:
    """What was asked for, in Danish, one line a condition."""
    if contents.kind == HOUSE:
        return ("Alt, hvad kommunen har i klik",)
    if contents.deletion_id is not None:
        try:
            heading = access.deletion(work, contents.deletion_id).heading
        except NotFoundError:
            return ("Kommunens opgaver i en sletning",)
        return (f"Kommunens opgaver i sletningen “{heading}”",)
    if contents.task_ids:
        count = len(contents.task_ids)
        return ("1 valgt opgave" if count == 1 else f"{count:,} valgte opgaver".replace(",", "."),)
    return list_document.criteria_in_words(work, selection(work, contents))
