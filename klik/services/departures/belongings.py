"""What somebody has in one municipality that others must take over when they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, or_, select

from klik.domain.deadlines import Colour, colour
from klik.domain.status import Status
from klik.models import FilterUse, Membership, MunicipalTask, Project, RoleHolding, SavedFilter
from klik.services.holders import HOLDER
from klik.services.overview import IN_FORCE, is_open
from klik.services.saved_filters import NEVER, OWN, WITH_ALL, WITH_MUNICIPALITY
from klik.services.work import Work

TASKS, FILTERS = "opgaver", "filtre"


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is handed over. ``uses`` are mails and stars of shared filters, ``systems`` those somebody follows.

    Private filters are not among it: they stay with the person, whom nobody can follow.
    """

    municipality_id: int | None
    holdings: Sequence[RoleHolding]
    tasks: Sequence[MunicipalTask]
    projects: Sequence[Project]
    filters: Sequence[SavedFilter]
    uses: Sequence[FilterUse]
    systems: tuple[str, ...]


def of(work: Work, member: Membership, last_day: date, *, lock: bool = False) -> Belongings:
    """What the member has in the membership's municipality; five statements, ``lock`` keeps the tasks."""
    code, person = member.municipality_id, member.person_id
    holdings = work.session.scalars(
        select(RoleHolding)
        .where(
            RoleHolding.municipality_id == code,
            RoleHolding.person_id == person,
            or_(RoleHolding.valid_to.is_(None), RoleHolding.valid_to > last_day),
        )
        .order_by(RoleHolding.kind, RoleHolding.role, RoleHolding.system_code, RoleHolding.id)
    ).all()
    wanted = (
        select(MunicipalTask)
        .where(
            MunicipalTask.municipality_id == code,
            or_(MunicipalTask.responsible_id == person, MunicipalTask.executor_id == person),
            MunicipalTask.erased_at.is_(None),
            is_open(),
            IN_FORCE,
        )
        .order_by(MunicipalTask.id)
    )
    if lock:
        wanted = wanted.with_for_update(of=MunicipalTask).execution_options(populate_existing=True)
    tasks = work.session.scalars(wanted).all()
    projects = work.session.scalars(
        select(Project).where(Project.id.in_({task.project_id for task in tasks})).order_by(Project.name)
    ).all()
    shared_here = and_(SavedFilter.shared == WITH_MUNICIPALITY, SavedFilter.municipality_id == code)
    filters = work.session.scalars(
        select(SavedFilter).where(SavedFilter.person_id == person, shared_here).order_by(SavedFilter.id)
    ).all()
    uses = work.session.scalars(
        select(FilterUse)
        .join(SavedFilter, SavedFilter.id == FilterUse.saved_filter_id)
        .where(
            FilterUse.person_id == person,
            or_(shared_here, SavedFilter.shared == WITH_ALL),
            SavedFilter.shared != OWN,
            or_(
                and_(FilterUse.subscription != NEVER, FilterUse.membership_id == member.id),
                and_(FilterUse.pinned, shared_here),
            ),
        )
        .order_by(FilterUse.saved_filter_id)
    ).all()
    systems = tuple(sorted(link.system_code for link in member.systems))
    return Belongings(code, holdings, tasks, projects, filters, uses, systems)


def role_key(holding: RoleHolding) -> str:
    """What an heir of this role is written down under: "rolle/systemansvarlig/ky"; "-" stands for across systems."""
    kind = "rolle" if holding.kind == HOLDER else holding.kind
    return f"{kind}/{holding.role}/{holding.system_code or '-'}"


def shade(task: MunicipalTask, today: date) -> Colour | None:
    """The task's colour on the day; None without a deadline."""
    return colour(Status(task.status), task.deadline, task.yellow_from, today)
