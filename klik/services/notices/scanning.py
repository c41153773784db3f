"""Finding what is due: every rule, every open task, every recipient, entered in the ledger exactly once.

A run looks at every reminder that is due today or was missed within the rule's ``late_days``. It may run any
number of times, anywhere: the unique key of the row decides. Of the core's reminders of one task that somebody
missed only the newest is sent, and so of the days of a rule that repeats itself; the older ones are entered too, as
withdrawn ("overhalet af …"), so that the account holds every reminder of every task.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select, update

from klik.db import rows_changed
from klik.domain.calendar import long_date
from klik.models import MunicipalTask, Notice, NoticeSettings
from klik.plugins.contributions import NotificationRule
from klik.plugins.manager import CORE, plugin_of
from klik.plugins.views import MunicipalTaskView
from klik.services.notices import candidates, ledger, occurrences, reminders, task_recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.occurrences import Due
from klik.services.notices.recipients import Recipient
from klik.services.views import municipal_task_views
from klik.services.work import Work

NO_LONGER_OPEN = "opgaven er ikke længere åben"
NO_LONGER_RECIPIENT = "modtageren har ikke længere noget med opgaven at gøre"
# A notice withdrawn for one of these comes back when the task or the person does.
REVIVABLE = (NO_LONGER_OPEN, NO_LONGER_RECIPIENT)


@dataclass(slots=True)
class Plan:
    """What a part of the tasks still lacks in the ledger."""

    drafts: list[NoticeDraft] = field(default_factory=list)
    revived: list[int] = field(default_factory=list)
    nobody: int = 0


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan did: notices written and brought back, and due reminders that nobody could be told of."""

    written: int
    revived: int
    nobody: int


@dataclass(frozen=True, slots=True)
class _Told:
    """What the ledger holds of some tasks: who can be brought back, by key, and what anybody was told of."""

    keys: Mapping[str, int | None]
    subjects: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Missing:
    """A reminder of a task that somebody is not in the ledger for."""

    task: MunicipalTask
    due: Due
    overtaker: NotificationRule | None
    recipient: Recipient

    @property
    def about(self) -> str:
        return self.due.about(self.task.id, self.task.deadline_version)


def scan_deadlines(work: Work) -> Scan:
    """Enter everything that is due and not in the ledger, in one transaction."""
    return write(work, plans(work))


def plans(work: Work) -> Iterator[Plan]:
    """What is lacking, some thousand tasks at a time; only reads."""
    chosen = days_before(work)
    after = 0
    while tasks := candidates.page(work, after):
        after = tasks[-1].id
        yield _plan(work, tasks, chosen)


def days_before(work: Work) -> Mapping[int, frozenset[int]]:
    """How many days before a deadline each person wants to be reminded; whoever is not there, as usual."""
    rows = work.session.execute(
        select(NoticeSettings.person_id, NoticeSettings.days_before).where(
            NoticeSettings.days_before.is_not(None)
        )
    )
    return {person_id: reminders.days_in(words) for person_id, words in rows}


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


def _plan(work: Work, page: Sequence[MunicipalTask], chosen: Mapping[int, frozenset[int]]) -> Plan:
    plan = Plan()
    dues = candidates.dues(work, page)
    tasks = [task for task in page if task.id in dues]
    if not tasks:
        return plan
    told = _told(work, tasks)
    missing: list[_Missing] = []
    people = _people(work, tasks, dues)
    for task in tasks:
        concerned = people[task.id]
        if len({audience for each in concerned.values() for audience in each}) < len(
            occurrences.by_audience(dues[task.id])
        ):
            plan.nobody += 1
        for by_audience in concerned.values():
            own = [due for due in dues[task.id] if due.rule.audience in by_audience]
            days = chosen.get(next(iter(by_audience.values())).person_id or 0, reminders.USUAL_DAYS)
            for due, overtaker in occurrences.for_somebody(own, days):
                each = _Missing(task, due, overtaker, by_audience[due.rule.audience])
                _look(plan, missing, told, each)
    _word(work, plan, missing, told)
    return plan


_ByAudience = Mapping[str, Recipient]


def _people(
    work: Work, tasks: Sequence[MunicipalTask], dues: Mapping[int, Sequence[Due]]
) -> Mapping[int, Mapping[int | str, _ByAudience]]:
    """Who is to be told of each task, and as what: one person may both do a task and lead."""
    found: dict[int, dict[int | str, dict[str, Recipient]]] = {task.id: defaultdict(dict) for task in tasks}
    for audience in sorted({due.rule.audience for due_of in dues.values() for due in due_of}):
        of_audience = [task for task in tasks if audience in occurrences.by_audience(dues[task.id])]
        for task_id, people in task_recipients.of_audience(work, of_audience, audience).items():
            for each in people:
                found[task_id][each.who][audience] = each
    return found


def _told(work: Work, tasks: Sequence[MunicipalTask]) -> _Told:
    rows = work.session.execute(
        select(Notice.dedupe_key, Notice.id, Notice.mail_id, Notice.withdrawal_reason).where(
            Notice.municipal_task_id.in_([task.id for task in tasks]),
            Notice.occasion.in_(sorted(work.registry.notification_rules)),
        )
    ).all()
    return _Told(
        {
            key: number if mail_id is None and reason in REVIVABLE else None
            for key, number, mail_id, reason in rows
        },
        frozenset(key.rpartition("/")[0] for key, *_rest in rows),
    )


def _look(plan: Plan, missing: list[_Missing], told: _Told, each: _Missing) -> None:
    key = ledger.full_key(each.about, each.recipient)
    if key not in told.keys:
        missing.append(each)
    elif (number := told.keys[key]) is not None and each.overtaker is None and not each.recipient.bounces:
        plan.revived.append(number)


def _word(work: Work, plan: Plan, missing: Sequence[_Missing], told: _Told) -> None:
    """Draft what is missing; most tasks miss nothing, so only these are looked at closely."""
    began = candidates.deadline_days(work, _tasks_of(missing)) if missing else {}
    # What was overtaken before the task came, or its deadline moved, was never to be sent.
    missing = [each for each in missing if not (each.overtaker and each.due.day < began[each.task.id])]
    views = {view.id: view for view in municipal_task_views(work, _tasks_of(missing))} if missing else {}
    words: dict[str, tuple[str, str] | None] = {}
    for each in missing:
        task = each.task
        if each.about not in words:
            words[each.about] = worded(work, each.due.rule, views[task.id])
        found = words[each.about]
        if found is None:
            continue
        heading, sentence = found
        # Whoever comes to a task after its reminder went out is told, but nothing was late.
        if began[task.id] <= each.due.day < work.today and each.about not in told.subjects:
            sentence = f"{sentence} {lateness(each.due.day)}"
        plan.drafts.append(
            NoticeDraft(
                occasion=each.due.rule.key,
                dedupe_key=each.about,
                recipient=each.recipient,
                heading=heading,
                sentence=sentence,
                path=f"/opgaver/{task.id}",
                municipal_task_id=task.id,
                about_day=each.due.day,
                withdrawn=f"overhalet af “{each.overtaker.label}”" if each.overtaker else None,
            )
        )


def _tasks_of(missing: Iterable[_Missing]) -> list[MunicipalTask]:
    return list({each.task.id: each.task for each in missing}.values())


def lateness(day: date) -> str:
    """The sentence that marks a reminder as late."""
    return f"Varslet er forsinket: det skulle være sendt den {long_date(day)}."


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
