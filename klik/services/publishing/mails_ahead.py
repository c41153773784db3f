"""The notices a publication would cause over the next 90 days: the scanner's rules, played through day by day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlalchemy import select

from klik.models import MunicipalTask, Person, Project, Task, TaskVersion
from klik.services.notices import recipients as notice_recipients
from klik.services.notices import reminders, scanning, task_recipients
from klik.services.notices.recipients import Recipient
from klik.services.notices.scanning import Due
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

    def tell(occasion: str, people: Sequence[Recipient]) -> None:
        for each in people:
            who = each.person_id or each.address.casefold()
            addresses[who] = each.address
            occasions[occasion] += 1
            told[who, each.municipality_id] += 1

    for people in _at_publication(work, names, project.system_code):
        tell(AT_PUBLICATION, people)
    unsaved = _unsaved(work, task, version, project, dates)
    people_of = task_recipients.of_tasks(work, unsaved)
    for rule, count in _played(work, version, unsaved):
        for task_id in count:
            tell(work.registry.notification_rules[rule].label, people_of[task_id])
    return MailsAhead(
        total=occasions.total(),
        people=len(addresses),
        occasions=tuple(occasions.items()),
        busiest=_busiest(work, told, addresses, names),
    )


def _at_publication(
    work: Work, names: Mapping[int, str], system: str | None
) -> Iterator[tuple[Recipient, ...]]:
    """Each municipality's; nobody is told of their own doing, nor twice of one copy."""
    me = work.actor.person_id if work.actor else None
    for people in notice_recipients.of_municipalities(work, names, system).values():
        once = {each.person_id or each.address.casefold(): each for each in people}
        yield tuple(each for who, each in once.items() if me is None or who != me)


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
) -> list[tuple[str, list[int]]]:
    """The tasks each rule speaks of, rules in the order in which they first do."""
    fields = {field.field: field.value for field in version.fields}
    views = [replace(view, fields=fields) for view in municipal_task_views(work, unsaved)]
    dues: dict[int, list[Due]] = defaultdict(list)
    for rule in work.registry.notification_rules.values():
        for task_id, day in scanning.due_days(work, rule, views).items():
            if day is not None:
                dues[task_id].append(Due(rule, day))
    first: dict[str, date] = {}
    found: dict[str, list[int]] = defaultdict(list)
    for task_id, due in dues.items():
        for day, rule in _of_task(due, work.today):
            found[rule].append(task_id)
            first[rule] = min(day, first.get(rule, day))
    return sorted(found.items(), key=lambda item: (first[item[0]], item[0]))


def _of_task(dues: Sequence[Due], start: date) -> Iterator[tuple[date, str]]:
    """What the scanner would send of one task, run once a day from its publication on."""
    end = start + timedelta(days=DAYS)
    known: set[str] = set()
    for today in sorted({max(due.day, start) for due in dues}):
        if today >= end:
            return
        ripe = [due for due in dues if timedelta(0) <= today - due.day <= timedelta(days=due.rule.late_days)]
        ripe.sort(key=lambda due: (due.day, reminders.ORDER.get(due.rule.key, 0)))
        for due, overtaker in scanning.with_overtaker(ripe):
            if due.rule.key in known or (overtaker and due.day < start):
                continue
            known.add(due.rule.key)
            if overtaker is None:
                yield today, due.rule.key


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
