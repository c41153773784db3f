"""What should be in the ledger against what is there."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from klik.models import Mail, MunicipalTask, Notice
from klik.plugins.contributions import NotificationRule
from klik.plugins.manager import CORE, plugin_of
from klik.plugins.views import MunicipalTaskView
from klik.services.control import expected
from klik.services.control.expected import Reminder, Somebody
from klik.services.control.findings import Broken, Findings, Missing
from klik.services.control.healing import revive, rewrite_keys
from klik.services.control.people import OpenTask, People, open_tasks
from klik.services.views import municipal_task_views
from klik.services.work import Work

PLUGIN_PATIENCE = 10.0  # seconds for one rule and a thousand tasks
# What a reminder is withdrawn for while it does not hold; none of it holds for one that should go today.
UNTRUE = ("opgaven er ikke længere åben", "modtageren har ikke længere noget med opgaven at gøre")
OVERTAKEN = "overhalet af"
RETURNS = "adressen kommer retur"


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    key: str
    occasion: str
    person_id: int | None
    address: str
    about_day: date | None
    state: str
    reason: str

    def is_of(self, who: Somebody) -> bool:
        if who.person_id is not None:
            return self.person_id == who.person_id
        return self.person_id is None and self.address.casefold() == who.address.casefold()


@dataclass(frozen=True, slots=True)
class _Wanted:
    task: OpenTask
    reminder: Reminder
    who: Somebody
    overtaker: str | None


def compare(work: Work, found: Findings, leader_days: int) -> None:
    """Look at every open task."""
    rules = work.registry.notification_rules
    foreign = [rule for rule in rules.values() if plugin_of(rule.key) != CORE]
    people = People(work)
    for tasks in open_tasks(work, all_dates=bool(foreign)):
        wanted = [each for task in tasks for each in _core(work, task, people, leader_days)]
        wanted += _foreign(work, tasks, people, foreign)
        if wanted:
            _look_up(work, found, wanted, people)


def _core(work: Work, task: OpenTask, people: People, leader_days: int) -> list[_Wanted]:
    if task.deadline is None:
        return []
    declared = work.registry.notification_rules.keys()
    found = []
    for who in people.of_task(task) or [NOBODY]:
        days = people.days_before(who, task.deadline)
        reminders = expected.passed(task.deadline, task.yellow_from, days, work.today, declared)
        overtaker = reminders[-1].rule if reminders else None
        for each in reminders:
            if each.overtaken and each.day < task.began:
                continue  # the task came, or its deadline moved, after that day
            found.append(_Wanted(task, each, who, overtaker if each.overtaken else None))
    day = expected.leader_day(task.deadline, leader_days)
    if expected.LEADER in declared and day and expected.in_window(day, work.today):
        found += [_Wanted(task, Reminder(expected.LEADER, day), who, None) for who in people.leaders(task)]
    return found


NOBODY = Somebody(None, "", "")


def _foreign(
    work: Work, tasks: Sequence[OpenTask], people: People, rules: Sequence[NotificationRule]
) -> list[_Wanted]:
    """What plug-ins' rules say; they are the only ones who know, so each is asked itself."""
    if not rules:
        return []
    rows = work.session.scalars(
        select(MunicipalTask).where(MunicipalTask.id.in_([each.id for each in tasks]))
    )
    views = {view.id: view for view in municipal_task_views(work, rows)}
    found = []
    for rule in rules:
        days = _days(work, rule, views)
        for task in tasks:
            first = days.get(task.id)
            day = first and expected.newest_occurrence(first, rule.repeat_days, work.today, rule.late_days)
            if day:
                told = people.leaders(task) if rule.audience == "leader" else people.of_task(task)
                reminder = Reminder(rule.key, day, repeats=rule.repeat_days > 0)
                found += [_Wanted(task, reminder, who, None) for who in told or [NOBODY]]
    work.session.expunge_all()
    return found


def _days(work: Work, rule: NotificationRule, views: Mapping[int, MunicipalTaskView]) -> Mapping[int, date]:
    answers: dict[int, date] = {}

    def ask() -> None:
        faults = []
        for task_id, view in views.items():
            try:
                day = rule.due(view)
            except Exception as fault:
                faults.append(fault)
                continue
            if type(day) is date:
                answers[task_id] = day
        if faults:
            raise faults[0]

    work.registry.guard.ask(f"{rule.key}/kontrol", ask, None, patience=PLUGIN_PATIENCE)
    return dict(answers)


