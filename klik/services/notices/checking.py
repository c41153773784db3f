"""Looking at a waiting notice again before it goes: does it still hold, is it late, how does it read today."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased

from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import Membership, Municipality, MunicipalTask, Notice, Person
from klik.services import access
from klik.services.notices import (
    ledger,
    mail_times,
    occurrences,
    reminders,
    scanning,
    still_you,
    task_recipients,
)
from klik.services.notices.mail_times import MailTimes
from klik.services.notices.recipients import Recipient, hard_addresses
from klik.services.views import municipal_task_views
from klik.services.work import Work

DEADLINE_MOVED = "fristen er flyttet"
GONE_PERSON = "modtageren er ikke længere aktiv"
OTHER_MUNICIPALITY = "modtageren hører ikke til kommunen"
ERASED = "opgaven er slettet"
OVERTAKEN = "overhalet af en nyere mail om filteret"
ANSWERED = "der er ikke længere roller at bekræfte"
_KOMBIT = (Level.KOMBIT_ADMINISTRATOR.value, Level.KOMBIT_EDITOR.value)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a round of notices needs to know, each loaded once; ``hard`` are the addresses nothing is mailed to."""

    people: Mapping[int, Person]
    places: Mapping[int, set[int]]
    central: set[int]
    tasks: Mapping[int, MunicipalTask]
    recipients: Mapping[tuple[str, int], tuple[Recipient, ...]]
    names: Mapping[int, str]
    overtaken: set[int]
    answered: set[int]
    times: MailTimes
    hard: frozenset[str]


def facts_of(work: Work, notices: Sequence[Notice]) -> Facts:
    """The facts about these notices, in a fixed number of statements."""
    session = work.session
    person_ids = {notice.person_id for notice in notices if notice.person_id}
    people = session.scalars(select(Person).where(Person.id.in_(person_ids))).all()
    places: dict[int, set[int]] = defaultdict(set)
    central: set[int] = set()
    for person_id, code, level in session.execute(
        select(Membership.person_id, Membership.municipality_id, Membership.level).where(
            Membership.person_id.in_(person_ids), Membership.active.is_(True)
        )
    ):
        if code is not None:
            places[person_id].add(code)
        elif level in _KOMBIT:
            central.add(person_id)
    task_ids = {notice.municipal_task_id for notice in notices if notice.municipal_task_id}
    tasks = session.scalars(select(MunicipalTask).where(MunicipalTask.id.in_(task_ids))).all()
    reminded = {notice.municipal_task_id for notice in notices if is_reminder(work, notice)}
    codes = {notice.municipality_id for notice in notices if notice.municipality_id}
    codes |= {code for where in places.values() for code in where}
    hard = hard_addresses(work)
    return Facts(
        people={person.id: person for person in people},
        places=places,
        central=central,
        tasks={task.id: task for task in tasks},
        recipients=_concerned(work, [task for task in tasks if task.id in reminded], notices, hard),
        names=dict(
            session.execute(
                select(Municipality.id, Municipality.name).where(Municipality.id.in_(codes))
            ).all()
        ),
        overtaken=_overtaken(work, notices),
        answered=still_you.moot(work, notices),
        times=mail_times.of_people(work, person_ids),
        hard=hard,
    )


def _concerned(
    work: Work, tasks: Sequence[MunicipalTask], notices: Sequence[Notice], hard: frozenset[str]
) -> Mapping[tuple[str, int], tuple[Recipient, ...]]:
    """Who is to be told of these tasks today, by the audience of the rules that tell."""
    audiences = {
        work.registry.notification_rules[each.occasion].audience
        for each in notices
        if is_reminder(work, each)
    }
    return {
        (audience, task_id): people
        for audience in audiences
        for task_id, people in task_recipients.of_audience(work, tasks, audience, hard).items()
    }


def _overtaken(work: Work, notices: Sequence[Notice]) -> set[int]:
    """The mails about a filter that a later day's has made superfluous."""
    ids = [notice.id for notice in notices if notice.occasion == access.OWN_OCCASION]
    if not ids:
        return set()
    newer = aliased(Notice)
    same = and_(
        newer.person_id == Notice.person_id,
        newer.occasion == Notice.occasion,
        newer.path == Notice.path,
        newer.about_day > Notice.about_day,
    )
    return set(work.session.scalars(select(Notice.id).join(newer, same).where(Notice.id.in_(ids))))


def is_reminder(work: Work, notice: Notice) -> bool:
    """Whether a rule wrote it about a municipal task."""
    return notice.occasion in work.registry.notification_rules and notice.municipal_task_id is not None


