"""Gathering waiting notices into one mail a recipient; each notice is looked at again before it goes."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import and_, select, tuple_, update
from sqlalchemy.orm import aliased

from klik.domain.deadlines import Colour, colour, danish_today
from klik.domain.rights import Level
from klik.domain.status import OPEN_STATUSES, Status
from klik.models import Mail, Membership, Municipality, MunicipalTask, Notice, Person
from klik.services import access
from klik.services.notices import mails, reminders, scanning, task_recipients
from klik.services.notices.ledger import MAIL
from klik.services.notices.mails import AddressUnusableError, Line, Section, Sender
from klik.services.notices.recipients import Recipient
from klik.services.views import municipal_task_views
from klik.services.work import Work

ADDRESSES = 25
VALIDITY = timedelta(hours=72)
LEAST_VALIDITY = timedelta(hours=4)
DEADLINE_MOVED = "fristen er flyttet"
GONE_PERSON = "modtageren er ikke længere aktiv"
OTHER_MUNICIPALITY = "modtageren hører ikke til kommunen"
ERASED = "opgaven er slettet"
BAD_ADDRESS = "mailadressen kan ikke bruges"
OVERTAKEN = "overhalet af en nyere mail om filteret"
FILTERS = "/filtre"
_KOMBIT = (Level.KOMBIT_ADMINISTRATOR.value, Level.KOMBIT_EDITOR.value)
_COLOURS = {Colour.RED: 0, Colour.YELLOW: 1}


@dataclass(frozen=True, slots=True)
class Composed:
    """What a round of composing did: mails made and notices withdrawn."""

    mails: int
    withdrawn: int


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a round needs to know, each loaded once."""

    people: Mapping[int, Person]
    places: Mapping[int, set[int]]
    central: set[int]
    tasks: Mapping[int, MunicipalTask]
    recipients: Mapping[int, tuple[Recipient, ...]]
    names: Mapping[int, str]
    overtaken: set[int]


def compose(work: Work, sender: Sender) -> Composed:
    """Give waiting notices of up to 25 recipients their mail; call it until nothing is done.

    The rows are locked and given their mail in one transaction, so two processes never mail the same notice.
    """
    notices = _waiting(work)
    facts = _facts(work, notices)
    keep, withdrawn = _check(work, notices, facts)
    _reword(work, keep, facts)
    made = 0
    groups: dict[object, list[Notice]] = defaultdict(list)
    for notice in keep:
        # A mailbox without a person may be shared by several municipalities; their words must not meet in it.
        whose = notice.person_id or (notice.address.casefold(), notice.municipality_id)
        groups[notice.channel, whose].append(notice)
    for group in groups.values():
        if _mail(work, sender, group, facts):
            made += 1
        else:
            withdrawn += len(group)
    return Composed(made, withdrawn)


def outdated(work: Work, queued: Sequence[Mail]) -> set[int]:
    """The ids of those mails that carry a notice which no longer holds."""
    if not queued:
        return set()
    notices = work.session.scalars(
        select(Notice).where(Notice.mail_id.in_([mail.id for mail in queued]))
    ).all()
    facts = _facts(work, notices)
    return {notice.mail_id for notice in notices if notice.mail_id and _reason(work, notice, facts)}


def _waiting(work: Work) -> Sequence[Notice]:
    waiting = (Notice.mail_id.is_(None), Notice.withdrawn_at.is_(None), Notice.due_at <= work.now)
    addresses = work.session.execute(
        select(Notice.channel, Notice.address).where(*waiting).distinct().limit(ADDRESSES)
    ).all()
    if not addresses:
        return ()
    return work.session.scalars(
        select(Notice)
        .where(*waiting, tuple_(Notice.channel, Notice.address).in_([tuple(row) for row in addresses]))
        .order_by(Notice.id)
        .with_for_update(skip_locked=True)
    ).all()


