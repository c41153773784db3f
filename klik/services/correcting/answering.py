"""The municipality's answer to a deviation: follow KOMBIT, or keep its own value."""

from __future__ import annotations

from sqlalchemy import select

from klik.models import Deviation
from klik.services import access, auditing
from klik.services.correcting import deviations
from klik.services.correcting.deviations import FOLLOW, KEEP
from klik.services.errors import ConflictError, NotFoundError, RefusedError
from klik.services.tasks import changing
from klik.services.tasks.steps import Changes
from klik.services.tasks.touching import touch
from klik.services.work import Work


def answer(work: Work, task_id: int, deviation_id: int, version: int, given: str) -> None:
    """Store ``foelg`` or ``behold``; raises ConflictError when it was answered or overtaken since ``version``.

    Raises NotFoundError, ForbiddenError, and RefusedError for another answer.
    """
    task = access.task_to_change(work, task_id)
    row = work.session.scalar(
        select(Deviation)
        .where(
            Deviation.id == deviation_id,
            Deviation.municipal_task_id == task.id,
            Deviation.municipality_id == task.municipality_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFoundError
    if given not in (FOLLOW, KEEP):
        raise RefusedError({"": "Vælg, om I vil følge KOMBIT eller beholde jeres eget."})
    if row.settled_at is not None or row.version != version:
        raise ConflictError(row.version, ())
    if given == FOLLOW:
        changing.change(work, task.id, task.version, _kombits(work, task, row))
    if row.settled_at is None:
        deviations.settle(work, row, given)
    if given == KEEP:
        deviations.write_down(work, task, row)
        touch(work, task.id)
    auditing.record(
        work,
        "svar-afvigelse",
        f"kommuneopgave/{task.id}",
        {"afvigelse": row.id, "svar": given},
        task.municipality_id,
    )


def _kombits(work: Work, task: object, row: Deviation) -> Changes:
    if row.field == "deadline":
        return Changes(deadline=None)
    return Changes(**{row.field: deviations.wanted(work, task, row.central_new)})  # type: ignore[arg-type]
