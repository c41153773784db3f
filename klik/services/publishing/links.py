"""Which tasks of a project need which, and a warning where they wait for one another."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from klik.domain.links import circles_through
from klik.domain.tasknumbers import TaskNumber, TaskNumberError
from klik.models import Task, TaskLink
from klik.services.work import Work

ARROW = " → "


def circles(work: Work, task_id: int | None, needs: Sequence[str]) -> tuple[str, ...]:
    """The circles there would be if the stored task needed these numbers: "MI 15 → MI 18 → MI 15".

    They are warned of, never refused. A task that is not stored yet stands in none; numbers nobody has are
    left to ``check``.
    """
    task = work.session.get(Task, task_id) if task_id else None
    if task is None:
        return ()
    rows = work.session.execute(select(Task.id, Task.task_number).where(Task.project_id == task.project_id))
    numbers: dict[int, str] = dict(rows.all())
    ids = {number: each for each, number in numbers.items()}
    stored: dict[int, list[int]] = {}
    for waiting, needed in work.session.execute(
        select(TaskLink.task_id, TaskLink.needs_task_id)
        .join(Task, Task.id == TaskLink.task_id)
        .where(Task.project_id == task.project_id)
        .order_by(TaskLink.task_id, TaskLink.needs_task_id)
    ):
        stored.setdefault(waiting, []).append(needed)
    stored[task.id] = [ids[number] for number in _written(needs) if number in ids and ids[number] != task.id]
    return tuple(
        ARROW.join(numbers.get(each, "?") for each in circle) for circle in circles_through(task.id, stored)
    )


def _written(needs: Sequence[str]) -> list[str]:
    found = []
    for need in needs:
        try:
            found.append(str(TaskNumber.parse(need)))
        except TaskNumberError:
            continue  # told by check, at the field
    return found
