"""A large release: a new round of a project, in which its phases 1–3 are opened again (seed 003)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select

from klik.domain.errors import InputError
from klik.domain.life import State
from klik.models import Project, Round, Task, TaskVersion
from klik.services import auditing, free_text, idempotency
from klik.services.errors import ConflictError, Difference, NotFoundError, RefusedError
from klik.services.publishing.drafts import actor_id, locked_project, require_publisher, save_draft
from klik.services.publishing.text import Draft
from klik.services.work import Work

NAME_LIMIT = 100
OPENED = "runde"
SYSTEM_OWNER = "systemansvarlig"
PREPARING = "forberedelse"


@dataclass(frozen=True, slots=True)
class ProjectRound:
    """A project of a system: which round it is in, and whether a task appoints its systemansvarlig in this round."""

    id: int
    slug: str
    name: str
    version: int
    round: int
    round_name: str | None
    appoints: bool


def projects_of(work: Work, system: str) -> Sequence[ProjectRound]:
    """The system's active projects; one statement."""
    appointing = (
        select(Task.id)
        .join(TaskVersion, and_(TaskVersion.task_id == Task.id, TaskVersion.number == Task.current_number))
        .where(
            Task.project_id == Project.id,
            Task.state != State.WITHDRAWN.value,
            # A draft has no round yet; it is published in the one that is open then.
            or_(Task.published_at.is_(None), Task.round == Project.round),
            TaskVersion.phase == PREPARING,
            or_(
                Task.appoints_role == SYSTEM_OWNER,
                func.lower(TaskVersion.title).like("udpeg systemansvarlig%"),
            ),
        )
        .correlate(Project)
        .exists()
    )
    rows = work.session.execute(
        select(Project, Round.name, appointing)
        .outerjoin(Round, and_(Round.project_id == Project.id, Round.number == Project.round))
        .where(Project.system_code == system, Project.active.is_(True))
        .order_by(Project.name)
    )
    return [
        ProjectRound(project.id, project.slug, project.name, project.version, project.round, name, bool(has))
        for project, name, has in rows
    ]


def open_round(work: Work, project: str, name: str, version: int, key: str | None = None) -> int:
    """Open the project's next round and give its number; tasks and numbers of earlier rounds stay as they are.

    Raises RefusedError (key name), NotFoundError, and ConflictError when the project was changed since ``version``.
    """
    require_publisher(work)
    row = locked_project(work, project)
    if row is None or row.system_code is None or not row.active:
        raise NotFoundError
    work.session.refresh(row)
    if idempotency.earlier_result(work.session, key) is not None:
        return row.round
    name = _name(name)
    if row.version != version:
        raise ConflictError(row.version, (Difference("Runde", str(row.round), str(row.round)),))
    row.round += 1
    work.session.add(
        Round(project_id=row.id, number=row.round, name=name, opened_at=work.now, opened_by=actor_id(work))
    )
    work.session.flush()
    auditing.record(work, "aabn-runde", f"projekt/{row.id}", {"runde": row.round})
    idempotency.remember(work, key, OPENED, f"/boelger/{row.system_code}")
    return row.round


def _name(typed: str) -> str:
    try:
        return free_text.clean(typed, field="Rundens navn", limit=NAME_LIMIT, required=True, tick=False)
    except InputError as error:
        raise RefusedError({"name": str(error)}) from error


def draft_appointing(work: Work, project: str, key: str | None = None) -> int:
    """Store the draft "Udpeg systemansvarlig" from the plug-in's template or klik's own; gives the task's id."""
    require_publisher(work)
    row = work.session.scalar(select(Project).where(Project.slug == project, Project.active.is_(True)))
    if row is None or row.system_code is None:
        raise NotFoundError
    return save_draft(work, appointing_draft(work, row), key)


def appointing_draft(work: Work, project: Project) -> Draft:
    """The task at the end of phase 2 that names who takes over after the project (seed 003)."""
    for template in work.registry.task_types.values():
        same = template.appoints_role == SYSTEM_OWNER
        if template.system == project.system_code and template.phase == PREPARING and same:
            return Draft.from_template(template, project.slug)
    return Draft(
        project=project.slug,
        title="Udpeg systemansvarlig",
        phase=PREPARING,
        theme="projektstyring-og-ledelse",
        purpose="Når idriftsættelsen slutter, er det den systemansvarlige, KOMBIT og leverandøren taler med.",
        description=(
            f"Udpeg den systemansvarlige for {project.name}, og skriv vedkommende i rollegalleriet som primær. "
            "Når fase 1–3 er færdig, foreslår klik, at den systemansvarlige bliver plusbruger for systemet."
        ),
        result="Den systemansvarlige står som primær i rollegalleriet.",
        responsible_role="projektejer",
        executor_role="projektleder",
        deadline_rule="core.days-before-go-live",
        deadline_parameter="30",
        working_day="foer",
        appoints_role=SYSTEM_OWNER,
    )
