"""A municipality's own tasks: they live beside KOMBIT's, and KOMBIT never sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from klik.domain import free_text, texts
from klik.domain.calendar import long_date
from klik.domain.rights import Right
from klik.domain.status import Status
from klik.models import MunicipalTask, Project, TaskChange
from klik.services import access, auditing, deadlines
from klik.services.errors import RefusedError
from klik.services.notices.assigned import tell_assigned
from klik.services.tasks import assigning, checklist, read_marks
from klik.services.tasks.assigning import NOBODY, Assignee
from klik.services.tasks.steps import checked_local_value
from klik.services.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTask:
    """What a new local task is made of; phase, theme and priority are slugs, the text is Markdown.

    ``checklist`` are its first lines.
    """

    title: str
    project_id: int
    phase: str
    theme: str
    priority: str = "normal"
    text: str = ""
    start_date: date | None = None
    deadline: date | None = None
    responsible: Assignee = NOBODY
    checklist: tuple[str, ...] = ()


def projects(work: Work) -> tuple[Project, ...]:
    """The projects a local task can belong to: those still running."""
    return tuple(
        work.session.scalars(
            select(Project).where(Project.active.is_(True)).order_by(Project.name, Project.id)
        )
    )


def create(work: Work, wanted: LocalTask) -> MunicipalTask:
    """Make a local task in the actor's municipality; raises RefusedError naming every wrong field."""
    actor = access.require(work, Right.CREATE_LOCAL_TASK)
    assert actor.municipality_id is not None
    values, problems = _checked(work, wanted)
    project = next((each for each in projects(work) if each.id == wanted.project_id), None)
    if project is None:
        problems["project_id"] = "Projekt: vælg et projekt på listen."
    if problems or project is None:
        raise RefusedError(problems)
    task = MunicipalTask(
        municipality_id=actor.municipality_id,
        project_id=project.id,
        system_code=project.system_code,
        task_number=None,
        title=values["title"],
        title_key=texts.sort_key(values["title"]),
        search_key=texts.search_key(f"{values['title']} {values['local_text']}"),
        local_text=values["local_text"],
        phase=wanted.phase,
        theme=wanted.theme,
        priority=wanted.priority,
        status=Status.NOT_STARTED.value,
        start_date=wanted.start_date,
        deadline=wanted.deadline,
        yellow_from=_yellow_from(work, wanted),
        deadline_is_own=True,
        created_at=work.now,
        changed_at=work.now,
    )
    assigning.check(work, task, "responsible", wanted.responsible, NOBODY)
    task.responsible_id, task.responsible_role = wanted.responsible.person_id, wanted.responsible.role
    work.session.add(task)
    work.session.flush()
    work.session.add(
        TaskChange(
            municipality_id=task.municipality_id,
            municipal_task_id=task.id,
            at=work.now,
            person_id=actor.person_id,
            field="created",
            new=task.title,
        )
    )
    auditing.record(work, "opret-lokal-opgave", f"kommuneopgave/{task.id}", {}, task.municipality_id)
    for line in wanted.checklist:
        checklist.add(work, task.id, line, not_cpr=free_text.is_confirmed(line))
    tell_assigned(work, [(task, {"responsible": NOBODY})])
    read_marks.mark(work, task)
    return task


def _checked(work: Work, wanted: LocalTask) -> tuple[dict[str, str], dict[str, str]]:
    given = {
        "title": wanted.title,
        "local_text": wanted.text,
        "phase": wanted.phase,
        "theme": wanted.theme,
        "priority": wanted.priority,
    }
    values: dict[str, str] = {}
    problems: dict[str, str] = {}
    for name, value in given.items():
        try:
            values[name] = checked_local_value(work, name, value)
        except RefusedError as error:
            problems |= error.problems
    try:
        checklist.check_lines(wanted.checklist)
    except RefusedError as error:
        problems |= error.problems
    if wanted.start_date and wanted.deadline and wanted.deadline < wanted.start_date:
        problems["deadline"] = (
            f"Deadline ({long_date(wanted.deadline)}) må ikke ligge før startdatoen "
            f"({long_date(wanted.start_date)})."
        )
    return values, problems


def _yellow_from(work: Work, wanted: LocalTask) -> date | None:
    if wanted.deadline is None:
        return None
    return deadlines.yellow_from_for(work.registry, "", wanted.start_date, wanted.deadline)