def _facts(work: Work, notices: Sequence[Notice]) -> _Facts:
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
    reminded = {notice.municipal_task_id for notice in notices if _is_reminder(work, notice)}
    codes = {notice.municipality_id for notice in notices if notice.municipality_id}
    return _Facts(
        people={person.id: person for person in people},
        places=places,
        central=central,
        tasks={task.id: task for task in tasks},
        recipients=task_recipients.of_tasks(work, [task for task in tasks if task.id in reminded]),
        names=dict(
            session.execute(
                select(Municipality.id, Municipality.name).where(Municipality.id.in_(codes))
            ).all()
        ),
        overtaken=_overtaken(work, notices),
    )


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


def _is_reminder(work: Work, notice: Notice) -> bool:
    return notice.occasion in work.registry.notification_rules and notice.municipal_task_id is not None


def _check(work: Work, notices: Sequence[Notice], facts: _Facts) -> tuple[list[Notice], int]:
    """Those that still hold; the others are withdrawn with their reason."""
    keep: list[Notice] = []
    withdrawn = 0
    newest = _newest(notices)
    for notice in notices:
        reason = _reason(work, notice, facts)
        if reason is None and newest.get(_track(notice), notice) is not notice:
            overtaker = work.registry.notification_rules[newest[_track(notice)].occasion]
            reason = f"overhalet af “{overtaker.label}”"
        if reason:
            withdraw(work, notice, reason)
            withdrawn += 1
        else:
            keep.append(notice)
    return keep, withdrawn


def _track(notice: Notice) -> tuple[int | None, str, str]:
    about = notice.dedupe_key.partition("/")[2] if notice.occasion in reminders.ORDER else notice.dedupe_key
    return notice.municipal_task_id, notice.channel, about


def _newest(notices: Iterable[Notice]) -> Mapping[tuple[int | None, str, str], Notice]:
    """Of the core's reminders of one task to one person, the one furthest on towards the deadline."""
    newest: dict[tuple[int | None, str, str], Notice] = {}
    for notice in notices:
        if notice.occasion not in reminders.ORDER:
            continue
        other = newest.get(_track(notice))
        if other is None or _urgency(notice) > _urgency(other):
            newest[_track(notice)] = notice
    return newest


def _urgency(notice: Notice) -> tuple[date, int]:
    return notice.about_day or date.min, reminders.ORDER[notice.occasion]


def _reason(work: Work, notice: Notice, facts: _Facts) -> str | None:
    """Why a notice no longer holds, or None."""
    overtaken = OVERTAKEN if notice.id in facts.overtaken else None
    return _person_reason(notice, facts) or _task_reason(work, notice, facts) or overtaken


def _person_reason(notice: Notice, facts: _Facts) -> str | None:
    if notice.person_id is None:
        return None
    person = facts.people.get(notice.person_id)
    if person is None or not person.active:
        return GONE_PERSON
    code = notice.municipality_id
    if code is not None and code not in facts.places.get(person.id, ()) and person.id not in facts.central:
        return OTHER_MUNICIPALITY
    return None


def _task_reason(work: Work, notice: Notice, facts: _Facts) -> str | None:
    task = facts.tasks.get(notice.municipal_task_id) if notice.municipal_task_id else None
    if task is None or not _is_reminder(work, notice):
        return None
    if task.erased_at is not None:
        return ERASED
    if Status(task.status) not in OPEN_STATUSES or task.withdrawn_at is not None:
        return scanning.NO_LONGER_OPEN
    if f"/mt={task.id}/v={task.deadline_version}/" not in notice.dedupe_key:
        return DEADLINE_MOVED
    if not any(_same(notice, person) for person in facts.recipients[task.id]):
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


