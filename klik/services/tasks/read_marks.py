"""What a person has seen of a task, so that the list can tell what changed since."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from klik.models import MunicipalTask, ReadMark
from klik.services import access
from klik.services.work import Work

_PORTION = 500


def mark_read(work: Work, task_id: int) -> None:
    """The actor has seen the task as it stands now ("Set")."""
    mark(work, access.municipal_task(work, task_id))


def mark(work: Work, task: MunicipalTask) -> None:
    """Set the actor's mark on a task that is already loaded."""
    mark_all(work, [task])


def mark_all(work: Work, tasks: Sequence[MunicipalTask]) -> None:
    """Set the actor's mark on tasks that are already loaded; one statement for 500."""
    if work.actor is None:
        return
    insert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    # Somebody with two windows open may press in both at once: the second writes over the first.
    statement = insert(ReadMark)
    statement = statement.on_conflict_do_update(
        index_elements=["person_id", "municipal_task_id"], set_={"seen_at": statement.excluded.seen_at}
    )
    rows = [
        {
            "person_id": work.actor.person_id,
            "municipal_task_id": task.id,
            "municipality_id": task.municipality_id,
            "seen_at": work.now,
        }
        for task in tasks
    ]
    for start in range(0, len(rows), _PORTION):
        work.session.execute(statement, rows[start : start + _PORTION])


def is_unread(work: Work, task: MunicipalTask) -> bool:
    """Whether the task changed since the actor last said "Set", or never did."""
    if work.actor is None:
        return False
    seen = work.session.scalar(
        select(ReadMark.seen_at).where(
            ReadMark.person_id == work.actor.person_id, ReadMark.municipal_task_id == task.id
        )
    )
    return seen is None or task.changed_at > seen
