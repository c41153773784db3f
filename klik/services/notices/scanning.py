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
from functools import cache

from sqlalchemy import select, update

from klik.db import rows_changed
from klik.domain import mail_hours
from klik.domain.calendar import long_date
from klik.models import MunicipalTask, Notice, NoticeSettings
from klik.plugins.answers import is_text
from klik.plugins.contributions import NotificationRule
from klik.plugins.manager import CORE, plugin_of
from klik.plugins.views import MunicipalTaskView
from klik.services.notices import candidates, ledger, occurrences, reminders, task_recipients
from klik.services.notices.ledger import NoticeDraft
from klik.services.notices.occurrences import Due, Judged
from klik.services.notices.recipients import Recipient
from klik.services.views import municipal_task_views
from klik.services.work import Work

LATE = "Varslet er forsinket"
NO_LONGER_OPEN = "opgaven er ikke længere åben"
NO_LONGER_RECIPIENT = "modtageren har ikke længere noget med opgaven at gøre"
NOT_CHOSEN = "modtageren har valgt påmindelsen fra"
# A notice withdrawn for one of these comes back when the task, the person or the choice does.
REVIVABLE = (NO_LONGER_OPEN, NO_LONGER_RECIPIENT, NOT_CHOSEN)


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
    about: str
    overtaker: NotificationRule | None
    recipient: Recipient


def scan_deadlines(work: Work) -> Scan:
    """Enter everything that is due and not in the ledger, in one transaction."""
    return write(work, plans(work))


def plans(work: Work) -> Iterator[Plan]:
    """What is lacking, some thousand tasks at a time; only reads."""
    chosen, since = days_before(work), chosen_since(work)
    after = 0
    while tasks := candidates.page(work, after):
        after = tasks[-1].id
        yield _plan(work, tasks, chosen, since)


def days_before(work: Work) -> Mapping[int, frozenset[int]]:
    """How many days before a deadline each person wants to be reminded; whoever is not there, as usual."""
    rows = work.session.execute(
        select(NoticeSettings.person_id, NoticeSettings.days_before).where(
            NoticeSettings.days_before.is_not(None)
        )
    )
    return {person_id: reminders.days_in(words or "") for person_id, words in rows}


def chosen_since(work: Work) -> Mapping[int, Mapping[str, date]]:
    """Since which day each person wants which of the reminders before a deadline; of the others, always."""
    rows = work.session.execute(
        select(NoticeSettings.person_id, NoticeSettings.chosen_on).where(
            NoticeSettings.chosen_on.is_not(None)
        )
    )
    return {person_id: reminders.since_in(words) for person_id, words in rows}


def _wanted(dues: Sequence[Due], since: Mapping[str, date] | None) -> Sequence[Due]:
    """Without those that had passed before this person chose them."""
    if not since:
        return dues
    return tuple(due for due in dues if due.day >= since.get(due.rule.key, due.day))


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
        # As if written now: while it did not hold, nothing was late.
        .values(withdrawn_at=None, withdrawal_reason=None, due_at=work.now, created_at=work.now),
    )


def _plan(
    work: Work,
    page: Sequence[MunicipalTask],
    chosen: Mapping[int, frozenset[int]],
    since: Mapping[int, Mapping[str, date]],
) -> Plan:
    plan = Plan()
    dues = candidates.dues(work, page)
    tasks = [task for task in page if task.id in dues]
    if not tasks:
        return plan
    told = _told(work, tasks)
    people = people_of(work, tasks, dues)
    missing: list[_Missing] = []
    judge = cache(_judged)
    for task in tasks:
        due, concerned = dues[task.id], people[task.id]
        lacking = {each.rule.audience for each in due}
        subjects = {each: each.about(task.id, task.deadline_version) for each in due}
        for by_audience in concerned.values():
            lacking -= by_audience.keys()
            person_id = next(iter(by_audience.values())).person_id
            days = chosen.get(person_id, reminders.USUAL_DAYS) if person_id else reminders.USUAL_DAYS
            for each, overtaker in judge(
                _wanted(due, since.get(person_id or 0)), frozenset(by_audience), days
            ):
                recipient = by_audience[each.rule.audience]
                key = ledger.full_key(subjects[each], recipient)
                if key not in told.keys:
                    missing.append(_Missing(task, each, subjects[each], overtaker, recipient))
                elif (row := told.keys[key]) is not None and not overtaker and not recipient.bounces:
                    plan.revived.append(row)
        plan.nobody += bool(lacking)
    _word(work, plan, missing, told)
    return plan


def _judged(dues: Sequence[Due], audiences: frozenset[str], days: frozenset[int]) -> Judged:
    """The same for everybody with the same part in tasks with the same days, so it is worked out once."""
    return occurrences.for_somebody([due for due in dues if due.rule.audience in audiences], days)


ByAudience = Mapping[str, Recipient]


def people_of(
    work: Work, tasks: Sequence[MunicipalTask], dues: Mapping[int, Sequence[Due]]
) -> Mapping[int, Mapping[int | str, ByAudience]]:
    """Who is to be told of each task, and as what: one person may both do a task and lead."""
    found: dict[int, dict[int | str, dict[str, Recipient]]] = {task.id: defaultdict(dict) for task in tasks}
    for audience in sorted({due.rule.audience for due_of in dues.values() for due in due_of}):
        of_audience = [task for task in tasks if any(due.rule.audience == audience for due in dues[task.id])]
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


def _word(work: Work, plan: Plan, missing: Sequence[_Missing], told: _Told) -> None:
    """Draft what is missing; most tasks miss nothing, so only these are looked at closely."""
    began = candidates.deadline_days(work, _tasks_of(missing)) if missing else {}
    reopened = candidates.reopened_days(work, _tasks_of(missing)) if missing else {}
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
        # Whoever comes to a task after its reminder went out is told, but nothing was late; nor while it was closed.
        open_since = max(began[task.id], reopened.get(task.id, date.min))
        can_be_late = open_since <= each.due.day and each.about not in told.subjects
        if can_be_late and mail_hours.mail_day(each.due.day) < work.today:
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
                can_be_late=can_be_late,
            )
        )


def _tasks_of(missing: Iterable[_Missing]) -> list[MunicipalTask]:
    return list({each.task.id: each.task for each in missing}.values())


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
    return work.registry.guard.ask(
        f"{rule.key}/ord",
        lambda: (rule.heading(task, today), rule.sentence(task, today)),
        None,
        lambda words: words is not None and is_text(300)(words[0]) and is_text()(words[1]),
    )
