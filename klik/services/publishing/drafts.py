"""Drafts of KLIK-opgaver: stored, changed, and read again; and the rows of a task in its first version."""

from __future__ import annotations

import re

from sqlalchemy import delete, select
from sqlalchemy.orm.attributes import flag_modified

from klik.domain.rights import Right
from klik.domain.tasknumbers import next_free
from klik.domain.texts import search_key
from klik.models import Project, Task, TaskLink, TaskVersion, TaskVersionField
from klik.services import access, auditing, idempotency
from klik.services.errors import ConflictError, NotFoundError, RefusedError
from klik.services.publishing.text import PARTS, Draft, check, tidied
from klik.services.work import Work

DRAFT = "kladde"
_RESULT = re.compile(r"/udgivelser/([0-9]+)")


def save_draft(work: Work, draft: Draft, key: str | None = None) -> int:
    """Store a draft that nobody but KOMBIT sees and return its task's id; it holds its number from now on."""
    require_publisher(work)
    project = locked_project(work, draft.project)
    if earlier := idempotency.earlier_result(work.session, key):
        return task_of(earlier)
    problems = check(work, draft)
    if project is None or problems:
        raise RefusedError(problems)
    task, _version = write_task(work, tidied(draft), project, None)
    auditing.record(work, "save-draft", f"task/{task.id}")
    idempotency.remember(work, key, "save-draft", f"/udgivelser/{task.id}")
    return task.id


def change_draft(work: Work, task_id: int, draft: Draft, version: int) -> None:
    """Store a draft anew; raises ConflictError when somebody stored it since ``version``, RefusedError when wrong.

    The words of a draft are replaced: versions begin when it is published.
    """
    require_publisher(work)
    task = _draft_task(work, task_id)
    if task.version != version:
        raise ConflictError(task.version, ())
    project = locked_project(work, draft.project)
    problems = check(work, draft, task_id)
    if project is None or problems:
        raise RefusedError(problems)
    write_task(work, tidied(draft), project, task_id)
    auditing.record(work, "change-draft", f"task/{task.id}")


def draft_of(work: Work, task_id: int) -> Draft:
    """A stored task's words as a draft: to go on with, or to start a new one from."""
    task = work.session.get(Task, task_id)
    if task is None:
        raise NotFoundError
    version = current_version(work, task)
    needed = select(Task.task_number).join(TaskLink, TaskLink.needs_task_id == Task.id)
    return Draft(
        project=task.project.slug,
        title=version.title,
        phase=version.phase,
        theme=version.theme,
        number=task.task_number,
        responsible_role=version.responsible_role,
        executor_role=version.executor_role,
        priority=version.priority,
        infrastructure=version.infrastructure,
        start=version.start_date,
        deadline_rule=version.deadline_rule,
        deadline_parameter=version.deadline_parameter,
        working_day=version.working_day,
        appoints_role=task.appoints_role,
        fields={field.field: field.value for field in version.fields},
        template=task.template,
        needs=tuple(
            work.session.scalars(needed.where(TaskLink.task_id == task.id).order_by(Task.task_number))
        ),
        **{part: getattr(version, part) for part in PARTS},
    )


def current_version(work: Work, task: Task) -> TaskVersion:
    """The version of a task that holds now."""
    found = work.session.scalar(
        select(TaskVersion).where(TaskVersion.task_id == task.id, TaskVersion.number == task.current_number)
    )
    if found is None:
        raise NotFoundError
    return found


def proposed_number(work: Work, draft: Draft) -> str:
    """The number a draft without one would get now; empty where project or theme is unknown."""
    prefix = work.registry.content.theme(draft.theme).prefix
    taken = work.session.scalars(
        select(Task.task_number)
        .join(Project, Project.id == Task.project_id)
        .where(Project.slug == draft.project)
    )
    return str(next_free(prefix, taken)) if prefix else ""


def require_publisher(work: Work) -> None:
    if work.actor is not None:
        access.require(work, Right.PUBLISH)


def actor_id(work: Work) -> int | None:
    return work.actor.person_id if work.actor else None


def locked_project(work: Work, slug: str) -> Project | None:
    """The project, held until the end: two publishers at once must not both take its next number."""
    return work.session.scalar(select(Project).where(Project.slug == slug).with_for_update())


def task_of(result: str) -> int:
    found = _RESULT.fullmatch(result)
    if not found:
        raise RefusedError({"": "Formularen er brugt til noget andet. Åbn siden igen."})
    return int(found[1])


def _draft_task(work: Work, task_id: int) -> Task:
    task = work.session.get(Task, task_id, populate_existing=True)
    if task is None:
        raise NotFoundError
    if task.state != DRAFT:
        raise RefusedError({"": f"Opgaven {task.task_number} er allerede udgivet."})
    return task


def write_task(work: Work, draft: Draft, project: Project, task_id: int | None) -> tuple[Task, TaskVersion]:
    """The rows of the task in its first version, as a draft; a stored draft's rows are filled anew."""
    session = work.session
    if task_id is None:
        task = Task(state=DRAFT, current_number=1, created_by=actor_id(work), created_at=work.now)
        version = TaskVersion(task=task, number=1, created_by=actor_id(work), created_at=work.now)
    else:
        task = _draft_task(work, task_id)
        version = current_version(work, task)
        session.execute(delete(TaskLink).where(TaskLink.task_id == task.id))
        flag_modified(task, "state")  # its version rises although only the words change
    same_project = task.project_id == project.id
    task.project_id = project.id
    kept = task.task_number if task_id is not None and same_project else None
    task.task_number = draft.number or _kept_number(work, kept, draft) or proposed_number(work, draft)
    task.template = draft.template
    task.appoints_role = draft.appoints_role
    fill(version, draft, task.task_number)
    session.add(task)
    session.flush()
    _replace_fields(version, draft)
    needed = session.scalars(
        select(Task.id).where(Task.project_id == project.id, Task.task_number.in_(draft.needs))
    )
    session.add_all([TaskLink(task_id=task.id, needs_task_id=needs) for needs in needed])
    session.flush()
    return task, version


_SAME_NAME = (
    "title",
    "phase",
    "theme",
    "priority",
    "infrastructure",
    "responsible_role",
    "executor_role",
    "deadline_rule",
    "deadline_parameter",
    "working_day",
    *PARTS,
)


def fill(version: TaskVersion, draft: Draft, number: str) -> None:
    """Set a version's words from a tidied draft; ``number`` is the task's, and can be searched for."""
    for name in _SAME_NAME:
        setattr(version, name, getattr(draft, name))
    version.start_date = draft.start
    version.search_key = search_key(
        " ".join([number, draft.title, *(getattr(draft, part) for part in PARTS)])
    )


def _kept_number(work: Work, number: str | None, draft: Draft) -> str | None:
    prefix = work.registry.content.theme(draft.theme).prefix
    return number if number and number.split(" ")[0] == prefix else None


def _replace_fields(version: TaskVersion, draft: Draft) -> None:
    there = {field.field: field for field in version.fields}
    for key, value in draft.fields.items():
        if key in there:
            there[key].value = value
        else:
            version.fields.append(TaskVersionField(field=key, value=value))
    for key, field in there.items():
        if key not in draft.fields:
            version.fields.remove(field)
