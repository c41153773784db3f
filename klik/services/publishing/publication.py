"""Publishing a KLIK-opgave: the task, every municipality's copy, the notices and the audit row, or nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, select

from klik.domain.life import Act, State
from klik.models import Notice, Project, Task, TaskVersion
from klik.plugins.views import PublishedView
from klik.services import auditing, events, idempotency, views
from klik.services.errors import ConflictError, RefusedError
from klik.services.publishing import copies, steps, telling
from klik.services.publishing.audience import RecipientChoice, recipients
from klik.services.publishing.drafts import (
    actor_id,
    choice_of,
    differences,
    draft_of,
    locked_project,
    require_publisher,
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
    work: Work,
    draft: Draft,
    codes: Sequence[int],
    key: str | None = None,
    *,
    task_id: int | None = None,
    version: int | None = None,
    choice: RecipientChoice | None = None,
    appoint: Collection[str] | None = None,
) -> Published:
    """Publish to these municipalities, in the caller's transaction and in a fixed number of statements.

    ``key`` makes a second press return the first result. ``task_id`` publishes a stored draft, in ``version``
    when one is given; whoever publishes the same words a second time gets the first one's result. ``choice`` is
    how ``codes`` were chosen, kept for those who join later; ``appoint`` the vacant roles ticked for a task of their
    own (``appointing.appoint`` publishes it). Raises RefusedError with every problem of the
    draft, ConflictError when somebody stored other words meanwhile.
    """
    require_publisher(work)
    project = locked_project(work, draft.project)
    if (result := idempotency.taken(work, key, ACTION)) is not None:
        return earlier(work, task_of(result))
    problems = check(work, draft, task_id)
    if task_id is not None:
        task = steps.held(work, task_id)
        stored = draft_of(work, task_id)
        mine = draft if problems else tidied(draft)
        differing = differences(work, mine, stored)
        if task.state == State.PUBLISHED.value and not differing:
            return earlier(work, task_id)
        if version is not None and version != task.version:
            raise ConflictError(task.version, differing, steps.last_person(work, task))
        steps.check(work, task, Act.CHANGE)
        if differing:
            steps.check_words(work, task)
    if not codes:
        problems["recipients"] = "Modtagere: vælg mindst én kommune."
    if project is None or problems:
        raise RefusedError(problems)
    task, words = write_task(work, tidied(draft), project, task_id, choice, appoint)
    return put_out(work, task, words, project, codes, key)


def checked(work: Work, task: Task) -> tuple[int, ...]:
    """The municipalities a stored task goes to; raises RefusedError with everything that is wrong with it."""
    draft = draft_of(work, task.id)
    problems = check(work, draft, task.id)
    choice = choice_of(task)
    if choice is None:
        raise RefusedError(problems | {"recipients": "Modtagere: vælg, hvem opgaven skal udgives til."})
    try:
        codes = recipients(work, choice, draft.project)
    except RefusedError as error:
        raise RefusedError(problems | error.problems) from error
    if problems:
        raise RefusedError(problems)
    return codes


def put_out(
    work: Work, task: Task, version: TaskVersion, project: Project, codes: Sequence[int], key: str | None
) -> Published:
    """Everything that a publication is, for a task that is stored and found right."""
    task.round = project.round
    task.published_at = work.now
    task.published_by = actor_id(work)
    task.publish_problem = None
    steps.take(work, task, Act.PUBLISH)
    view = views.task_view(task, version, project, work.today)
    municipalities = views.municipality_views(work, codes, project.system_code)
    if len(municipalities) != len(set(codes)):
        raise RefusedError({"recipients": "Modtagere: en af kommunerne findes ikke."})
    task.recipient_count = len(municipalities)
    made = copies.make(
        work,
        task,
        version,
        project,
        copies.dates_for(work, task, version, project, municipalities, work.today),
    )
    told = telling.tell(work, task, version, project, made)
    telling.tell_channels(work, task, version, project, len(made))
    auditing.record(
        work,
        ACTION,
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


def earlier(work: Work, task_id: int) -> Published:
    """What the publication of the task came to when it was published."""
    told = select(func.count(Notice.id)).where(
        Notice.task_id == task_id,
        Notice.occasion == telling.OCCASION,
        Notice.municipal_task_id.is_not(None),
    )
    count = select(Task.recipient_count).where(Task.id == task_id)
    return Published(task_id, work.session.scalar(count) or 0, work.session.scalar(told) or 0, True)
