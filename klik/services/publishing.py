"""Publishing a KLIK-opgave: the task, every municipality's copy, the notices and the audit row, or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm.attributes import flag_modified

from klik.domain.calendar import long_date
from klik.domain.rights import Right
from klik.domain.status import Status
from klik.domain.tasknumbers import next_free
from klik.domain.texts import search_key, sort_key
from klik.models import (
    MunicipalTask,
    MunicipalTaskField,
    Notice,
    Project,
    RequestKey,
    Task,
    TaskLink,
    TaskVersion,
    TaskVersionField,
)
from klik.plugins.views import MunicipalityView, PublishedView, TaskView
from klik.services import access, auditing, events, idempotency, ledger, views
from klik.services import recipients as notice_recipients
from klik.services.deadlines import deadlines_for, yellow_from_days
from klik.services.errors import ConflictError, NotFoundError, RefusedError
from klik.services.ledger import NoticeDraft
from klik.services.publishing_holders import Holders, holders_of
from klik.services.publishing_recipients import RecipientChoice, recipients
from klik.services.publishing_text import PARTS, Draft, check, tidied
from klik.services.work import Work

OCCASION = "udgivet"
DRAFT, PUBLISHED = "kladde", "udgivet"
ACTION = "publish"
_RESULT = re.compile(r"/udgivelser/([0-9]+)")


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication came to; ``notices`` counts ledger rows."""

    task_id: int
    municipalities: int
    notices: int


def publish(
    work: Work, draft: Draft, codes: Sequence[int], key: str | None = None, *, task_id: int | None = None
) -> Published:
    """Publish to these municipalities, in the caller's transaction and in a fixed number of statements.

    ``key`` makes a second press return the first result. ``task_id`` publishes a stored draft. Raises
    RefusedError with every problem of the draft.
    """
    _require(work)
    project = _locked_project(work, draft.project)
    if earlier := _earlier(work, key):
        return earlier
    problems = check(work, draft, task_id)
    if not codes:
        problems["recipients"] = "Modtagere: vælg mindst én kommune."
    if project is None or problems:
        raise RefusedError(problems)
    task, version = _written(work, tidied(draft), project, task_id)
    task.state = PUBLISHED
    task.published_at = work.now
    task.published_by = _me(work)
    work.session.flush()
    view = views.task_view(task, version, project, work.today)
    municipalities = views.municipality_views(work, codes, project.system_code)
    task.recipient_count = len(municipalities)
    copies = _copied(work, task, version, project, _deadlines(work, version, view, municipalities))
    told = ledger.enqueue(work, _notices(work, task, version, project, copies))
    auditing.record(
        work, "publish", f"task/{task.id}", {"municipalities": len(copies), "notices": told, "version": 1}
    )
    events.note(
        work,
        events.PUBLISHED,
        PublishedView(task=view, municipalities=tuple(copy.code for copy in copies), at=work.now),
    )
    idempotency.remember(work, key, ACTION, f"/udgivelser/{task.id}")
    work.session.flush()
    return Published(task.id, len(copies), told)


def save_draft(work: Work, draft: Draft, key: str | None = None) -> int:
    """Store a draft that nobody but KOMBIT sees and return its task's id; it holds its number from now on."""
    _require(work)
    project = _locked_project(work, draft.project)
    if earlier := idempotency.earlier_result(work.session, key):
        return _task_of(earlier)
    problems = check(work, draft)
    if project is None or problems:
        raise RefusedError(problems)
    task, _version = _written(work, tidied(draft), project, None)
    auditing.record(work, "save-draft", f"task/{task.id}")
    idempotency.remember(work, key, "save-draft", f"/udgivelser/{task.id}")
    return task.id


