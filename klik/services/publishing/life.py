"""What KOMBIT does with a stored KLIK-opgave before it is published: approval, announcement, and a plan."""

from __future__ import annotations

from datetime import datetime

from klik.domain.life import Act
from klik.models import Person, Task
from klik.services import idempotency
from klik.services.errors import RefusedError
from klik.services.notices import ledger
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.publishing import announcing, planning, publication, steps, stored, withdrawing
from klik.services.publishing.audience import RecipientChoice
from klik.services.publishing.drafts import (
    change_draft,
    current_version,
    locked_project,
    require_publisher,
    save_draft,
    task_of,
)
from klik.services.publishing.reasons import written_reason
from klik.services.publishing.steps import Press
from klik.services.publishing.text import Draft
from klik.services.work import Work

SENT_BACK = "sendt-tilbage"


def do(
    work: Work, act: Act, task_id: int, press: Press, *, note: str = "", at: datetime | None = None
) -> int | None:
    """Do this to a stored task; ``note`` is the reason, ``at`` the moment of a plan.

    Gives how many municipalities it reached, where it reaches any. Raises RefusedError, ConflictError,
    ForbiddenError, NotFoundError; a press that was taken before changes nothing.
    """
    require_publisher(work)
    match act:
        case Act.SUBMIT:
            return submit(work, task_id, press)
        case Act.RETURN:
            return send_back(work, task_id, note, press)
        case Act.ANNOUNCE:
            return announcing.announce(work, task_id, press)
        case Act.PLAN:
            return planning.plan(work, task_id, at, press)
        case Act.UNPLAN:
            return planning.unplan(work, task_id, press)
        case Act.PUBLISH:
            return stored.publish_stored(work, task_id, press).municipalities
        case Act.WITHDRAW:
            return withdrawing.withdraw(work, task_id, note, press)
    raise RefusedError({"": "Det kan ikke gøres herfra. Åbn siden igen."})


def do_with_draft(
    work: Work,
    act: Act,
    draft: Draft,
    choice: RecipientChoice,
    press: Press,
    *,
    task_id: int | None = None,
    at: datetime | None = None,
) -> int:
    """Store what was written, in ``press.version`` of the stored task, and do this with it; gives the task's id."""
    require_publisher(work)
    locked_project(work, draft.project)
    if (result := idempotency.taken(work, press.key, act.value)) is not None:
        return task_of(result)
    if task_id is None:
        task_id = save_draft(work, draft, None, choice, press.appoint)
    else:
        change_draft(work, task_id, draft, press.version or 0, choice, press.appoint)
    do(work, act, task_id, Press(None, press.key), at=at)
    return task_id


def submit(work: Work, task_id: int, press: Press) -> None:
    """Leave the task to a second redaktør; raises RefusedError with everything that is wrong with it."""
    task = steps.begin(work, task_id, Act.SUBMIT, press)
    if task is None:
        return
    publication.checked(work, task)
    steps.take(work, task, Act.SUBMIT)
    steps.end(work, task, Act.SUBMIT, press)


def send_back(work: Work, task_id: int, reason: str, press: Press) -> None:
    """Give the task back to who wrote it, with a reason; who sent it may take it back without one."""
    task = steps.begin(work, task_id, Act.RETURN, press)
    if task is None:
        return
    own = not steps.may_approve(work, task)
    reason = written_reason(reason, required=not own) or "Taget tilbage"
    writer = steps.last_of(work, task, Act.SUBMIT)
    steps.take(work, task, Act.RETURN, reason)
    if writer and not own:
        _tell_writer(work, task, writer, reason)
    steps.end(work, task, Act.RETURN, press)


def _tell_writer(work: Work, task: Task, writer: int, reason: str) -> None:
    person = work.session.get_one(Person, writer)
    name = f"{task.task_number} {current_version(work, task).title}"
    ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=SENT_BACK,
                dedupe_key=f"{SENT_BACK}/task={task.id}/v={task.version}",
                recipient=Recipient(person.id, person.email, None, "sendte opgaven til godkendelse"),
                heading=f"Sendt tilbage: {name}",
                sentence=f"Opgaven “{name}” er sendt tilbage til dig. Begrundelse: {reason}",
                path=f"/udgivelser/{task.id}",
                task_id=task.id,
            )
        ],
    )
