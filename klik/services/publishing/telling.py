"""Telling the municipalities that KOMBIT has published a task for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from klik.domain.calendar import long_date
from klik.models import Project, Task, TaskVersion
from klik.services.notices import channels, ledger
from klik.services.notices import recipients as notice_recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.publishing.copies import Copy
from klik.services.work import Work

OCCASION = "udgivet"


def tell(work: Work, task: Task, version: TaskVersion, project: Project, copies: Sequence[Copy]) -> int:
    """Write a notice of each copy to whom it concerns in its municipality; gives how many were new."""
    told = notice_recipients.of_municipalities(work, [copy.code for copy in copies], project.system_code)
    name = f"{task.task_number} {version.title}"
    drafts = [
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
    return ledger.enqueue(work, drafts)


def tell_channels(work: Work, task: Task, version: TaskVersion, project: Project, count: int) -> int:
    """Tell the channels that follow the system, once for all its ``count`` municipalities."""
    name = f"{task.task_number} {version.title}"
    return channels.tell(
        work,
        task,
        OCCASION,
        version.number,
        f"Ny opgave: {name}",
        f"KOMBIT har udgivet opgaven “{name}” i {project.name} til {count} "
        f"{'kommune' if count == 1 else 'kommuner'}.",
    )


def _deadline_words(deadline: date | None) -> str:
    return f"Fristen er {long_date(deadline)}." if deadline else "Fristen er ikke fastsat endnu."
