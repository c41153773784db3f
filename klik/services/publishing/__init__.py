"""Publishing a KLIK-opgave: the task, every municipality's copy, the notices and the audit row, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from klik.domain.life import State
from klik.models import Notice, RequestKey, Task
from klik.plugins.views import PublishedView
from klik.services import auditing, events, idempotency, views
from klik.services.deadlines import explanation
from klik.services.errors import RefusedError
from klik.services.publishing import copies, telling
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
from klik.services.publishing.text import Draft, check, tidied
from klik.services.work import Work

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
    task.state = State.PUBLISHED.value
    task.round = project.round
    task.published_at = work.now
    task.published_by = actor_id(work)
    work.session.flush()
    view = views.task_view(task, version, project, work.today)
    municipalities = views.municipality_views(work, codes, project.system_code)
    if len(municipalities) != len(set(codes)):
        raise RefusedError({"recipients": "Modtagere: en af kommunerne findes ikke."})
    task.recipient_count = len(municipalities)
    made = copies.make(
        work, task, version, project, copies.dates_for(work, task, version, project, municipalities)
    )
    told = telling.tell(work, task, version, project, made)
    auditing.record(
        work,
        "publish",
        f"task/{task.id}",
        {"municipalities": len(made), "notices": told, "version": version.number},
    )
    events.note(
        work,
        events.PUBLISHED,
        PublishedView(task=view, municipalities=tuple(copy.code for copy in made), at=work.now),
    )
    idempotency.remember(work, key, ACTION, f"/udgivelser/{task.id}")
    work.session.flush()
    return Published(task.id, len(made), told)


def _earlier(work: Work, key: str | None) -> Published | None:
    result = idempotency.earlier_result(work.session, key)
    if result is None:
        return None
    if work.session.scalar(select(RequestKey.action).where(RequestKey.key == key)) != ACTION:
        raise RefusedError({"": "Formularen er brugt til noget andet. Åbn siden igen."})
    task_id = task_of(result)
    told = select(func.count(Notice.id)).where(Notice.task_id == task_id, Notice.occasion == telling.OCCASION)
    copies = select(Task.recipient_count).where(Task.id == task_id)
    return Published(task_id, work.session.scalar(copies) or 0, work.session.scalar(told) or 0, True)


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
