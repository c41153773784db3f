"""Publishing a KLIK-opgave: the task, every municipality's copy, the notices and the audit row, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, insert, select

from klik.domain.calendar import long_date
from klik.domain.status import Status
from klik.domain.texts import search_key, sort_key
from klik.models import (
    MunicipalTask,
    MunicipalTaskField,
    Notice,
    Project,
    RequestKey,
    Task,
    TaskVersion,
    TaskVersionField,
)
from klik.plugins.views import MunicipalityView, PublishedView, TaskView
from klik.services import auditing, events, idempotency, views
from klik.services.deadlines import deadlines_for, explanation, yellow_from_days
from klik.services.errors import RefusedError
from klik.services.notices import ledger
from klik.services.notices import recipients as notice_recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.publishing.audience import RecipientChoice, recipients
from klik.services.publishing.drafts import (
    DRAFT,
    actor_id,
    change_draft,
    current_version,
    draft_of,
    locked_project,
    proposed_number,
    require_publisher,
    save_draft,
    task_of,
    write_task,
)
from klik.services.publishing.holders import Holders, holders_of
from klik.services.publishing.text import Draft, check, tidied
from klik.services.work import Work

OCCASION = "udgivet"
PUBLISHED = "udgivet"
ACTION = "publish"


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication came to; ``notices`` counts ledger rows, ``repeated`` tells a second press."""

    task_id: int
    municipalities: int
    notices: int
    repeated: bool = field(default=False, compare=False)


def publish(
    work: Work, draft: Draft, codes: Sequence[int], key: str | None = None, *, task_id: int | None = None
) -> Published:
    """Publish to these municipalities, in the caller's transaction and in a fixed number of statements.

    ``key`` makes a second press return the first result. ``task_id`` publishes a stored draft. Raises
    RefusedError with every problem of the draft.
    """
    require_publisher(work)
    project = locked_project(work, draft.project)
    if earlier := _earlier(work, key):
        return earlier
    problems = check(work, draft, task_id)
    if not codes:
        problems["recipients"] = "Modtagere: vælg mindst én kommune."
    if project is None or problems:
        raise RefusedError(problems)
    task, version = write_task(work, tidied(draft), project, task_id)
    task.state = PUBLISHED
    task.published_at = work.now
    task.published_by = actor_id(work)
    work.session.flush()
    view = views.task_view(task, version, project, work.today)
    municipalities = views.municipality_views(work, codes, project.system_code)
    if len(municipalities) != len(set(codes)):
        raise RefusedError({"recipients": "Modtagere: en af kommunerne findes ikke."})
    task.recipient_count = len(municipalities)
    copies = _copied(work, task, version, project, _deadlines(work, version, view, municipalities))
    told = ledger.enqueue(work, _notices(work, task, version, project, copies))
    auditing.record(
        work,
        "publish",
        f"task/{task.id}",
        {"municipalities": len(copies), "notices": told, "version": version.number},
    )
    events.note(
        work,
        events.PUBLISHED,
        PublishedView(task=view, municipalities=tuple(copy.code for copy in copies), at=work.now),
    )
    idempotency.remember(work, key, ACTION, f"/udgivelser/{task.id}")
    work.session.flush()
    return Published(task.id, len(copies), told)


def _earlier(work: Work, key: str | None) -> Published | None:
    result = idempotency.earlier_result(work.session, key)
    if result is None:
        return None
    if work.session.scalar(select(RequestKey.action).where(RequestKey.key == key)) != ACTION:
        raise RefusedError({"": "Formularen er brugt til noget andet. Åbn siden igen."})
    task_id = task_of(result)
    told = select(func.count(Notice.id)).where(Notice.task_id == task_id, Notice.occasion == OCCASION)
    copies = select(Task.recipient_count).where(Task.id == task_id)
    return Published(task_id, work.session.scalar(copies) or 0, work.session.scalar(told) or 0, True)


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
    """One copy for each municipality and its plug-in fields, in three statements however many."""
    holders = holders_of(
        work,
        [day.code for day in dates],
        project.system_code,
        {version.responsible_role, version.executor_role} - {None},
    )
    shared = _shared(work, task, version, project)
    rows = [shared | _own(version, holders, day) for day in dates]
    table = MunicipalTask.__table__
    # Without RETURNING they are one prepared statement in one round trip (see notices.ledger).
    work.session.connection().execute(insert(table), rows)  # type: ignore[arg-type]
    inserted = work.session.execute(
        select(table.c.id, table.c.municipality_id).where(
            table.c.task_id == task.id, table.c.municipality_id.in_(day.code for day in dates)
        )
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
    "DRAFT",
    "Draft",
    "Published",
    "RecipientChoice",
    "change_draft",
    "check",
    "current_version",
    "draft_of",
    "explanation",
    "proposed_number",
    "publish",
    "recipients",
    "save_draft",
]
