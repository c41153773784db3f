"""When a person is mailed, as they want it: their hour, what comes at once, and reminders before a deadline."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from klik.domain import mail_hours
from klik.models import Notice, NoticeSettings, Person
from klik.services import access, auditing, topics
from klik.services.errors import ConflictError, Difference, ForbiddenError, RefusedError
from klik.services.notices import ledger, mail_times, reminders, scanning
from klik.services.notices.occasions import OCCASIONS, occasion_label
from klik.services.work import Work

HOURS = range(6, 19)
DAYS = (14, 7, 3, 2, 1)
USUAL_DAYS = (7, 1)
DEADLINES = "Frister"
TOPICS = "Beskeder, du har tilmeldt dig"
_REST = "Andet"
# In which group the page shows an occasion; those that are not named here stand under "Andet".
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "Opgaver": (
        "udgivet",
        "annonceret",
        "tildelt",
        "overdraget",
        "rettet",
        "frist-flyttet",
        "opgaver-tilkommet",
        "trukket-tilbage",
    ),
    "Roller og adgang": ("plusbruger", "ny-rolle", "rolle-ledig", "rolle-bekraeft", "rolle-svar"),
    "Spørgsmål og beskeder": (access.MENTION, "spoergsmaal", "besvaret", "skrevet"),
    "Sletning": (
        "sletning-varslet",
        "sletning-udsat",
        "sletning-fortrudt",
        "sletning-rykker",
        "sletning-bevaring",
        "sletning-afgoerelse",
    ),
}
# What only KOMBIT is told.
_CENTRAL = frozenset({"plan-fejlede", "sendt-tilbage", "spoergsmaal", "sletning-bevaring", "kontrol"})


@dataclass(frozen=True, slots=True)
class Choices:
    """What somebody has chosen, or what is usual; ``version`` is 0 as long as nothing was ever stored."""

    hour: int
    at_once: frozenset[str]
    days_before: frozenset[int]
    version: int
    usual: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Occasions that stand together, each with its label, and those of them that usually come at once."""

    label: str
    occasions: Mapping[str, str]
    at_once: frozenset[str]


@dataclass(frozen=True, slots=True)
class NextMail:
    """The actor's next mail of the day, and how many notices wait for it."""

    at: datetime
    notices: int


def groups(work: Work) -> Sequence[Group]:
    """The occasions the actor can choose between; those that always come at once are not among them."""
    central = work.actor is not None and work.actor.kombit
    keys = [
        occasion.key
        for occasion in OCCASIONS.values()
        if not occasion.fixed and (central or occasion.key not in _CENTRAL)
    ]
    named: dict[str, list[str]] = {DEADLINES: list(work.registry.notification_rules)}
    for label, members in _GROUPS.items():
        named[label] = [key for key in members if key in keys]
    named[TOPICS] = sorted(topics.subscribed(work) & work.registry.topics.keys())
    grouped = {key for members in named.values() for key in members}
    named[_REST] = [key for key in keys if key not in grouped]
    return [
        Group(
            label,
            {key: occasion_label(work.registry, key) for key in members},
            frozenset(key for key in members if mail_times.usually_at_once(work.registry, key)),
        )
        for label, members in named.items()
        if members
    ]


def read(work: Work) -> Choices:
    """What the actor has chosen."""
    row = work.session.get(NoticeSettings, _person_id(work))
    offered = _offered(work)
    if row is None:
        return Choices(mail_hours.DEFAULT_HOUR, _usual(work), frozenset(USUAL_DAYS), 0, True)
    words = mail_times.listed(row.at_once)
    return Choices(
        hour=row.hour,
        at_once=_usual(work) if words is None else frozenset(words) & offered,
        days_before=_days(row),
        version=row.version,
        usual=row.hour == mail_hours.DEFAULT_HOUR and words is None and row.days_before is None,
    )


def choose(
    work: Work, hour: int, at_once: Collection[str], days_before: Collection[int], version: int
) -> None:
    """Store the choice and move what waits to its new time; what is usual is stored as such.

    ``version`` is the one the form was drawn with. Raises RefusedError ("hour", "at_once", "days_before"), and
    ConflictError when another window was first.
    """
    row = _to_change(work, version, hour)
    if hour not in HOURS and hour != row.hour:
        raise RefusedError({"hour": f"Vælg et klokkeslæt fra kl. {HOURS[0]} til kl. {HOURS[-1]}."})
    if unknown := set(at_once) - _offered(work):
        raise RefusedError({"at_once": f"“{min(unknown)[:40]}” kan ikke vælges."})
    if set(days_before) - set(DAYS):
        raise RefusedError({"days_before": "Vælg mellem 14, 7, 3, 2 og 1 dag før fristen."})
    row.hour = hour
    row.at_once = None if set(at_once) == _usual(work) else ",".join(sorted({*at_once, *_kept(work)}))
    if len(row.at_once or "") > topics.LONGEST_CHOICE:
        raise RefusedError({"at_once": "Du har valgt flere, end klik kan huske. Fjern nogle hak."})
    _choose_days(work, row, frozenset(days_before))
    _store(work, row, "choose-mail-times")


