"""A task that publishes itself at a planned time: planned, stopped, and published when the time has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from klik.domain.calendar import clock
from klik.domain.life import Act, State
from klik.models import Membership, Person, Task
from klik.services.errors import RefusedError
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.publishing import steps
from klik.services.publishing.drafts import current_version
from klik.services.publishing.publication import Published, checked
from klik.services.publishing.steps import Press
from klik.services.publishing.stored import held_with_project, publish_stored
from klik.services.work import Work

FAILED = "plan-fejlede"
UNFORESEEN = "Der skete en uventet fejl. Prøv at udgive opgaven i hånden."
PROBLEM_LIMIT = 500


def plan(work: Work, task_id: int, at: datetime | None, press: Press) -> int | None:
    """Let the task publish itself at ``at``; gives how many municipalities it would reach now.

    Everything is checked as of that day. Raises RefusedError, also for a moment that has passed.
    """
    task = steps.begin(work, task_id, Act.PLAN, press)
    if task is None:
        return None
    if at is None or at <= work.now:
        raise RefusedError({"at": "Tidspunktet er allerede passeret. Vælg et senere."})
    codes = checked(replace(work, now=at), task)
    task.publish_at = at
    task.publish_problem = None
    steps.take(work, task, Act.PLAN, f"Udgives {clock(at)}")
    steps.end(work, task, Act.PLAN, press, {"municipalities": len(codes)})
    return len(codes)


def unplan(work: Work, task_id: int, press: Press) -> None:
    """Stop the plan. A task that the municipalities know of stays announced; another becomes a draft again."""
    task = steps.begin(work, task_id, Act.UNPLAN, press)
    if task is None:
        return
    task.publish_at = None
    task.publish_problem = None
    steps.take(work, task, Act.UNPLAN)
    if task.announced_at is not None:
        steps.take(work, task, Act.ANNOUNCE, "Kommunerne ser den stadig som kommende")
    steps.end(work, task, Act.UNPLAN, press)


def due(work: Work) -> Sequence[int]:
    """The tasks whose time has come, earliest first. One that could not be published waits for KOMBIT."""
    return work.session.scalars(
        select(Task.id)
        .where(Task.state == State.PLANNED.value, Task.publish_at <= work.now, Task.publish_problem.is_(None))
        .order_by(Task.publish_at, Task.id)
    ).all()


def publish_due(work: Work, task_id: int) -> Published | None:
    """Publish a task whose time has come; None when it was published, stopped or moved meanwhile."""
    task = held_with_project(work, task_id)
    if task.id not in due(work):
        return None
    return publish_stored(work, task_id, Press())


def note_problem(work: Work, task_id: int, problem: str) -> bool:
    """Write down why the task could not be published and tell who planned and who wrote it, once a plan."""
    task = steps.held(work, task_id)
    if task.id not in due(work):
        return False
    task.publish_problem = problem[:PROBLEM_LIMIT]
    version = current_version(work, task)
    name = f"{task.task_number} {version.title}"
    planned_by = steps.last_of(work, task, Act.PLAN)
    assert task.publish_at is not None
    drafts = [
        NoticeDraft(
            occasion=FAILED,
            dedupe_key=f"{FAILED}/task={task.id}/{int(task.publish_at.timestamp())}",
            recipient=Recipient(
                person_id, address, None, "planlagde opgaven" if person_id == planned_by else "skrev opgaven"
            ),
            heading=f"Ikke udgivet: {name}",
            sentence=f"Opgaven “{name}” skulle være udgivet {clock(task.publish_at)}, men blev det ikke. {problem}",
            path=f"/udgivelser/{task.id}",
            task_id=task.id,
        )
        for person_id, address in _people(work, {planned_by, task.created_by} - {None})
    ]
    ledger.enqueue(work, drafts)
    return True


def _people(work: Work, wanted: set[int | None]) -> Sequence[tuple[int, str]]:
    rows = work.session.execute(
        select(Person.id, Person.email)
        .join(Membership, Membership.person_id == Person.id)
        .where(Person.id.in_(wanted), Person.active.is_(True), Membership.active.is_(True))
        .distinct()
        .order_by(Person.id)
    )
    return [(person_id, address) for person_id, address in rows]
