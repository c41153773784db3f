"""A task that appoints a role ("Udpeg organisationsadministrator") is completed by filling the role.

Only who comes after the task fulfils it: one who held the role before it was published is shown on its page instead,
because KOMBIT asks the municipality to choose, and it should say so itself. What was opened again since the holder
came stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, and_, or_, select

from klik.content.roles import RoleDescription, RoleScope
from klik.domain.deadlines import danish_today
from klik.domain.rights import Level, Right
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import Membership, MunicipalTask, Person, RoleHolding, System, Task, TaskChange
from klik.services import holders
from klik.services.holders import HOLDER, Holder
from klik.services.tasks import changing
from klik.services.tasks.history import FILLED_ROLE
from klik.services.tasks.steps import Changes, steps_of
from klik.services.work import Work

_DONE = Changes(status=Status.COMPLETED)
_FITS = or_(RoleHolding.system_code.is_(None), RoleHolding.system_code == MunicipalTask.system_code)


def fulfil(work: Work, holding: RoleHolding) -> int:
    """Complete the municipality's open tasks that appoint the role just filled; how many. For ``holdings.fill``.

    A substitute fulfils nothing, and a holder to come does on the first day (``fulfil_due``).
    """
    over = holding.valid_to is not None and holding.valid_to < work.today
    if holding.kind != HOLDER or holding.valid_from > work.today or over:
        return 0
    tasks = work.session.scalars(
        _open_copies()
        .where(
            MunicipalTask.municipality_id == holding.municipality_id,
            Task.appoints_role == holding.role,
            or_(holding.system_code is None, MunicipalTask.system_code == holding.system_code),
        )
        .with_for_update(of=MunicipalTask)
    ).all()
    return _complete(work, [(task, holding) for task in tasks])


def is_due(work: Work) -> bool:
    """Whether there is anything for ``fulfil_due`` to do; only reads."""
    return bool(_due(work))


def fulfil_due(work: Work) -> int:
    """Complete what holders who have begun since the task was published fulfil; how many. For the daily scan."""
    return _complete(work, _due(work, lock=True))


def _due(work: Work, *, lock: bool = False) -> Sequence[tuple[MunicipalTask, RoleHolding]]:
    statement = (
        _open_copies()
        .join(
            RoleHolding,
            and_(
                RoleHolding.municipality_id == MunicipalTask.municipality_id,
                RoleHolding.role == Task.appoints_role,
                _FITS,
            ),
        )
        .where(RoleHolding.kind == HOLDER, holders.today(work))
        .add_columns(RoleHolding)
        .order_by(MunicipalTask.id, RoleHolding.valid_from, RoleHolding.id)
    )
    rows = work.session.execute(statement.with_for_update(of=MunicipalTask) if lock else statement).all()
    came_after = [(task, each) for task, each in rows if each.valid_from > danish_today(task.created_at)]
    if not came_after:
        return ()
    reopened = _reopened(work, {task.id for task, _each in came_after})
    at_work = _at_work(work, [each for _task, each in came_after])
    first: dict[int, tuple[MunicipalTask, RoleHolding]] = {}
    for task, each in came_after:
        if each.id in at_work and reopened.get(task.id, date.min) < each.valid_from:
            first.setdefault(task.id, (task, each))
    return list(first.values())


def _open_copies() -> Select[tuple[MunicipalTask]]:
    return (
        select(MunicipalTask)
        .join(Task, Task.id == MunicipalTask.task_id)
        .where(
            Task.appoints_role.is_not(None),
            MunicipalTask.status.in_(sorted(OPEN_STATUSES)),
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
        )
        .order_by(MunicipalTask.id)
    )


def _reopened(work: Work, tasks: Iterable[int]) -> dict[int, date]:
    """The day on which each was last opened again."""
    closed = [status.label for status in Status if status not in OPEN_STATUSES]
    rows = work.session.execute(
        select(TaskChange.municipal_task_id, TaskChange.at)
        .where(
            TaskChange.municipal_task_id.in_(sorted(tasks)),
            TaskChange.field == "status",
            TaskChange.old.in_(closed),
            TaskChange.new.in_([status.label for status in OPEN_STATUSES]),
        )
        .order_by(TaskChange.at)
    )
    return {task: danish_today(at) for task, at in rows}


def _at_work(work: Work, found: Sequence[RoleHolding]) -> set[int]:
    """Which of the holdings are held by somebody who has not left."""
    current = holders.of_roles(work, {each.municipality_id for each in found}, {each.role for each in found})
    there = {
        (code, role, each.system, each.person_id or each.address)
        for (code, role), held in current.items()
        for each in held
    }
    return {
        each.id
        for each in found
        if (each.municipality_id, each.role, each.system_code, each.person_id or each.mailbox) in there
    }


def _complete(work: Work, found: Sequence[tuple[MunicipalTask, RoleHolding]]) -> int:
    """Store and write down; the history says by which holding each was completed."""
    stored = [
        (changing.store(work, task, steps_of(work, task, _DONE)), f"{FILLED_ROLE}/{holding.id}")
        for task, holding in found
    ]
    work.session.flush()
    for via in dict.fromkeys(via for _changed, via in stored):
        changing.write_down(work, [changed for changed, its in stored if its == via], via)
    return len(stored)


@dataclass(frozen=True, slots=True)
class Appointment:
    """What the page of a task that appoints a role shows: the role, who holds it, and who can fill it.

    ``system``: its code, None for a role across the municipality. ``may_fill``: the actor can, here.
    ``fillable``: a role of systems on a task of none can only be filled in the gallery.
    """

    role: RoleDescription
    system: str | None
    system_name: str | None
    holders: Sequence[Holder]
    may_fill: bool
    fillable: bool
    is_open: bool
    administrators: Sequence[str]

    @property
    def words(self) -> str:
        """ "Systemansvarlig for Kommunernes Pensionssystem"."""
        return f"{self.role.name} for {self.system_name}" if self.system_name else self.role.name

    @property
    def names(self) -> str:
        """Who holds it."""
        return ", ".join(each.name for each in self.holders)


def appointment(work: Work, task: MunicipalTask) -> Appointment | None:
    """What a task the actor may see appoints; None for other tasks, and for who may not see people."""
    published = task.task
    slug = published.appoints_role if published else None
    actor = work.actor
    if slug is None or actor is None or not actor.has(Right.READ_ROLES):
        return None
    role = work.registry.content.role(slug)
    if role.is_retired:
        return None
    of_system = role.scope is RoleScope.SYSTEM
    system = work.session.get(System, task.system_code) if of_system and task.system_code else None
    own = actor.municipality_id == task.municipality_id
    current = holders.of_task(work, task.municipality_id, slug, task.system_code)
    return Appointment(
        role=role,
        system=system.code if system else None,
        system_name=system.name if system else None,
        holders=[each for each in current if not each.substitute],
        may_fill=own and actor.has(Right.EDIT_ROLES) and task.withdrawn_at is None,
        fillable=not of_system or (system is not None and role.is_for(system.code)),
        is_open=Status(task.status) in OPEN_STATUSES and task.withdrawn_at is None,
        administrators=administrators(work, task.municipality_id) if own else (),
    )


def administrators(work: Work, municipality_id: int) -> Sequence[str]:
    """The names of those who can fill a municipality's roles."""
    return work.session.scalars(
        select(Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.municipality_id == municipality_id,
            Membership.level == Level.ADMINISTRATOR.value,
            Membership.active.is_(True),
            Person.active.is_(True),
        )
        .order_by(Person.name_key, Person.id)
    ).all()