def _look_up(work: Work, found: Findings, wanted: Sequence[_Wanted], people: People) -> None:
    rows = _rows(work, {each.task.id for each in wanted})
    mangled: dict[int, str] = {}
    untrue: list[int] = []
    without: set[int] = set()
    for each in wanted:
        if each.who is NOBODY:
            without.add(each.task.id)
            continue
        its = rows.get(each.task.id, ())
        if each.overtaker is None and not _somebody_reachable(its, each, people):
            without.add(each.task.id)
        about = each.reminder.about(each.task.id, each.task.deadline_version)
        row = _row_of(its, f"{about}/{each.who.key}"[:200])
        tally = found.tallies[each.reminder.rule]
        if row is None and (stray := _stray(its, each, mangled)):
            mangled[stray.id] = f"{about}/{each.who.key}"[:200]
            row = stray
        if row is None:
            tally.missing += 1
            found.missing.append(_missing(each, about, its, work.today))
            continue
        if row.state == "withdrawn" and each.overtaker is None and row.reason in UNTRUE:
            untrue.append(row.id)
            tally.add("pending")
        elif row.state == "withdrawn" and row.reason.startswith(RETURNS):
            tally.add("bounced")
        elif not (row.state == "withdrawn" and row.reason.startswith(OVERTAKEN)):
            tally.add(row.state)
    found.nobody += len(without)
    if mangled:
        found.broken.append(
            Broken("nøglen var ødelagt", tuple(mangled), lambda heal, _ids: rewrite_keys(heal, mangled))
        )
    if untrue:
        found.broken.append(Broken("var trukket tilbage med urette", tuple(untrue), revive))


def _somebody_reachable(rows: Iterable[_Row], wanted: _Wanted, people: People) -> bool:
    """Whether the mail comes to somebody: to this one, or to whoever was told in their stead."""
    if people.reachable(wanted.who):
        return True
    about = f"{wanted.reminder.about(wanted.task.id, wanted.task.deadline_version)}/"
    return any(
        row.key.startswith(about) and people.reachable(Somebody(row.person_id, row.address, ""))
        for row in rows
    )


def _rows(work: Work, task_ids: Iterable[int]) -> Mapping[int, Sequence[_Row]]:
    rows: dict[int, list[_Row]] = defaultdict(list)
    for row in work.session.execute(
        select(
            Notice.municipal_task_id,
            Notice.withdrawn_at,
            Mail.state.label("mail_state"),
            Notice.withdrawal_reason,
            Notice.id,
            Notice.dedupe_key,
            Notice.occasion,
            Notice.person_id,
            Notice.address,
            Notice.about_day,
        )
        .outerjoin(Mail, Mail.id == Notice.mail_id)
        .where(Notice.municipal_task_id.in_(sorted(task_ids)))
    ):
        rows[row.municipal_task_id].append(
            _Row(
                id=row.id,
                key=row.dedupe_key,
                occasion=row.occasion,
                person_id=row.person_id,
                address=row.address,
                about_day=row.about_day,
                state="withdrawn" if row.withdrawn_at else row.mail_state or "pending",
                reason=row.withdrawal_reason or "",
            )
        )
    return rows


def _row_of(rows: Iterable[_Row], key: str) -> _Row | None:
    return next((row for row in rows if row.key == key), None)


def _stray(rows: Iterable[_Row], wanted: _Wanted, taken: Mapping[int, str]) -> _Row | None:
    """The row that is the wanted one but for its key: nothing that a key of this rule and task looks like."""
    shape = re.compile(
        rf"{re.escape(wanted.reminder.rule)}/mt={wanted.task.id}/v=\d+(/d=\d{{4}}-\d\d-\d\d)?/[^/]+"
    )
    for row in rows:
        same = row.occasion == wanted.reminder.rule and row.about_day == wanted.reminder.day
        if same and row.id not in taken and row.is_of(wanted.who) and not shape.fullmatch(row.key):
            return row
    return None


def _missing(wanted: _Wanted, about: str, rows: Iterable[_Row], today: date) -> Missing:
    day = wanted.reminder.day
    is_first = not any(row.key.startswith(f"{about}/") for row in rows)
    return Missing(
        task_id=wanted.task.id,
        municipality_id=wanted.task.municipality_id,
        about=about,
        reminder=wanted.reminder,
        who=wanted.who,
        late=wanted.task.began <= day < today and is_first,
        overtaker=wanted.overtaker,
    )
