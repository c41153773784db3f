"""The one door to a municipality's data: whoever wants a municipal row asks here.

"Not yours" and "not there" are the same answer (NotFoundError). Nothing else in klik loads a municipal row
by its id.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, false, not_, or_, select, true

from klik.domain.rights import Level, Right
from klik.models import (
    BulkChange,
    CalendarFeed,
    ChecklistItem,
    Comment,
    Deletion,
    DeletionItem,
    Export,
    Membership,
    Municipality,
    MunicipalTask,
    MunicipalTaskFile,
    Notice,
    Person,
    RoleHolding,
    SavedFilter,
    Task,
    TaskFile,
)
from klik.services.errors import ForbiddenError, NotFoundError
from klik.services.work import Actor, Work

# Notices whose address is itself a key to somebody's account: for the mail only, on no page.
SECRET_OCCASION = "adgangskode"
# What somebody has asked to be told of a filter of theirs is no business of those who keep the account.
OWN_OCCASION = "abonnement"
# Who names whom in a comment is for those who may read the comment, and a private one KOMBIT must not hear of.
MENTION = "mention"


def require(work: Work, right: Right) -> Actor:
    """The actor, when the level carries the right; raises ForbiddenError. The system itself is no actor."""
    if work.actor is None or not work.actor.has(right):
        raise ForbiddenError(right)
    return work.actor


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


def sees_people(work: Work) -> bool:
    """Whether names of a municipality's people may be shown: not to suppliers."""
    return work.actor is None or work.actor.level is not Level.SUPPLIER


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
    actor, held = work.actor, cache(lambda: _roles_held(work))

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


def _roles_held(work: Work) -> frozenset[tuple[str, str | None]]:
    """Role and system of what the actor holds today in the own municipality; no system: across it."""
    assert work.actor is not None
    rows = work.session.execute(
        select(RoleHolding.role, RoleHolding.system_code).where(
            RoleHolding.municipality_id == work.actor.municipality_id,
            RoleHolding.person_id == work.actor.person_id,
            RoleHolding.valid_from <= work.today,
            or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to >= work.today),
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


def may_comment(work: Work, task: MunicipalTask) -> bool:
    """Whether the actor may write a comment on this task."""
    return work.actor is not None and work.actor.has(Right.COMMENT) and task.withdrawn_at is None


def visible_comments(work: Work) -> ColumnElement[bool]:
    """Private comments are for the municipality that wrote them; suppliers read none."""
    if work.actor is None:
        return true()
    if work.actor.level.scope == "municipality":
        return Comment.municipality_id == work.actor.municipality_id
    return Comment.private.is_(False) if work.actor.kombit else false()


def own_comment(work: Work, task_id: int, comment_id: int) -> Comment:
    """A comment the actor wrote and may still change; raises NotFoundError, or ForbiddenError on a closed task."""
    task = municipal_task(work, task_id)
    comment = work.session.scalar(
        select(Comment).where(
            Comment.id == comment_id,
            Comment.municipal_task_id == task.id,
            Comment.municipality_id == task.municipality_id,
            Comment.author_id == (work.actor.person_id if work.actor else 0),
            visible_comments(work),
        )
    )
    if comment is None:
        raise NotFoundError
    if not may_comment(work, task):
        raise ForbiddenError("comment")
    return comment


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


def published_task(work: Work, task_id: int) -> Task:
    """A task as KOMBIT edits it; only for those who publish."""
    require(work, Right.PUBLISH)
    task = work.session.get(Task, task_id)
    if task is None:
        raise NotFoundError
    return task


def municipalities(work: Work) -> ColumnElement[bool]:
    """Which municipalities the actor may name a filter or a page by."""
    actor = work.actor
    if actor is None or actor.level.scope != "municipality":
        return true()
    return Municipality.id == actor.municipality_id


def memberships(work: Work) -> ColumnElement[bool]:
    """Whose memberships the actor may see: the own municipality's; KOMBIT all; suppliers none."""
    actor = work.actor
    if actor is None or actor.kombit:
        return true()
    if actor.level is Level.SUPPLIER:
        return false()
    return Membership.municipality_id == actor.municipality_id


def membership(work: Work, membership_id: int) -> Membership:
    """A membership the actor may administer; raises NotFoundError."""
    actor = require(work, Right.MANAGE_PEOPLE)
    found = work.session.scalar(select(Membership).where(Membership.id == membership_id, memberships(work)))
    if found is None:
        raise NotFoundError
    if actor.municipality_id is not None and found.municipality_id != actor.municipality_id:
        raise NotFoundError
    return found


def member(work: Work, person_id: int, municipality_id: int) -> Person | None:
    """An active member of this municipality, or None: only such a person can be given a task or a role."""
    return work.session.scalar(
        select(Person)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Person.id == person_id,
            Person.active.is_(True),
            Membership.municipality_id == municipality_id,
            Membership.active.is_(True),
        )
    )


