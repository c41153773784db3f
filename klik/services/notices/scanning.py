"""Finding what is due: every rule, every open task, every recipient, entered in the ledger exactly once.

A run looks at every reminder that is due today or was missed within the rule's ``late_days``. It may run any
number of times, anywhere: the unique key of the row decides. Of the core's reminders that one task missed only
the newest is sent; the older ones are entered too, as withdrawn ("overhalet af …"), so that the account holds
every reminder of every task.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from sqlalchemy import func, or_, select, update

from klik.db import rows_changed
from klik.domain import mail_hours
from klik.domain.calendar import long_date
from klik.domain.deadlines import danish_today
from klik.domain.status import OPEN_STATUSES
from klik.models import MunicipalTask, Notice, TaskChange
from klik.plugins.contributions import NotificationRule
from klik.plugins.manager import CORE, plugin_of
from klik.plugins.views import MunicipalTaskView
from klik.services.notices import ledger, reminders, task_recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.recipients import Recipient
from klik.services.views import municipal_task_views
from klik.services.work import Work

BATCH = 1000
PLUGIN_PATIENCE = 10.0  # seconds for one rule and a thousand tasks
LATE = "Varslet er forsinket"
NO_LONGER_OPEN = "opgaven er ikke længere åben"
NO_LONGER_RECIPIENT = "modtageren har ikke længere noget med opgaven at gøre"
# A notice withdrawn for one of these comes back when the task or the person does.
REVIVABLE = (NO_LONGER_OPEN, NO_LONGER_RECIPIENT)


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder that is due for a task, and the day it became so."""

    rule: NotificationRule
    day: date


@dataclass(slots=True)
class Plan:
    """What a part of the tasks still lacks in the ledger; ``last`` is the last task looked at, None at the end."""

    drafts: list[NoticeDraft] = field(default_factory=list)
    revived: list[int] = field(default_factory=list)
    nobody: int = 0
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan did: notices written and brought back, and due reminders that nobody could be told of."""

    written: int
    revived: int
    nobody: int


@dataclass(frozen=True, slots=True)
class _Known:
    id: int
    waiting: bool
    withdrawal: str | None


def scan_deadlines(work: Work) -> Scan:
    """Enter everything that is due and not in the ledger, in one transaction."""
    return write(work, plans(work))


def plans(work: Work) -> Iterable[Plan]:
    """What is lacking, a thousand tasks at a time; only reads."""
    after: int | None = 0
    while after is not None:
        plan = _plan(work, after)
        yield plan
        after = plan.last


def write(work: Work, lacking: Iterable[Plan]) -> Scan:
    """Enter what plans found lacking; what another process entered meanwhile is left alone."""
    written = revived = nobody = 0
    for plan in lacking:
        written += ledger.enqueue(work, plan.drafts)
        revived += _revive(work, plan.revived)
        nobody += plan.nobody
    return Scan(written, revived, nobody)


def _revive(work: Work, ids: Sequence[int]) -> int:
    if not ids:
        return 0
    return rows_changed(
        work.session,
        update(Notice)
        .where(Notice.id.in_(ids), Notice.mail_id.is_(None), Notice.withdrawal_reason.in_(REVIVABLE))
        .values(withdrawn_at=None, withdrawal_reason=None, due_at=work.now),
    )


def _plan(work: Work, after: int) -> Plan:
    tasks = _candidates(work, after)
    plan = Plan(last=tasks[-1].id if len(tasks) == BATCH else None)
    views = {view.id: view for view in municipal_task_views(work, tasks)} if tasks else {}
    due = _due(work, list(views.values()))
    tasks = [task for task in tasks if due.get(task.id)]
    if not tasks:
        return plan
    people = task_recipients.of_tasks(work, tasks)
    known = _known(work, tasks)
    began = _deadline_days(work, tasks)
    for task in tasks:
        if not people[task.id]:
            plan.nobody += 1
        for one, overtaken in with_overtaker(due[task.id]):
            if overtaken and one.day < began[task.id]:
                continue  # it was never to be sent: the task came, or its deadline moved, after that day
            _draft(work, plan, views[task.id], one, overtaken, people[task.id], known, began[task.id])
    return plan


def _candidates(work: Work, after: int) -> list[MunicipalTask]:
    """Open tasks after this id; narrowed by the dates when only the core's rules ask."""
    statement = select(MunicipalTask).where(
        MunicipalTask.id > after,
        MunicipalTask.status.in_(sorted(OPEN_STATUSES)),
        MunicipalTask.withdrawn_at.is_(None),
        MunicipalTask.erased_at.is_(None),
    )
    if all(plugin_of(key) == CORE for key in work.registry.notification_rules):
        today = work.today
        statement = statement.where(
            MunicipalTask.deadline >= today - timedelta(days=reminders.LATE_DAYS + 1),
            or_(
                MunicipalTask.yellow_from <= today,
                MunicipalTask.deadline <= today + timedelta(days=reminders.FIRST_BEFORE),
            ),
        )
    return list(work.session.scalars(statement.order_by(MunicipalTask.id).limit(BATCH)))


def _due(work: Work, tasks: Sequence[MunicipalTaskView]) -> Mapping[int, list[Due]]:
    """The reminders due for each task, oldest first."""
    today = work.today
    found: dict[int, list[Due]] = defaultdict(list)
    for rule in work.registry.notification_rules.values():
        for task_id, day in due_days(work, rule, tasks).items():
            if day is not None and timedelta(0) <= today - day <= timedelta(days=rule.late_days):
                found[task_id].append(Due(rule, day))
    for dues in found.values():
        dues.sort(key=lambda due: (due.day, reminders.ORDER.get(due.rule.key, 0)))
    return found


