"""Announcing a task as "kommende": the municipalities concerned see it and are told once."""

from __future__ import annotations

from klik.domain.calendar import long_date
from klik.domain.life import Act
from klik.models import Task
from klik.services.notices import channels, ledger
from klik.services.notices import recipients as notice_recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.publishing import steps
from klik.services.publishing.drafts import current_version
from klik.services.publishing.publication import checked
from klik.services.publishing.steps import Press
from klik.services.work import Work

OCCASION = "annonceret"
PAGE = "/opgaver/kommende"


def announce(work: Work, task_id: int, press: Press) -> int | None:
    """Announce the task to its recipients; gives how many, None for a press that was taken before."""
    task = steps.begin(work, task_id, Act.ANNOUNCE, press)
    if task is None:
        return None
    codes = checked(work, task)
    task.announced_at = work.now
    steps.take(work, task, Act.ANNOUNCE)
    told = tell(work, task, codes)
    steps.end(work, task, Act.ANNOUNCE, press, {"municipalities": len(codes), "notices": told})
    return len(codes)


def tell(work: Work, task: Task, codes: tuple[int, ...]) -> int:
    """Tell these municipalities, and the channels, each once; how many rows the ledger got."""
    version = current_version(work, task)
    name = f"{task.task_number} {version.title}"
    start = f" Den ventes at begynde {long_date(version.start_date)}." if version.start_date else ""
    told = notice_recipients.of_municipalities(work, codes, task.project.system_code)
    channels.tell(
        work,
        task,
        OCCASION,
        "alle",
        f"Kommende opgave: {name}",
        f"KOMBIT har annonceret opgaven “{name}” i {task.project.name}.{start}",
    )
    return ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=OCCASION,
                # Announced again after a plan was stopped, it is told only to those who were not told.
                dedupe_key=f"{OCCASION}/task={task.id}/kommune={code}",
                recipient=recipient,
                heading=f"Kommende opgave: {name}",
                sentence=f"KOMBIT har annonceret opgaven “{name}” i {task.project.name}.{start}",
                path=f"{PAGE}#opgave-{task.id}",
                task_id=task.id,
            )
            for code in codes
            for recipient in told[code]
        ],
    )
