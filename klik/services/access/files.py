"""The door to files: KOMBIT's, a municipality's, and what somebody takes along."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select

from klik.domain.rights import Right
from klik.models import CalendarFeed, Export, Membership, MunicipalTaskFile, TaskFile
from klik.services.access.actor import require
from klik.services.access.tasks import municipal_task
from klik.services.errors import NotFoundError
from klik.services.work import Work


def municipal_file(work: Work, task_id: int, file_id: int) -> MunicipalTaskFile:
    """An attachment of a municipality, by its task and itself; KOMBIT and suppliers have no way to it."""
    task = municipal_task(work, task_id)
    if work.actor is not None and work.actor.municipality_id != task.municipality_id:
        raise NotFoundError
    file = work.session.scalar(
        select(MunicipalTaskFile).where(
            MunicipalTaskFile.id == file_id,
            MunicipalTaskFile.municipal_task_id == task.id,
            MunicipalTaskFile.municipality_id == task.municipality_id,
        )
    )
    if file is None:
        raise NotFoundError
    return file


def task_file(work: Work, municipal_task_id: int, file_id: int) -> TaskFile:
    """An attachment KOMBIT put on the task behind a municipal task the actor may see."""
    task = municipal_task(work, municipal_task_id)
    file = work.session.scalar(
        select(TaskFile).where(TaskFile.id == file_id, TaskFile.task_id == (task.task_id or 0))
    )
    if file is None:
        raise NotFoundError
    return file


def exports(work: Work) -> ColumnElement[bool]:
    """Files the actor asked for, from where the actor still belongs: who has left takes nothing along."""
    actor = require(work, Right.EXPORT)
    still_there = select(Membership.id).where(
        Membership.person_id == actor.person_id,
        Membership.active.is_(True),
        Membership.municipality_id.is_not_distinct_from(Export.municipality_id),
    )
    return and_(Export.person_id == actor.person_id, still_there.exists())


def export(work: Work, export_id: int) -> Export:
    """An export the actor may fetch; raises NotFoundError."""
    found = work.session.scalar(select(Export).where(Export.id == export_id, exports(work)))
    if found is None:
        raise NotFoundError
    return found


def calendar_feed(work: Work, feed_id: int) -> CalendarFeed:
    """A calendar feed of the actor's own that is not revoked; raises NotFoundError."""
    actor = require(work, Right.EXPORT)
    found = work.session.scalar(
        select(CalendarFeed).where(
            CalendarFeed.id == feed_id,
            CalendarFeed.person_id == actor.person_id,
            CalendarFeed.revoked_at.is_(None),
        )
    )
    if found is None:
        raise NotFoundError
    return found