def holdings(work: Work) -> ColumnElement[bool]:
    """Role holdings the actor may see: own municipality's; KOMBIT all; suppliers none."""
    actor = work.actor
    if actor is None or actor.kombit:
        return true()
    if not actor.has(Right.READ_ROLES):
        return false()
    return RoleHolding.municipality_id == actor.municipality_id


def holding_to_change(work: Work, holding_id: int) -> RoleHolding:
    """A role holding of the actor's own municipality; raises NotFoundError."""
    actor = require(work, Right.EDIT_ROLES)
    found = work.session.scalar(
        select(RoleHolding).where(
            RoleHolding.id == holding_id, RoleHolding.municipality_id == actor.municipality_id
        )
    )
    if found is None:
        raise NotFoundError
    return found


def saved_filters(work: Work) -> ColumnElement[bool]:
    """Own filters, those shared with the own municipality, and those KOMBIT shares with everyone."""
    actor = work.actor
    if actor is None:
        return true()
    shared_here = and_(
        SavedFilter.shared == "kommune",
        SavedFilter.municipality_id == actor.municipality_id,
    )
    return or_(SavedFilter.person_id == actor.person_id, shared_here, SavedFilter.shared == "alle")


def saved_filter(work: Work, filter_id: int) -> SavedFilter:
    """A filter the actor may open: an own or a shared one; raises NotFoundError."""
    require(work, Right.SAVE_FILTERS)
    found = work.session.scalar(select(SavedFilter).where(SavedFilter.id == filter_id, saved_filters(work)))
    if found is None:
        raise NotFoundError
    return found


def shared_by_us(work: Work) -> ColumnElement[bool]:
    """Filters shared by the actor's own municipality, or by KOMBIT for its own people."""
    actor = work.actor
    if actor is None:
        return true()
    if actor.kombit:
        return SavedFilter.shared == "alle"
    return and_(
        SavedFilter.shared == "kommune",
        SavedFilter.municipality_id == actor.municipality_id,
    )


def filter_to_share(work: Work, filter_id: int) -> SavedFilter:
    """A filter the actor may share or take back: an own one, or one shared at home whoever made it.

    Raises NotFoundError, and ForbiddenError for those who share none.
    """
    actor = require(work, Right.SHARE_FILTERS)
    found = work.session.scalar(
        select(SavedFilter).where(
            SavedFilter.id == filter_id,
            or_(SavedFilter.person_id == actor.person_id, shared_by_us(work)),
        )
    )
    if found is None:
        raise NotFoundError
    return found


def filter_to_open_with(work: Work, filter_id: int) -> SavedFilter:
    """A shared filter that the actor may let levels open with; raises NotFoundError or ForbiddenError."""
    require(work, Right.SHARE_FILTERS)
    found = work.session.scalar(
        select(SavedFilter).where(
            SavedFilter.id == filter_id, SavedFilter.shared != "selv", saved_filters(work)
        )
    )
    if found is None:
        raise NotFoundError
    return found


def own_saved_filter(work: Work, filter_id: int) -> SavedFilter:
    """A filter of the actor's own; raises NotFoundError."""
    actor = require(work, Right.SAVE_FILTERS)
    found = work.session.scalar(
        select(SavedFilter).where(SavedFilter.id == filter_id, SavedFilter.person_id == actor.person_id)
    )
    if found is None:
        raise NotFoundError
    return found


def notices(work: Work) -> ColumnElement[bool]:
    """Ledger rows: KOMBIT all but those on local tasks and others' mentions; everybody theirs.

    A municipality with the right sees all of its own.
    """
    actor = work.actor
    if actor is None:
        return true()
    open_to_read = and_(
        Notice.occasion != SECRET_OCCASION,
        or_(Notice.occasion != OWN_OCCASION, Notice.person_id == actor.person_id),
    )
    if not actor.has(Right.READ_LEDGER):
        return and_(open_to_read, Notice.person_id == actor.person_id)
    if actor.kombit:
        local = select(MunicipalTask.id).where(
            MunicipalTask.id == Notice.municipal_task_id, MunicipalTask.task_id.is_(None)
        )
        not_others = or_(Notice.occasion != MENTION, Notice.person_id == actor.person_id)
        return and_(open_to_read, not_others, not_(local.exists()))
    return and_(open_to_read, Notice.municipality_id == actor.municipality_id)


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


def export(work: Work, export_id: int) -> Export:
    """An export the actor asked for; raises NotFoundError."""
    actor = require(work, Right.EXPORT)
    found = work.session.scalar(
        select(Export).where(Export.id == export_id, Export.person_id == actor.person_id)
    )
    if found is None:
        raise NotFoundError
    return found