def due_days(
    work: Work, rule: NotificationRule, tasks: Sequence[MunicipalTaskView]
) -> Mapping[int, date | None]:
    """The rule's day for each task; a plug-in is asked once for all, and one bad task spoils only itself."""
    if plugin_of(rule.key) == CORE:
        return {task.id: rule.due(task) for task in tasks}
    answers: dict[int, date | None] = {}

    def ask() -> None:
        faults = []
        for task in tasks:
            try:
                day = rule.due(task)
            except Exception as fault:
                faults.append(fault)
                continue
            if day is not None and type(day) is not date:
                faults.append(TypeError(f"{rule.key}: {type(day).__name__}"))
                continue
            answers[task.id] = day
        if faults:
            raise faults[0]

    work.registry.guard.ask(rule.key, ask, None, patience=PLUGIN_PATIENCE)
    return dict(answers)


def with_overtaker(dues: Sequence[Due]) -> list[tuple[Due, NotificationRule | None]]:
    """Each reminder with the newer one of the core that makes it superfluous, or None."""
    core = [due for due in dues if due.rule.key in reminders.ORDER]
    newest = core[-1] if core else None
    return [(due, newest.rule if newest and due in core[:-1] else None) for due in dues]


def _known(work: Work, tasks: Sequence[MunicipalTask]) -> Mapping[str, _Known]:
    rows = work.session.execute(
        select(
            Notice.dedupe_key, Notice.id, Notice.mail_id, Notice.withdrawn_at, Notice.withdrawal_reason
        ).where(
            Notice.municipal_task_id.in_([task.id for task in tasks]),
            Notice.occasion.in_(sorted(work.registry.notification_rules)),
        )
    )
    return {
        key: _Known(number, mail_id is None and withdrawn_at is not None, reason)
        for key, number, mail_id, withdrawn_at, reason in rows
    }


def _deadline_days(work: Work, tasks: Sequence[MunicipalTask]) -> Mapping[int, date]:
    """The day each task got the deadline it has; nothing can have been late before it."""
    moved: Mapping[int, date] = {
        task_id: danish_today(at)
        for task_id, at in work.session.execute(
            select(TaskChange.municipal_task_id, func.max(TaskChange.at))
            .where(
                TaskChange.municipal_task_id.in_([task.id for task in tasks if task.deadline_version > 1]),
                TaskChange.field == "deadline",
            )
            .group_by(TaskChange.municipal_task_id)
        )
    }
    return {task.id: moved.get(task.id, danish_today(task.created_at)) for task in tasks}


def key_of(rule: str, task_id: int, deadline_version: int) -> str:
    """What a reminder is about: the rule, the task and its deadline's version."""
    return f"{rule}/mt={task_id}/v={deadline_version}"


def _draft(
    work: Work,
    plan: Plan,
    task: MunicipalTaskView,
    due: Due,
    overtaker: NotificationRule | None,
    people: Sequence[Recipient],
    known: Mapping[str, _Known],
    began: date,
) -> None:
    about = key_of(due.rule.key, task.id, task.deadline_version)
    missing = []
    for person in people:
        row = known.get(ledger.full_key(about, person))
        if row is None:
            missing.append(person)
        elif row.waiting and row.withdrawal in REVIVABLE and overtaker is None:
            plan.revived.append(row.id)
    if not missing:
        return
    words = worded(work, due.rule, task)
    if words is None:
        return
    heading, sentence = words
    # Whoever comes to a task after its reminder went out is told, but nothing was late.
    can_be_late = began <= due.day and not any(key.startswith(f"{about}/") for key in known)
    if can_be_late and mail_hours.mail_day(due.day) < work.today:
        sentence = f"{sentence} {lateness(due.day)}"
    plan.drafts += [
        NoticeDraft(
            occasion=due.rule.key,
            dedupe_key=about,
            recipient=person,
            heading=heading,
            sentence=sentence,
            path=f"/opgaver/{task.id}",
            municipal_task_id=task.id,
            about_day=due.day,
            withdrawn=f"overhalet af “{overtaker.label}”" if overtaker else None,
            can_be_late=can_be_late,
        )
        for person in missing
    ]


def lateness(day: date) -> str:
    """The sentence that marks a reminder of that day as late; it was for the mail of the first open day."""
    return f"{LATE}: det skulle være sendt den {long_date(mail_hours.mail_day(day))}."


def without_lateness(sentence: str) -> tuple[str, str | None]:
    """A reminder's own words, and those that say when it should have been sent; None for one that is not late."""
    words, _, late = sentence.partition(f" {LATE}: ")
    return words, late or None


def worded(work: Work, rule: NotificationRule, task: MunicipalTaskView) -> tuple[str, str] | None:
    """Heading and sentence as they read today; None when a plug-in cannot word them."""
    today = work.today
    if plugin_of(rule.key) == CORE:
        return rule.heading(task, today), rule.sentence(task, today)
    # A key of its own: a day that fails and words that succeed must not count as one.
    return work.registry.guard.ask(
        f"{rule.key}/ordlyd",
        lambda: (rule.heading(task, today), rule.sentence(task, today)),
        None,
        lambda words: words is not None and all(type(word) is str and word.strip() for word in words),
    )
