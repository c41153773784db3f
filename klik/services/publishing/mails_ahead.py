"""The notices a publication would cause over the next 90 days: the scanner's rules, played through day by day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select

from klik.models import MunicipalTask, Person, Project, Task, TaskVersion
from klik.plugins.contributions import NotificationRule
from klik.services.notices import occurrences, reminders, scanning
from klik.services.notices import recipients as notice_recipients
from klik.services.notices.occurrences import Due
from klik.services.notices.recipients import Recipient
from klik.services.publishing import copies
from klik.services.publishing.copies import Dates
from klik.services.views import municipal_task_views
from klik.services.work import Work

DAYS = 90
AT_PUBLICATION = "Ved udgivelsen"
MOST_BUSY = 3


@dataclass(frozen=True, slots=True)
class Busiest:
    """Somebody who would be told the most; ``place`` is the municipality, or how many."""

    name: str
    place: str
    count: int


@dataclass(frozen=True, slots=True)
class MailsAhead:
    """Notices of the next 90 days, as the tasks stand and as roles are held now, if nobody does anything.

    ``occasions`` counts them by what causes them, in order of time; ``people`` is how many are told at all.
    """

    total: int
    people: int
    occasions: tuple[tuple[str, int], ...]
    busiest: tuple[Busiest, ...]


def mails_ahead(
    work: Work,
    task: Task,
    version: TaskVersion,
    project: Project,
    dates: Sequence[Dates],
    names: Mapping[int, str],
) -> MailsAhead:
    """Play it through for a task that is not stored; a fixed number of statements, however many recipients.

    ``names`` are the municipalities' by code. Nothing is written.
    """
    occasions: Counter[str] = Counter()
    told: Counter[tuple[int | str, int | None]] = Counter()
    addresses: dict[int | str, str] = {}

    def tell(occasion: str, each: Recipient) -> None:
        addresses[each.who] = each.address
        occasions[occasion] += 1
        told[each.who, each.municipality_id] += 1

    for each in _at_publication(work, names, project.system_code):
        tell(AT_PUBLICATION, each)
    unsaved = _unsaved(work, task, version, project, dates)
    for rule, each in _played(work, version, unsaved):
        tell(work.registry.notification_rules[rule].label, each)
    return MailsAhead(
        total=occasions.total(),
        people=len(addresses),
        occasions=tuple(occasions.items()),
        busiest=_busiest(work, told, addresses, names),
    )


def _at_publication(work: Work, names: Mapping[int, str], system: str | None) -> Iterator[Recipient]:
    """Each municipality's; nobody is told of their own doing, nor twice of one copy."""
    me = work.actor.person_id if work.actor else None
    for people in notice_recipients.of_municipalities(work, names, system).values():
        for who, each in {each.who: each for each in people}.items():
            if not each.bounces and (me is None or who != me):
                yield each


def _unsaved(
    work: Work, task: Task, version: TaskVersion, project: Project, dates: Sequence[Dates]
) -> list[MunicipalTask]:
    """The copies as they would be; ids below zero, which no stored task has."""
    rows = copies.rows_of(work, task, version, project, dates)
    return [
        MunicipalTask(**row, id=-place, deadline_version=1)  # type: ignore[arg-type]
        for place, row in enumerate(rows, start=1)
    ]


def _played(
    work: Work, version: TaskVersion, unsaved: Sequence[MunicipalTask]
) -> list[tuple[str, Recipient]]:
    """Who is told by each rule, rules in the order in which they first speak."""
    fields = {field.field: field.value for field in version.fields}
    views = [replace(view, fields=fields) for view in municipal_task_views(work, unsaved)]
    end = work.today + timedelta(days=DAYS - 1)
    dues: dict[int, list[Due]] = defaultdict(list)
    for rule in work.registry.notification_rules.values():
        asked = [view for view in views if not rule.systems or view.system in rule.systems]
        for task_id, first in occurrences.first_days(work, rule, asked).items():
            if first is not None:
                earliest = work.today - timedelta(days=rule.late_days)
                days = occurrences.days_of(rule, first, earliest, end)
                dues[task_id] += [Due(rule, day) for day in days]
    chosen = scanning.days_before(work)
    people = scanning.people_of(work, unsaved, dues)
    play = _player(work.today, end)
    first_told: dict[str, date] = {}
    found: dict[str, list[Recipient]] = defaultdict(list)
    for task_id, due in dues.items():
        for as_what in people[task_id].values():
            person_id = next(iter(as_what.values())).person_id
            for day, rule in play(due, frozenset(as_what), chosen.get(person_id or 0, reminders.USUAL_DAYS)):
                to = as_what[rule.audience]
                if not to.bounces:
                    found[rule.key].append(to)
                    first_told[rule.key] = min(day, first_told.get(rule.key, day))
    order = sorted(found, key=lambda rule: (first_told[rule], rule))
    return [(rule, to) for rule in order for to in found[rule]]


_Heard = list[tuple[date, NotificationRule]]


def _player(start: date, end: date) -> Callable[[Sequence[Due], frozenset[str], frozenset[int]], _Heard]:
    """Plays what somebody hears of a task; the same for all with the same reminders, part and days."""
    played: dict[object, _Heard] = {}

    def play(dues: Sequence[Due], audiences: frozenset[str], days: frozenset[int]) -> _Heard:
        key = (tuple((due.rule.key, due.day) for due in dues), audiences, days)
        if key not in played:
            own = [due for due in dues if due.rule.audience in audiences]
            played[key] = list(_heard(own, days, start, end))
        return played[key]

    return play


def _heard(
    dues: Sequence[Due], days: frozenset[int], start: date, end: date
) -> Iterator[tuple[date, NotificationRule]]:
    """What the scanner would send somebody of one task, run once a day from its publication on."""
    known: set[Due] = set()
    for today in sorted({max(due.day, start) for due in dues}):
        ripe = [due for due in dues if timedelta(0) <= today - due.day <= timedelta(days=due.rule.late_days)]
        for due, overtaker in occurrences.for_somebody(occurrences.in_order(ripe), days):
            if due in known or (overtaker and due.day < start):
                continue
            known.add(due)
            if overtaker is None and today <= end:
                yield today, due.rule


def _busiest(
    work: Work,
    told: Mapping[tuple[int | str, int | None], int],
    addresses: Mapping[int | str, str],
    names: Mapping[int, str],
) -> tuple[Busiest, ...]:
    counts: Counter[int | str] = Counter()
    places: dict[int | str, list[str]] = defaultdict(list)
    for (who, code), count in told.items():
        counts[who] += count
        places[who].append(names.get(code or 0, "KOMBIT"))
    most = sorted(counts, key=lambda who: (-counts[who], places[who][0], str(who)))[:MOST_BUSY]
    people = {who for who in most if isinstance(who, int)}
    known = dict(work.session.execute(select(Person.id, Person.name).where(Person.id.in_(people))).all())
    return tuple(
        Busiest(
            known.get(who, addresses[who]) if isinstance(who, int) else addresses[who],
            places[who][0] if len(places[who]) == 1 else f"{len(places[who])} kommuner",
            counts[who],
        )
        for who in most
    )