def check(work: Work, notices: Sequence[Notice], facts: Facts) -> tuple[list[Notice], int]:
    """Those that still hold; the others are withdrawn with their reason."""
    keep: list[Notice] = []
    withdrawn = 0
    newest = _newest(work, notices)
    for notice in notices:
        reason = reason_to_withdraw(work, notice, facts)
        if reason in (None, ledger.BOUNCES) and newest.get(_track(notice), notice) is not notice:
            overtaker = work.registry.notification_rules[newest[_track(notice)].occasion]
            reason = f"overhalet af “{overtaker.label}”"
        if reason:
            withdraw(work, notice, reason)
            withdrawn += 1
        else:
            keep.append(notice)
    return keep, withdrawn


def _track(notice: Notice) -> tuple[int | None, str, str]:
    return notice.municipal_task_id, notice.channel, occurrences.track(notice.occasion, notice.dedupe_key)


def _newest(work: Work, notices: Iterable[Notice]) -> Mapping[tuple[int | None, str, str], Notice]:
    """Of the reminders of one task to one person that overtake one another, the one furthest on."""
    newest: dict[tuple[int | None, str, str], Notice] = {}
    for notice in notices:
        rule = work.registry.notification_rules.get(notice.occasion)
        if rule is None or not occurrences.overtakes(rule):
            continue
        other = newest.get(_track(notice))
        if other is None or _urgency(notice) > _urgency(other):
            newest[_track(notice)] = notice
    return newest


def _urgency(notice: Notice) -> tuple[date, int]:
    return notice.about_day or date.min, reminders.ORDER.get(notice.occasion, 0)


def reason_to_withdraw(work: Work, notice: Notice, facts: Facts) -> str | None:
    """Why a notice no longer holds, in Danish, or None."""
    overtaken = OVERTAKEN if notice.id in facts.overtaken else None
    return (
        _person_reason(notice, facts)
        or _task_reason(work, notice, facts)
        or overtaken
        or (ANSWERED if notice.id in facts.answered else None)
        or _address_reason(notice, facts)
    )


def _address_reason(notice: Notice, facts: Facts) -> str | None:
    if notice.channel != ledger.MAIL:
        return None
    person = facts.people.get(notice.person_id or 0)
    address = person.email if person else notice.address
    return ledger.BOUNCES if address.casefold() in facts.hard else None


def _person_reason(notice: Notice, facts: Facts) -> str | None:
    if notice.person_id is None:
        return None
    person = facts.people.get(notice.person_id)
    if person is None or not person.active:
        return GONE_PERSON
    code = notice.municipality_id
    if code is not None and code not in facts.places.get(person.id, ()) and person.id not in facts.central:
        return OTHER_MUNICIPALITY
    return None


def _task_reason(work: Work, notice: Notice, facts: Facts) -> str | None:
    task = facts.tasks.get(notice.municipal_task_id) if notice.municipal_task_id else None
    if task is None or not is_reminder(work, notice):
        return None
    if task.erased_at is not None:
        return ERASED
    if Status(task.status) not in OPEN_STATUSES or task.withdrawn_at is not None:
        return scanning.NO_LONGER_OPEN
    if f"/mt={task.id}/v={task.deadline_version}/" not in notice.dedupe_key:
        return DEADLINE_MOVED
    audience = work.registry.notification_rules[notice.occasion].audience
    if not any(_same(notice, person) for person in facts.recipients[audience, task.id]):
        return scanning.NO_LONGER_RECIPIENT
    return None


def _same(notice: Notice, person: Recipient) -> bool:
    if notice.person_id is not None:
        return notice.person_id == person.person_id
    return person.person_id is None and notice.address.casefold() == person.address.casefold()


def withdraw(work: Work, notice: Notice, reason: str) -> None:
    """Take a notice back before it is sent; it stays in the account with its reason."""
    notice.withdrawn_at = work.now
    notice.withdrawal_reason = reason


def is_late(work: Work, notice: Notice, times: MailTimes) -> bool:
    """Whether a reminder missed the mail it was for: when it was entered, or since."""
    if not is_reminder(work, notice):
        return False
    if scanning.LATE in notice.sentence:
        return True
    return times.meant_for(notice.person_id, notice.occasion, notice.created_at) < work.today


def reword(work: Work, notices: Sequence[Notice], facts: Facts) -> None:
    """Reminders read as of today: one that waited overnight never says "i morgen" of yesterday."""
    old = [
        notice
        for notice in notices
        if is_reminder(work, notice) and danish_today(notice.created_at) != work.today
    ]
    tasks = {notice.municipal_task_id: facts.tasks[notice.municipal_task_id or 0] for notice in old}
    views = {view.id: view for view in municipal_task_views(work, tasks.values())} if tasks else {}
    for notice in old:
        rule = work.registry.notification_rules[notice.occasion]
        words = scanning.worded(work, rule, views[notice.municipal_task_id or 0])
        if words and notice.about_day:
            late = is_late(work, notice, facts.times)
            notice.heading = words[0][:300]
            notice.sentence = f"{words[1]} {scanning.lateness(notice.about_day)}" if late else words[1]