def change_draft(work: Work, task_id: int, draft: Draft, version: int) -> None:
    """Store a draft anew; raises ConflictError when somebody stored it since ``version``, RefusedError when wrong.

    The words of a draft are replaced: versions begin when it is published.
    """
    _require(work)
    task = _draft_task(work, task_id)
    if task.version != version:
        raise ConflictError(task.version, ())
    project = _locked_project(work, draft.project)
    problems = check(work, draft, task_id)
    if project is None or problems:
        raise RefusedError(problems)
    _written(work, tidied(draft), project, task_id)
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


def _require(work: Work) -> None:
    if work.actor is not None:
        access.require(work, Right.PUBLISH)


def _me(work: Work) -> int | None:
    return work.actor.person_id if work.actor else None


def _locked_project(work: Work, slug: str) -> Project | None:
    """The project, held until the end: two publishers at once must not both take its next number."""
    return work.session.scalar(select(Project).where(Project.slug == slug).with_for_update())


def _task_of(result: str) -> int:
    found = _RESULT.fullmatch(result)
    if not found:
        raise RefusedError({"": "Formularen er brugt til noget andet. Åbn siden igen."})
    return int(found[1])


def _earlier(work: Work, key: str | None) -> Published | None:
    result = idempotency.earlier_result(work.session, key)
    if result is None:
        return None
    if work.session.scalar(select(RequestKey.action).where(RequestKey.key == key)) != ACTION:
        raise RefusedError({"": "Formularen er brugt til noget andet. Åbn siden igen."})
    task_id = _task_of(result)
    told = select(func.count(Notice.id)).where(Notice.task_id == task_id, Notice.occasion == OCCASION)
    copies = select(Task.recipient_count).where(Task.id == task_id)
    return Published(task_id, work.session.scalar(copies) or 0, work.session.scalar(told) or 0)


def _draft_task(work: Work, task_id: int) -> Task:
    task = work.session.get(Task, task_id)
    if task is None:
        raise NotFoundError
    if task.state != DRAFT:
        raise RefusedError({"": f"Opgaven {task.task_number} er allerede udgivet."})
    return task


def _written(work: Work, draft: Draft, project: Project, task_id: int | None) -> tuple[Task, TaskVersion]:
    """The rows of the task in its first version, as a draft; a stored draft's rows are filled anew."""
    session = work.session
    if task_id is None:
        task = Task(state=DRAFT, current_number=1, created_by=_me(work), created_at=work.now)
        version = TaskVersion(task=task, number=1, created_by=_me(work), created_at=work.now)
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
    for name in (
        "title",
        "phase",
        "theme",
        "priority",
        "infrastructure",
        "responsible_role",
        "executor_role",
    ):
        setattr(version, name, getattr(draft, name))
    for part in PARTS:
        setattr(version, part, getattr(draft, part))
    version.start_date = draft.start
    version.deadline_rule = draft.deadline_rule
    version.deadline_parameter = draft.deadline_parameter
    version.search_key = search_key(
        " ".join([task.task_number, draft.title, *(getattr(draft, part) for part in PARTS)])
    )
    session.add(task)
    session.flush()
    _replace_fields(version, draft)
    needed = session.scalars(
        select(Task.id).where(Task.project_id == project.id, Task.task_number.in_(draft.needs))
    )
    session.add_all([TaskLink(task_id=task.id, needs_task_id=needs) for needs in needed])
    session.flush()
    return task, version


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


@dataclass(frozen=True, slots=True)
class _Dates:
    code: int
    deadline: date | None
    yellow_from: date | None


@dataclass(frozen=True, slots=True)
class _Copy:
    id: int
    code: int
    deadline: date | None


def _deadlines(
    work: Work, version: TaskVersion, view: TaskView, municipalities: Sequence[MunicipalityView]
) -> list[_Dates]:
    rule = version.deadline_rule
    days = deadlines_for(work.registry, rule, version.deadline_parameter, view, municipalities)
    yellow = yellow_from_days(
        work.registry, rule, version.start_date, (day for day in days.values() if day is not None)
    )
    return [_Dates(code, day, yellow[day] if day else None) for code, day in days.items()]


