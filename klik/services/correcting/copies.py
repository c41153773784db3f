"""The municipalities' copies of a task as a correction meets them, and what their municipalities set themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select

from klik.domain.status import OPEN_STATUSES, Status
from klik.models import Municipality, MunicipalTask, RoleHolding, Task, TaskChange
from klik.services.tasks.assigning import Assignee
from klik.services.tasks.history import CORRECTION
from klik.services.work import Work

_ROW = MunicipalTask.__table__.c


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingCopy:
    """A copy as it stands: what a correction may change on it, and what decides whether it may."""

    id: int
    municipality_id: int
    municipality: str
    system_code: str | None
    task_version_id: int
    status: str
    completed_on: date | None
    deadline: date | None
    yellow_from: date | None
    deadline_version: int
    deadline_is_own: bool
    for_information: bool
    responsible_id: int | None
    responsible_role: str | None
    executor_id: int | None
    executor_role: str | None
    version: int
    created_at: datetime
    changed_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether the municipality still works on it."""
        return Status(self.status) in OPEN_STATUSES

    def assignee(self, place: str) -> Assignee:
        """Who is ``responsible`` or ``executor``."""
        person = getattr(self, f"{place}_id")
        return Assignee(person, None if person else getattr(self, f"{place}_role"))


def standing(
    work: Work, task: Task, *, only: Collection[int] | None = None, lock: bool = False
) -> list[StandingCopy]:
    """Every copy in force, in the order of ids; ``lock`` holds them until the transaction ends. One statement."""
    names = [name for name in StandingCopy.__dataclass_fields__ if name != "municipality"]
    statement = (
        select(*(_ROW[name] for name in names), Municipality.name.label("municipality"))
        .join(Municipality, Municipality.id == _ROW.municipality_id)
        .where(_ROW.task_id == task.id, _ROW.withdrawn_at.is_(None), _ROW.erased_at.is_(None))
        .order_by(_ROW.id)
    )
    if only is not None:
        statement = statement.where(_ROW.id.in_(only))
    if lock:
        statement = statement.with_for_update(of=MunicipalTask.__table__)
    return [StandingCopy(**row._mapping) for row in work.session.execute(statement)]


def changed_by_hand(work: Work, task: Task) -> frozenset[tuple[int, str]]:
    """Which copies had responsible or executor changed by their municipality: (copy, field). One statement."""
    rows = work.session.execute(
        select(TaskChange.municipal_task_id, TaskChange.field)
        .join(MunicipalTask, MunicipalTask.id == TaskChange.municipal_task_id)
        .where(
            MunicipalTask.task_id == task.id,
            TaskChange.field.in_(("responsible", "executor")),
            TaskChange.via.not_like(f"{CORRECTION}/%"),
        )
        .distinct()
    )
    return frozenset((copy_id, field) for copy_id, field in rows)


def once_primary(work: Work, system: str | None, roles: Iterable[str]) -> frozenset[tuple[int, str, int]]:
    """Who has ever been the primary holder of these roles: (municipality, role, person). One statement."""
    rows = work.session.execute(
        select(RoleHolding.municipality_id, RoleHolding.role, RoleHolding.person_id).where(
            RoleHolding.role.in_(list(roles)),
            RoleHolding.is_primary.is_(True),
            RoleHolding.person_id.is_not(None),
            or_(RoleHolding.system_code == system, RoleHolding.system_code.is_(None)),
        )
    )
    return frozenset((code, role, person) for code, role, person in rows)
