"""Drafts of KLIK-opgaver: stored, changed, and read again; and the rows of a task in its first version."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import fields

from sqlalchemy import delete, select
from sqlalchemy.orm.attributes import flag_modified

from klik.domain.calendar import short_date
from klik.domain.life import Act, State
from klik.domain.rights import Right
from klik.domain.tasknumbers import next_free
from klik.domain.texts import search_key
from klik.models import Project, Task, TaskLink, TaskVersion, TaskVersionField
from klik.services import access, auditing, idempotency
from klik.services.errors import ConflictError, Difference, NotFoundError, RefusedError
from klik.services.publishing import steps
from klik.services.publishing.audience import RecipientChoice
from klik.services.publishing.text import PARTS, PRIORITY_LABELS, ROLES, Draft, check, tidied
from klik.services.work import Work

DRAFT = State.DRAFT.value
RECIPIENTS_LIMIT = 4000
_RESULT = re.compile(r"/udgivelser/([0-9]+)")


def save_draft(
    work: Work,
    draft: Draft,
    key: str | None = None,
    choice: RecipientChoice | None = None,
    appoint: Collection[str] | None = None,
) -> int:
    """Store a draft that nobody but KOMBIT sees and return its task's id; it holds its number from now on.

    ``choice`` is whom it is meant for, and ``appoint`` the vacant roles ticked for it, kept with it.
    """
    require_publisher(work)
    project = locked_project(work, draft.project)
    if earlier := idempotency.earlier_result(work.session, key):
        return task_of(earlier)
    problems = check(work, draft)
    if project is None or problems:
        raise RefusedError(problems)
    task, _version = write_task(work, tidied(draft), project, None, choice, appoint)
    auditing.record(work, "save-draft", f"task/{task.id}")
    idempotency.remember(work, key, "save-draft", f"/udgivelser/{task.id}")
    return task.id


def change_draft(
    work: Work,
    task_id: int,
    draft: Draft,
    version: int,
    choice: RecipientChoice | None = None,
    appoint: Collection[str] | None = None,
) -> None:
    """Store a draft anew; raises ConflictError when somebody stored it since ``version``, RefusedError when wrong.

    The words of a draft are replaced: versions begin when it is published. So are those of a task that is
    announced or planned.
    """
    require_publisher(work)
    project = locked_project(work, draft.project)
    task = steps.held(work, task_id)
    steps.check(work, task, Act.CHANGE)
    problems = check(work, draft, task_id)
    if task.version != version:
        mine = draft if problems else tidied(draft)
        theirs = draft_of(work, task_id)
        raise ConflictError(task.version, differences(work, mine, theirs), steps.last_person(work, task))
    if project is None or problems:
        raise RefusedError(problems)
    if differences(work, tidied(draft), draft_of(work, task_id)):
        steps.check_words(work, task)
    write_task(work, tidied(draft), project, task_id, choice, appoint)
    steps.take(work, task, Act.CHANGE)
    auditing.record(work, "change-draft", f"task/{task.id}")


_LABELS = {
    "project": "Projekt",
    "title": "Titel",
    "phase": "Fase",
    "theme": "Tema",
    "number": "Nummer",
    "priority": "Prioritet",
    "infrastructure": "STS/Infrastruktur",
    "start": "Startdato",
    "deadline_rule": "Fristregel",
    "deadline_parameter": "Dato eller antal",
    "working_day": "Arbejdsdag",
    "fields": "Systemets felter",
    "needs": "Forudsætter",
    **ROLES,
    **PARTS,
}


def differences(work: Work, mine: Draft, theirs: Draft) -> tuple[Difference, ...]:
    """Each field in which two drafts of one task differ, in shown words; a number left open is no difference."""
    return tuple(
        Difference(_LABELS[field.name], _shown(work, field.name, mine), _shown(work, field.name, theirs))
        for field in fields(Draft)
        if field.name in _LABELS
        and getattr(mine, field.name) != getattr(theirs, field.name)
        and not (field.name == "number" and not mine.number)
    )


def _shown(work: Work, name: str, draft: Draft) -> str:
    value, content = getattr(draft, name), work.registry.content
    if value is None or value == "":
        return "Ingen"
    if name in ROLES:
        return content.role(value).name
    if name == "phase":
        return content.phase(value).name
    if name == "theme":
        return content.theme(value).name
    if name == "priority":
        return PRIORITY_LABELS.get(value, value)
    if name == "infrastructure":
        return "Ja" if value else "Nej"
    if name == "start":
        return short_date(value)
    if name == "deadline_rule":
        rule = work.registry.deadline_rules.get(value)
        return rule.label if rule else value
    if name == "fields":
        return ", ".join(f"{key}: {each}" for key, each in sorted(value.items())) or "Ingen"
    return ", ".join(value) or "Ingen" if name == "needs" else str(value)


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
        raise idempotency.used_otherwise()
    return int(found[1])


def choice_of(task: Task) -> RecipientChoice | None:
    """Whom a stored task is for, as it was chosen; None where nothing was, or it can no longer be read."""
    if not task.recipients:
        return None
    try:
        return RecipientChoice.parse(task.recipients)
    except RefusedError:
        return None


def remembered(choice: RecipientChoice | None) -> str | None:
    """The choice as it is stored with the task; None where it names nobody yet. Raises RefusedError."""
    words = choice.words() if choice else ""
    if not words:
        return None
    if len(words) > RECIPIENTS_LIMIT:
        raise RefusedError({"recipients": f"Modtagere må højst fylde {RECIPIENTS_LIMIT} tegn."})
    RecipientChoice.parse(words)
    return words


def write_task(
    work: Work,
    draft: Draft,
    project: Project,
    task_id: int | None,
    choice: RecipientChoice | None = None,
    appoint: Collection[str] | None = None,
) -> tuple[Task, TaskVersion]:
    """The rows of the task in its first version, as a draft; a stored task's rows are filled anew.

    Without ``choice`` a stored task keeps whom it is for, without ``appoint`` the roles ticked for it.
    """
    session = work.session
    if task_id is None:
        task = Task(state=DRAFT, current_number=1, created_by=actor_id(work), created_at=work.now)
        version = TaskVersion(task=task, number=1, created_by=actor_id(work), created_at=work.now)
    else:
        task = steps.held(work, task_id)
        version = current_version(work, task)
        flag_modified(task, "state")  # its version rises although only the words change
    same_project = task.project_id == project.id
    task.project_id = project.id
    kept = task.task_number if task_id is not None and same_project else None
    task.task_number = draft.number or _kept_number(work, kept, draft) or proposed_number(work, draft)
    task.template = draft.template
    task.appoints_role = draft.appoints_role
    task.recipients = remembered(choice) if choice else task.recipients
    steps.keep_roles(work, task, appoint)
    fill(version, draft, task.task_number)
    session.add(task)
    session.flush()
    _replace_fields(version, draft)
    set_links(work, task, draft)
    return task, version


def set_links(work: Work, task: Task, draft: Draft) -> None:
    """Let the task need exactly what the tidied draft names in its project."""
    needed = work.session.scalars(
        select(Task.id)
        .where(Task.project_id == task.project_id, Task.task_number.in_(draft.needs))
        .order_by(Task.id)
    ).all()
    work.session.execute(delete(TaskLink).where(TaskLink.task_id == task.id))
    work.session.add_all([TaskLink(task_id=task.id, needs_task_id=needs) for needs in needed])
    work.session.flush()


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