def _copied(
    work: Work, task: Task, version: TaskVersion, project: Project, dates: Sequence[_Dates]
) -> list[_Copy]:
    """One copy for each municipality and its plug-in fields: one insert for each table, however many."""
    holders = holders_of(
        work,
        [day.code for day in dates],
        project.system_code,
        {version.responsible_role, version.executor_role} - {None},
    )
    shared = _shared(work, task, version, project)
    rows = [shared | _own(version, holders, day) for day in dates]
    table = MunicipalTask.__table__
    inserted = work.session.execute(
        insert(table).returning(table.c.id, table.c.municipality_id),  # type: ignore[arg-type]
        rows,
    )
    deadlines: Mapping[int, date | None] = {day.code: day.deadline for day in dates}
    copies = [_Copy(copy_id, code, deadlines[code]) for copy_id, code in inserted]
    work.session.execute(
        insert(MunicipalTaskField.__table__).from_select(  # type: ignore[arg-type]
            ["municipal_task_id", "municipality_id", "field", "value"],
            select(table.c.id, table.c.municipality_id, TaskVersionField.field, TaskVersionField.value)
            .join(TaskVersionField, TaskVersionField.task_version_id == table.c.task_version_id)
            .where(table.c.task_id == task.id),
        )
    )
    return copies


def _shared(work: Work, task: Task, version: TaskVersion, project: Project) -> dict[str, object]:
    return {
        "task_id": task.id,
        "task_version_id": version.id,
        "project_id": project.id,
        "system_code": project.system_code,
        "task_number": task.task_number,
        "number_key": sort_key(task.task_number),
        "title": version.title,
        "title_key": sort_key(version.title),
        "search_key": search_key(f"{task.task_number} {version.title}"),
        "phase": version.phase,
        "theme": version.theme,
        "priority": version.priority,
        "infrastructure": version.infrastructure,
        "status": Status.NOT_STARTED.value,
        "start_date": version.start_date,
        "created_at": work.now,
        "changed_at": work.now,
    }


def _own(version: TaskVersion, holders: Holders, dates: _Dates) -> dict[str, object]:
    own: dict[str, object] = {
        "municipality_id": dates.code,
        "deadline": dates.deadline,
        "yellow_from": dates.yellow_from,
    }
    for place, role in (("responsible", version.responsible_role), ("executor", version.executor_role)):
        person = holders.person(dates.code, role) if role else None
        own[f"{place}_id"] = person
        own[f"{place}_role"] = None if person else role
    return own


def _notices(
    work: Work, task: Task, version: TaskVersion, project: Project, copies: Sequence[_Copy]
) -> list[NoticeDraft]:
    told = notice_recipients.of_municipalities(work, [copy.code for copy in copies], project.system_code)
    name = f"{task.task_number} {version.title}"
    return [
        NoticeDraft(
            occasion=OCCASION,
            # A person in two municipalities hears of both copies, so the key holds the municipality.
            dedupe_key=f"{OCCASION}/task={task.id}/kommune={copy.code}",
            recipient=recipient,
            heading=f"Ny opgave: {name}",
            sentence=f"KOMBIT har udgivet opgaven “{name}” i {project.name}. {_deadline_words(copy.deadline)}",
            path=f"/opgaver/{copy.id}",
            municipal_task_id=copy.id,
            task_id=task.id,
            about_day=copy.deadline,
        )
        for copy in copies
        for recipient in told[copy.code]
    ]


def _deadline_words(deadline: date | None) -> str:
    return f"Fristen er {long_date(deadline)}." if deadline else "Fristen er ikke fastsat endnu."


__all__ = [
    "Draft",
    "Published",
    "RecipientChoice",
    "change_draft",
    "check",
    "current_version",
    "draft_of",
    "proposed_number",
    "publish",
    "recipients",
    "save_draft",
]