def reset(work: Work, version: int) -> None:
    """Back to what is usual; raises ConflictError when another window was first."""
    row = _to_change(work, version, mail_hours.DEFAULT_HOUR)
    row.hour, row.at_once = mail_hours.DEFAULT_HOUR, None
    _choose_days(work, row, frozenset(USUAL_DAYS))
    _store(work, row, "reset-mail-times")


def next_mail(work: Work) -> NextMail:
    """When the actor's next mail of the day goes, and with how much as things stand."""
    person_id = _person_id(work)
    waiting = (*_waits(person_id), Notice.due_at > work.now)
    first = work.session.scalar(select(func.min(Notice.due_at)).where(*waiting))
    hour = mail_times.of_people(work, [person_id]).hour(person_id)
    at = first or mail_hours.next_mail(work.now, hour)
    count = select(func.count()).select_from(Notice).where(*waiting, Notice.due_at <= at)
    return NextMail(at, work.session.scalar(count) or 0)


def _person_id(work: Work) -> int:
    if work.actor is None:
        raise ForbiddenError
    return work.actor.person_id


def _offered(work: Work) -> frozenset[str]:
    return frozenset(key for group in groups(work) for key in group.occasions)


def _usual(work: Work) -> frozenset[str]:
    return frozenset().union(*(group.at_once for group in groups(work)))


def _kept(work: Work) -> frozenset[str]:
    """What is not offered to the actor and usually comes at once goes on doing so."""
    return frozenset(
        key
        for key in OCCASIONS
        if key not in _offered(work) and mail_times.usually_at_once(work.registry, key)
    )


def _to_change(work: Work, version: int, hour: int) -> NoticeSettings:
    person_id = _person_id(work)
    # The person's row is locked, so that two first choices at once meet here and not at the key of the table.
    work.session.get_one(Person, person_id, with_for_update=True)
    row = work.session.get(NoticeSettings, person_id, populate_existing=True)
    if (row.version if row else 0) != version:
        theirs = row.hour if row else mail_hours.DEFAULT_HOUR
        difference = Difference("Klokkeslæt", f"kl. {hour:02d}.00", f"kl. {theirs:02d}.00")
        raise ConflictError(row.version if row else 0, (difference,) if hour != theirs else ())
    if row is None:
        row = NoticeSettings(person_id=person_id, hour=mail_hours.DEFAULT_HOUR)
        work.session.add(row)
    return row


def _days(row: NoticeSettings) -> frozenset[int]:
    words = mail_times.listed(row.days_before)
    return frozenset(USUAL_DAYS if words is None else map(int, words))


def _choose_days(work: Work, row: NoticeSettings, after: frozenset[int]) -> None:
    """Change the days: what waits of one that goes is withdrawn, and comes back with it when it is still to come."""
    before = _days(row)
    row.chosen_on = _chosen_on(work, row, before, after)
    row.days_before = None if after == set(USUAL_DAYS) else ",".join(str(day) for day in DAYS if day in after)
    of_days = (Notice.person_id == row.person_id, Notice.mail_id.is_(None))
    work.session.execute(
        update(Notice)
        .where(
            *of_days,
            Notice.occasion.in_([reminders.BEFORE[day] for day in before - after]),
            Notice.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=work.now, withdrawal_reason=scanning.NOT_CHOSEN)
    )
    work.session.execute(
        update(Notice)
        .where(
            *of_days,
            Notice.occasion.in_([reminders.BEFORE[day] for day in after - before]),
            Notice.withdrawal_reason == scanning.NOT_CHOSEN,
            Notice.about_day >= work.today,
        )
        .values(withdrawn_at=None, withdrawal_reason=None)
    )


def _chosen_on(work: Work, row: NoticeSettings, before: frozenset[int], after: frozenset[int]) -> str | None:
    """Since when the days of the new choice are wanted: the added ones from today on, the others as before."""
    since = dict(word.split("=") for word in mail_times.listed(row.chosen_on) or ())
    kept = {day: since[str(day)] for day in after & before if str(day) in since}
    since_when = kept | {day: work.today.isoformat() for day in after - before}
    return ",".join(f"{day}={since_when[day]}" for day in sorted(since_when, reverse=True)) or None


def _store(work: Work, row: NoticeSettings, act: str) -> None:
    work.session.flush()
    moved = _move_waiting(work, row.person_id)
    auditing.record(work, act, f"person/{row.person_id}", {"hour": row.hour, "moved": moved})


def _waits(person_id: int) -> tuple:  # type: ignore[type-arg]
    return (
        Notice.person_id == person_id,
        Notice.mail_id.is_(None),
        Notice.withdrawn_at.is_(None),
        Notice.channel == ledger.MAIL,
    )


def _move_waiting(work: Work, person_id: int) -> int:
    """Give what waits for the person's mail its time anew; how many rows got another."""
    times = mail_times.of_people(work, [person_id])
    moved = 0
    for notice in work.session.scalars(select(Notice).where(*_waits(person_id)).with_for_update()):
        due_at = times.again(person_id, notice.occasion, notice.created_at, work.now)
        if due_at != notice.due_at:
            notice.due_at = due_at
            moved += 1
    work.session.flush()
    return moved
