"""The door to deletions and the tasks in them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, select, true

from klik.domain.rights import Level, Right
from klik.models import Deletion, DeletionItem, MunicipalTask
from klik.services.access.actor import require
from klik.services.errors import NotFoundError
from klik.services.work import Work


def deletion_items(work: Work) -> ColumnElement[bool]:
    """Announced deletions: KOMBIT all, a municipality its own; suppliers none."""
    actor = work.actor
    if actor is None or actor.kombit:
        return true()
    if actor.level is Level.SUPPLIER:
        return false()
    return DeletionItem.municipality_id == actor.municipality_id


def deletion(work: Work, deletion_id: int) -> Deletion:
    """A deletion that touches something the actor may see; raises NotFoundError."""
    statement = select(Deletion).where(Deletion.id == deletion_id)
    if work.actor is not None and not work.actor.kombit:
        statement = statement.where(
            select(DeletionItem.id)
            .where(DeletionItem.deletion_id == Deletion.id, deletion_items(work))
            .exists()
        )
    found = work.session.scalar(statement)
    if found is None:
        raise NotFoundError
    return found


def erased_task(work: Work, task_id: int) -> tuple[MunicipalTask, DeletionItem]:
    """The tombstone of a task the actor would see if it had not been erased; raises NotFoundError."""
    actor = require(work, Right.READ_TASKS)
    whose = [MunicipalTask.municipality_id == actor.municipality_id]
    if actor.level.scope != "municipality":
        whose = [MunicipalTask.task_id.is_not(None)]
    if actor.level is Level.SUPPLIER:
        whose.append(MunicipalTask.system_code.in_(sorted(actor.systems)))
    found = work.session.execute(
        select(MunicipalTask, DeletionItem)
        .join(DeletionItem, DeletionItem.municipal_task_id == MunicipalTask.id)
        .where(
            MunicipalTask.id == task_id,
            MunicipalTask.erased_at.is_not(None),
            DeletionItem.state == "slettet",
            *whose,
        )
    ).first()
    if found is None:
        raise NotFoundError
    return found[0], found[1]


def deletion_item(work: Work, deletion_id: int, item_id: int) -> DeletionItem:
    """A task in a deletion, when it is the actor's to see; raises NotFoundError."""
    found = work.session.scalar(
        select(DeletionItem).where(
            DeletionItem.id == item_id, DeletionItem.deletion_id == deletion_id, deletion_items(work)
        )
    )
    if found is None:
        raise NotFoundError
    return found
