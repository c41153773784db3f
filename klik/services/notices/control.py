"""The independent recount: what the core's reminders should have told, from dates alone, against the ledger.

It shares no reckoning with the scan (seed 003: "supplerende kontroller"), so a fault in one shows in the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from klik.models import Mail, MunicipalTask, Notice
from klik.services.notices import ledger, reminders, task_recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.views import municipal_task_views
from klik.services.work import Work

BATCH = 1000
WINDOW = timedelta(days=30)
UNDER_WAY = ("pending", "claimed")


@dataclass(slots=True)
class Recount:
    """Reminders counted by where they are; ``missing`` were not in the ledger and are now."""

    expected: int = 0
    sent: int = 0
    waiting: int = 0
    doubtful: int = 0
    failed: int = 0
    withdrawn: int = 0
    missing: int = 0
    nobody: int = 0

    @property
    def well(self) -> bool:
        """Whether every reminder is in the ledger and none was refused."""
        return not (self.missing or self.failed or self.nobody)

    @property
    def sentence(self) -> str:
        """ "412 skulle, 412 afsendt, 0 mangler", and what else there is to say."""
        more = [
            f"{count} {word}"
            for count, word in (
                (self.waiting, "venter"),
                (self.doubtful, "uvisse"),
                (self.failed, "fejlet"),
                (self.withdrawn, "trukket tilbage"),
            )
            if count
        ]
        line = ", ".join(
            [f"{self.expected} skulle", f"{self.sent} afsendt", *more, f"{self.missing} mangler"]
        )
        if self.missing:
            line += f". {self.missing} er nu skrevet ind og bliver sendt"
        if self.nobody:
            line += f". {self.nobody} har ingen modtager"
        return f"{line}."


def recount(work: Work, *, heal: bool = True) -> Recount:
    """Count, and with ``heal`` enter what is missing."""
    found = Recount()
    after = 0
    while tasks := _open_tasks(work, after):
        after = tasks[-1].id
        due = {task.id: newest for task in tasks if (newest := _newest(task, work.today))}
        _count(work, found, [task for task in tasks if task.id in due], due, heal=heal)
    return found


def _open_tasks(work: Work, after: int) -> Sequence[MunicipalTask]:
    return work.session.scalars(
        select(MunicipalTask)
        .where(
            MunicipalTask.id > after,
            MunicipalTask.status.not_in(["fuldfoert", "ikke-relevant"]),
            MunicipalTask.withdrawn_at.is_(None),
            MunicipalTask.erased_at.is_(None),
            MunicipalTask.deadline.is_not(None),
            MunicipalTask.deadline >= work.today - WINDOW - timedelta(days=1),
        )
        .order_by(MunicipalTask.id)
        .limit(BATCH)
    ).all()


def _newest(task: MunicipalTask, today: date) -> str | None:
    """The reminder that counts for the task today, the last one passed within thirty days."""
    if task.deadline is None or task.yellow_from is None:
        return None
    left = (task.deadline - today).days
    passed = [
        ((task.yellow_from - today).days, reminders.TURNED_YELLOW),
        (left - 7, reminders.WEEK_BEFORE),
        (left - 1, reminders.DAY_BEFORE),
        (left + 1, reminders.TURNED_RED),
    ]
    newest: tuple[int, str] | None = None
    for distance, key in passed:
        if -WINDOW.days <= distance <= 0 and (newest is None or distance >= newest[0]):
            newest = distance, key
    return newest[1] if newest else None


def _count(
    work: Work, found: Recount, tasks: Sequence[MunicipalTask], due: Mapping[int, str], *, heal: bool
) -> None:
    if not tasks:
        return
    people = task_recipients.of_tasks(work, tasks)
    states = _states(work, [task.id for task in tasks])
    lacking: list[tuple[MunicipalTask, Recipient]] = []
    for task in tasks:
        found.nobody += not people[task.id]
        for person in people[task.id]:
            found.expected += 1
            key = ledger.full_key(f"{due[task.id]}/mt={task.id}/v={task.deadline_version}", person)
            if key not in states:
                found.missing += 1
                lacking.append((task, person))
            else:
                _tally(found, states[key])
    if heal and lacking:
        _heal(work, lacking, due)


def _states(work: Work, task_ids: Iterable[int]) -> Mapping[str, str]:
    rows = work.session.execute(
        select(Notice.dedupe_key, Notice.withdrawn_at, Mail.state)
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .where(Notice.municipal_task_id.in_(list(task_ids)), Notice.occasion.in_(sorted(reminders.ORDER)))
    )
    return {key: "withdrawn" if withdrawn_at else state or "pending" for key, withdrawn_at, state in rows}


def _tally(found: Recount, state: str) -> None:
    if state == "sent":
        found.sent += 1
    elif state == "withdrawn":
        found.withdrawn += 1
    elif state in UNDER_WAY:
        found.waiting += 1
    elif state == "in_doubt":
        found.doubtful += 1
    else:
        found.failed += 1


def _heal(work: Work, lacking: Sequence[tuple[MunicipalTask, Recipient]], due: Mapping[int, str]) -> None:
    views = {
        view.id: view for view in municipal_task_views(work, {task.id: task for task, _ in lacking}.values())
    }
    rules = {rule.key: rule for rule in reminders.RULES}
    ledger.enqueue(
        work,
        [
            NoticeDraft(
                occasion=due[task.id],
                dedupe_key=f"{due[task.id]}/mt={task.id}/v={task.deadline_version}",
                recipient=person,
                heading=rules[due[task.id]].heading(views[task.id], work.today),
                sentence=rules[due[task.id]].sentence(views[task.id], work.today),
                path=f"/opgaver/{task.id}",
                municipal_task_id=task.id,
                about_day=rules[due[task.id]].due(views[task.id]),
            )
            for task, person in lacking
        ],
    )
