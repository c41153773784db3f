"""The account on a task's page: occasion by occasion, who was told and how far it came; and what comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from klik.domain import mail_hours
from klik.domain.calendar import clock, in_denmark
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import MunicipalTask, NoticeSettings, Person
from klik.plugins.contributions import NotificationRule
from klik.plugins.views import MunicipalTaskView
from klik.services import access
from klik.services.notices import account, occurrences, reminders, scanning, task_recipients
from klik.services.notices.account import NoticeRow
from klik.services.notices.occasions import QUIET
from klik.services.work import Work

MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Told:
    """One recipient in the account: who in short and in full, how far it came, and why just they."""

    who: str
    name: str
    state: str
    reason: str
    detail: str | None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occasion, with all who were to be told of it."""

    label: str
    day: date
    told: tuple[Told, ...]

    @property
    def words(self) -> str:
        """ "Mette 02-11 07:00 afleveret · Jens retur · Ali og Bo springes over (fuldført)"."""
        alike: dict[str, list[str]] = {}
        for each in self.told:
            alike.setdefault(each.state, []).append(each.who)
        return " · ".join(f"{_listed(who)} {state}" for state, who in alike.items())


def of_task(work: Work, task: MunicipalTask) -> Sequence[Occurrence]:
    """Each occasion that the actor may see, the newest first; one statement."""
    grouped: dict[str, list[NoticeRow]] = {}
    for row in reversed(account.of_task(work, task)):
        grouped.setdefault(row.dedupe_key.rpartition("/")[0], []).append(row)
    return [_occurrence(task, rows[::-1]) for rows in grouped.values()]


def _occurrence(task: MunicipalTask, rows: Sequence[NoticeRow]) -> Occurrence:
    firsts = Counter(row.recipient.split(" ")[0] for row in rows)
    day = rows[0].about_day or in_denmark(rows[0].created_at).date()
    return Occurrence(
        rows[0].occasion_label,
        day if rows[0].occasion != QUIET else in_denmark(rows[0].created_at).date(),
        tuple(_told(task, row, firsts) for row in rows),
    )


def _told(task: MunicipalTask, row: NoticeRow, firsts: Mapping[str, int]) -> Told:
    first = row.recipient.split(" ")[0]
    return Told(
        who=first if firsts[first] == 1 else row.recipient,
        name=row.recipient,
        state=_state(task, row),
        reason=row.reason,
        detail=row.note if row.state not in ("withdrawn", "pending") else None,
    )


def _state(task: MunicipalTask, row: NoticeRow) -> str:
    if row.occasion == QUIET:
        return row.note or ""
    if row.state == account.WITHDRAWN:
        return f"springes over ({_why(task, row.note or '')})"
    if row.state == "sent" and row.sent_at:
        return f"{_short(row.sent_at)} {row.state_label}"
    if row.state == account.WAITING and row.attempts == 0:
        return f"venter til {_short(row.due_at)}"
    return row.state_label


def _why(task: MunicipalTask, reason: str) -> str:
    """ "fuldført" in place of "opgaven er ikke længere åben" while the task still is just that."""
    status = Status(task.status)
    if reason == scanning.NO_LONGER_OPEN and status not in OPEN_STATUSES:
        return status.label.lower()
    return reason


def _short(moment: datetime) -> str:
    return f"{in_denmark(moment):%d-%m %H:%M}"


def upcoming(work: Work, task: MunicipalTask, view: MunicipalTaskView) -> str | None:
    """ "7 dage til frist, 14. december 2026 kl. 07.00 til Mette Krog": the next reminder, None when none will come.

    Suppliers see nothing of people. A handful of statements, however many rules and people.
    """
    if not access.sees_people(work) or Status(task.status) not in OPEN_STATUSES:
        return None
    if task.withdrawn_at is not None or task.deadline is None:
        return None
    people: dict[str, Sequence[_Addressee]] = {}
    for day, rule in _ahead(work, view):
        if rule.audience not in people:
            people[rule.audience] = _addressees(work, task, rule.audience)
        told = [each for each in people[rule.audience] if reminders.chosen(rule.key, each.days_before)]
        if told:
            moment = mail_hours.on_day(mail_hours.mail_day(day), min(each.hour for each in told))
            return f"{rule.label}, {clock(moment)} til {_listed([each.name for each in told])}"
    return None


def _ahead(work: Work, view: MunicipalTaskView) -> list[tuple[date, NotificationRule]]:
    """The days ahead on which a rule speaks, the nearest first; what is due today is in the ledger."""
    found = []
    for rule in work.registry.notification_rules.values():
        first = occurrences.first_days(work, rule, [view]).get(view.id)
        if first is None:
            continue
        tomorrow = work.today + timedelta(days=1)
        latest = max(first, tomorrow + timedelta(days=rule.repeat_days))
        day = next(occurrences.days_of(rule, first, tomorrow, latest), None)
        if day is not None:
            found.append((day, rule))
    return sorted(found, key=lambda due: (due[0], reminders.ORDER.get(due[1].key, 0)))


@dataclass(frozen=True, slots=True)
class _Addressee:
    name: str
    hour: int
    days_before: frozenset[int]


def _addressees(work: Work, task: MunicipalTask, audience: str) -> Sequence[_Addressee]:
    """Whom a rule with this audience mails, with what each has chosen; a mailbox is told as usual."""
    people = task_recipients.of_audience(work, [task], audience).get(task.id, ())
    reached = [each for each in people if not each.bounces]
    rows = work.session.execute(
        select(Person.id, Person.name, NoticeSettings.hour, NoticeSettings.days_before)
        .outerjoin(NoticeSettings, NoticeSettings.person_id == Person.id)
        .where(Person.id.in_([each.person_id for each in reached if each.person_id]))
    )
    known = {
        person: _Addressee(
            name,
            mail_hours.DEFAULT_HOUR if hour is None else hour,
            reminders.USUAL_DAYS if days is None else reminders.days_in(days),
        )
        for person, name, hour, days in rows
    }
    return [
        known.get(each.person_id or 0)
        or _Addressee(each.address, mail_hours.DEFAULT_HOUR, reminders.USUAL_DAYS)
        for each in reached
    ]


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:MOST_NAMED])
    if len(names) > MOST_NAMED:
        return f"{', '.join(shown)} og {len(names) - MOST_NAMED} andre"
    return f"{', '.join(shown[:-1])} og {shown[-1]}" if len(shown) > 1 else shown[0]
