"""The door to municipal tasks: which the actor sees, which the actor may change."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, false, select, true

from klik.domain.rights import Level, Right
from klik.models import BulkChange, ChecklistItem, MunicipalTask, Project, RoleHolding, Task
from klik.services import holders
from klik.services.access.actor import require
from klik.services.errors import ForbiddenError, NotFoundError
from klik.services.work import Actor, Work


def visible(work: Work) -> ColumnElement[bool]:
    """Which municipal tasks the actor may see at all.

    KOMBIT sees what KOMBIT published, in every municipality; local tasks stay at home. A supplier sees the
    same for its own systems. A municipality sees all of its own. Erased tasks are seen by nobody.
    """
    there = MunicipalTask.erased_at.is_(None)
    actor = work.actor
    if actor is None:
        return there
    if not actor.has(Right.READ_TASKS):
        return false()
    if actor.level.scope == "municipality":
        return and_(there, MunicipalTask.municipality_id == actor.municipality_id)
    published = and_(there, MunicipalTask.task_id.is_not(None))
    if actor.level is Level.SUPPLIER:
        return and_(published, MunicipalTask.system_code.in_(sorted(actor.systems)))
    return published


def sight(work: Work) -> Hashable:
    """What decides which tasks, municipalities and people the actor sees: the same for two who see the same."""
    actor = work.actor
    return (actor.level, actor.municipality_id, actor.systems) if actor else None


def municipal_task(work: Work, task_id: int) -> MunicipalTask:
    """The municipal task with this id, when the actor may see it; raises NotFoundError."""
    task = work.session.scalar(select(MunicipalTask).where(MunicipalTask.id == task_id, visible(work)))
    if task is None:
        raise NotFoundError
    return task


class Changeable(Protocol):
    """What must be known of a municipal task, or of its row in a list, to say whether somebody may change it."""

    municipality_id: Any
    system_code: Any
    responsible_id: Any
    responsible_role: Any
    executor_id: Any
    executor_role: Any
    withdrawn_at: Any


def may_change(work: Work, task: Changeable) -> bool:
    """Whether the actor may set status, responsible, executor and files of this task."""
    return changeable(work)(task)


def changeable(work: Work) -> Callable[[Changeable], bool]:
    """The same as a question to ask of many tasks; the actor's roles are read once, and only when needed."""
    actor, held = work.actor, cache(lambda: roles_held(work))

    def asks(task: Changeable) -> bool:
        if actor is None:
            return True
        if task.withdrawn_at is not None or actor.municipality_id != task.municipality_id:
            return False
        if actor.has(Right.CHANGE_ANY_TASK):
            return True
        if not actor.has(Right.CHANGE_OWN_TASK):
            return False
        if actor.person_id in (task.responsible_id, task.executor_id):
            return True
        pairs = ((task.responsible_id, task.responsible_role), (task.executor_id, task.executor_role))
        roles = [role for person_id, role in pairs if person_id is None and role]
        # Where nobody is named, a role held today makes the task the actor's.
        return any({(role, None), (role, task.system_code)} & held() for role in roles)

    return asks


def roles_held(work: Work) -> frozenset[tuple[str, str | None]]:
    """Role and system of what the actor holds today in the own municipality; no system: across it."""
    if work.actor is None or work.actor.municipality_id is None:
        return frozenset()
    rows = work.session.execute(
        select(RoleHolding.role, RoleHolding.system_code).where(
            RoleHolding.municipality_id == work.actor.municipality_id,
            RoleHolding.person_id == work.actor.person_id,
            holders.today(work),
        )
    )
    return frozenset((role, system) for role, system in rows)


def task_to_change(work: Work, task_id: int) -> MunicipalTask:
    """The municipal task, when the actor may change it; raises NotFoundError or ForbiddenError."""
    task = municipal_task(work, task_id)
    if not may_change(work, task):
        raise ForbiddenError("change")
    return task


def is_changer(work: Work) -> bool:
    """Whether there are tasks the actor's level may change at all."""
    actor = work.actor
    if actor is None or actor.municipality_id is None:
        return False
    return actor.has(Right.CHANGE_ANY_TASK) or actor.has(Right.CHANGE_OWN_TASK)


def require_changer(work: Work) -> Actor:
    """The actor, when there are tasks the level may change at all; raises ForbiddenError."""
    if work.actor is None or not is_changer(work):
        raise ForbiddenError(Right.CHANGE_OWN_TASK)
    return work.actor


def own_bulk_change(work: Work, change_id: int) -> BulkChange:
    """A bulk change the actor made in this municipality; raises NotFoundError."""
    actor = require(work, Right.READ_TASKS)
    found = work.session.scalar(
        select(BulkChange).where(
            BulkChange.id == change_id,
            BulkChange.person_id == actor.person_id,
            BulkChange.municipality_id == actor.municipality_id,
        )
    )
    if found is None:
        raise NotFoundError
    return found


def checklist_item(work: Work, task_id: int, item_id: int) -> ChecklistItem:
    """A line of the checklist on a task the actor may change; raises NotFoundError or ForbiddenError."""
    task = task_to_change(work, task_id)
    item = work.session.scalar(
        select(ChecklistItem).where(
            ChecklistItem.id == item_id,
            ChecklistItem.municipal_task_id == task.id,
            ChecklistItem.municipality_id == task.municipality_id,
        )
    )
    if item is None:
        raise NotFoundError
    return item


def known_tasks(work: Work) -> ColumnElement[bool]:
    """Which of KOMBIT's tasks the actor may know by title, whether there is a copy or not.

    KOMBIT all; everybody else the published ones, a supplier those of its own systems.
    """
    actor = work.actor
    if actor is not None and actor.kombit:
        return true()
    published = Task.published_at.is_not(None)
    if actor is None or actor.level is not Level.SUPPLIER:
        return published
    own = select(Project.id).where(Project.system_code.in_(sorted(actor.systems)))
    return and_(published, Task.project_id.in_(own))


def published_task(work: Work, task_id: int) -> Task:
    """A task as KOMBIT edits it; only for those who publish."""
    require(work, Right.PUBLISH)
    task = work.session.get(Task, task_id)
    if task is None:
        raise NotFoundError
    return task