def _reword(work: Work, notices: Sequence[Notice], facts: _Facts) -> None:
    """Reminders read as of today: one that waited overnight never says "i morgen" of yesterday."""
    old = [
        notice
        for notice in notices
        if _is_reminder(work, notice) and danish_today(notice.created_at) != work.today
    ]
    tasks = {notice.municipal_task_id: facts.tasks[notice.municipal_task_id or 0] for notice in old}
    views = {view.id: view for view in municipal_task_views(work, tasks.values())} if tasks else {}
    for notice in old:
        rule = work.registry.notification_rules[notice.occasion]
        words = scanning.worded(work, rule, views[notice.municipal_task_id or 0])
        if words and notice.about_day:
            heading, sentence = words
            notice.heading = heading[:300]
            notice.sentence = f"{sentence} {scanning.lateness(notice.about_day)}"


def _mail(work: Work, sender: Sender, notices: Sequence[Notice], facts: _Facts) -> bool:
    person = facts.people.get(notices[0].person_id or 0)
    address = person.email if person else notices[0].address
    rendered = mails.notices_mail(_sections(work, sender, notices, facts), sender.base_url)
    message_id = f"<{uuid.uuid4().hex}@{sender.address.rpartition('@')[2]}>"
    try:
        # A channel beside the mail has no address; what it gets is the text, and the bytes for the account.
        to = address if notices[0].channel == MAIL else sender.address
        content = mails.build(sender, to, rendered, message_id, work.now)
    except AddressUnusableError:
        for notice in notices:
            withdraw(work, notice, BAD_ADDRESS)
        return False
    mail = Mail(
        message_id=message_id,
        channel=notices[0].channel,
        person_id=person.id if person else None,
        address=address,
        subject=rendered.subject,
        content=content,
        state="pending",
        next_attempt_at=work.now,
        created_at=work.now,
        expires_at=max(min(notice.created_at for notice in notices) + VALIDITY, work.now + LEAST_VALIDITY),
    )
    work.session.add(mail)
    work.session.flush()
    work.session.execute(
        update(Notice)
        .where(Notice.id.in_([notice.id for notice in notices]), Notice.mail_id.is_(None))
        .values(mail_id=mail.id, address=address)
    )
    return True


def _sections(work: Work, sender: Sender, notices: Sequence[Notice], facts: _Facts) -> tuple[Section, ...]:
    by_place: dict[str | None, list[Notice]] = defaultdict(list)
    for notice in notices:
        by_place[facts.names.get(notice.municipality_id or 0)].append(notice)
    sections = []
    for place in sorted(by_place, key=lambda name: (name is not None, name or "")):
        lines = [
            (_rank(work, notice, facts), _line(work, sender, notice, facts)) for notice in by_place[place]
        ]
        lines.sort(key=lambda pair: pair[0])
        sections.append(Section(place, tuple(line for _, line in lines)))
    return tuple(sections)


def _colour(work: Work, notice: Notice, facts: _Facts) -> Colour | None:
    task = facts.tasks.get(notice.municipal_task_id or 0)
    if task is None or not _is_reminder(work, notice):
        return None
    return colour(Status(task.status), task.deadline, task.yellow_from, work.today)


def _rank(work: Work, notice: Notice, facts: _Facts) -> tuple[int, date, int]:
    task = facts.tasks.get(notice.municipal_task_id or 0)
    day = task.deadline if task and task.deadline else date.max
    shade = _colour(work, notice, facts)
    return _COLOURS.get(shade, 2) if shade else 2, day, notice.id


def _line(work: Work, sender: Sender, notice: Notice, facts: _Facts) -> Line:
    asked_for = notice.occasion == access.OWN_OCCASION
    # Only a mail about a filter holds tasks, a line each; other words are left as they are.
    sentence, *rows = notice.sentence.split("\n") if asked_for else [notice.sentence]
    return Line(
        heading=mails.one_line(notice.heading),
        sentence=sentence,
        reason=notice.reason,
        url=f"{sender.base_url}{notice.path}",
        colour=_colour(work, notice, facts),
        rows=tuple(rows),
        stop=f"{sender.base_url}{FILTERS}" if asked_for else None,
    )
