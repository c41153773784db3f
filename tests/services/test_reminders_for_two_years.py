"""N7: two years of reminders, with the worker down for up to ten days at a time: each once, on its Danish day.

The oracle knows dates only; it is written from the sentences of docs and seeds and shares no reckoning with the scan:

- yellow from ``yellow_from``; 14, 7, 3, 2, 1 days before for those who chose them (7 and 1 for everybody else); red the
  day after the deadline; from a week later once a week while red; the leader the fifth working day after the deadline.
- What somebody missed is told at the next scan, marked late when the mail of the day's first open day has gone; of
  several only the newest, the older are entered as overtaken. Nothing older than 30 days is caught up. A moved deadline
  starts anew; a closed task is silent.

Hours are skipped only where nothing can happen: between two events of the world (Danish midnight, an act, the worker
coming back) a second scan finds nothing, which is tried at a random hour every third day and in each of a whole week.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from klik.installation import Installation
from klik.models import MunicipalTask, Notice, NoticeSettings, Person, TaskChange
from klik.services.notices import scanning
from klik.settings import Settings
from tests import make

# Fifty on demand: KLIK_TEST_ROUNDS=50. Each start takes some seconds.
STARTS = int(os.environ.get("KLIK_TEST_ROUNDS", "2"))
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST, YEARS = date(2026, 12, 1), 730
TURNS = (date(2027, 3, 28), date(2027, 10, 31), date(2028, 2, 29), date(2026, 12, 31), date(2028, 1, 1))
# What no office works on from 2026 to 2029 beside weekends, by hand.
_OFF = {
    2026: "12-24 12-25 12-26 12-31",
    2027: "01-01 03-25 03-26 03-28 03-29 05-06 05-16 05-17 06-05 12-24 12-25 12-26 12-31",
    2028: "01-01 04-13 04-14 04-16 04-17 05-25 06-04 06-05 12-24 12-25 12-26 12-31",
    2029: "01-01",
}
HOLIDAYS = frozenset(
    date.fromisoformat(f"{year}-{day}") for year, days in _OFF.items() for day in days.split()
)
LATE = 30
# In the order of a task's life.
RULES = ("gul", "14-dage", "7-dage", "3-dage", "2-dage", "1-dag", "roed", "roed-ugentlig", "roed-leder")
BEFORE = {"14-dage": 14, "7-dage": 7, "3-dage": 3, "2-dage": 2, "1-dag": 1}
Told = tuple[int, int, str, str, int]  # task, deadline's version, rule, its day, person


def danish_day(moment: datetime) -> date:
    """Summer time from the last Sunday of March to that of October, both at one o'clock UTC (2000/84/EC)."""

    def turn(month: int) -> datetime:
        last = date(moment.year, month, 31)
        sunday = last - timedelta(days=(last.weekday() + 1) % 7)
        return datetime(sunday.year, sunday.month, sunday.day, 1, tzinfo=UTC)

    return (moment + HOUR * (2 if turn(3) <= moment < turn(10) else 1)).date()


def first_open_day(day: date) -> date:
    """The day itself when offices are open, else the next one that they are: a mail goes on no other."""
    while day.weekday() > 4 or day in HOLIDAYS:
        day += DAY
    return day


def fifth_working_day(deadline: date) -> date:
    day, left = deadline, 5
    while left:
        day += DAY
        left -= day.weekday() < 5 and day not in HOLIDAYS
    return day


@dataclass
class Copy:
    """A task as the oracle knows it."""

    id: int
    deadline: date
    yellow: date
    since: date
    people: tuple[int, ...]
    version: int = 1
    open: bool = True

    def days(self, today: date) -> Iterator[tuple[date, str]]:
        """What falls on the days up to today and is not too old."""
        yield self.yellow, "gul"
        for rule, left in BEFORE.items():
            yield self.deadline - left * DAY, rule
        yield self.deadline + DAY, "roed"
        yield fifth_working_day(self.deadline), "roed-leder"
        week = self.deadline + 8 * DAY
        while week <= today:
            yield week, "roed-ugentlig"
            week += 7 * DAY


@dataclass
class Oracle:
    """Who is told what on which scan; ``told`` holds the day of the scan, whether it was sent, whether late."""

    leader: int
    chosen: dict[int, set[int]]
    told: dict[Told, tuple[date, bool, bool]] = field(default_factory=dict)

    def scan(self, copies: list[Copy], today: date) -> None:
        for copy in (copy for copy in copies if copy.open):
            seen_before = {key[:4] for key in self.told if key[0] == copy.id}
            for person in dict.fromkeys((*copy.people, self.leader)):
                self._one(copy, person, today, seen_before)

    def _one(self, copy: Copy, person: int, today: date, seen_before: set[tuple[int, int, str, str]]) -> None:
        passed = [
            (day, RULES.index(rule))
            for day, rule in copy.days(today)
            if day <= today <= day + LATE * DAY
            and (rule not in BEFORE or BEFORE[rule] in self.chosen.get(person, {7, 1}))
            and ((person == self.leader) if rule == "roed-leder" else (person in copy.people))
        ]
        for day, place in passed:
            rule = RULES[place]
            occurrence = day.isoformat() if rule == "roed-ugentlig" else ""
            key = (copy.id, copy.version, rule, occurrence, person)
            overtaken = (day, place) != max(passed)
            if key in self.told or (overtaken and day < copy.since):
                continue
            late = copy.since <= day and first_open_day(day) < today and key[:4] not in seen_before
            self.told[key] = (today, not overtaken, late)


class World:
    """An installation with some tasks, and the oracle beside it."""

    def __init__(self, house: Installation, chance: random.Random) -> None:
        self.house, self.chance = house, chance
        self.copies: list[Copy] = []
        with house.database.writing() as session:
            people = [make.person(session, name) for name in ("Mette", "Jens", "Bo", "Per")]
            self.ids = [each.id for each in people]
            words = ("14,7,3,2,1", "3", "")
            for person_id, chosen in zip(self.ids[1:], words, strict=True):
                session.add(NoticeSettings(person_id=person_id, hour=7, days_before=chosen))
            make.holding(session, "kombit-programleder", holder=people[0], system_code=None)
            self.project = make.project(session).id
        chosen = {
            person: {int(day) for day in word.split(",") if day}
            for person, word in zip(self.ids[1:], words, strict=True)
        }
        self.oracle = Oracle(self.ids[0], chosen)

    def add(self, now: datetime, deadline: date, yellow: date) -> None:
        people = self.chance.sample(self.ids, self.chance.choice((1, 2)))
        with self.house.database.writing() as session:
            found = [session.get(Person, each) for each in (*people, None)[:2] if each]
            row = make.municipal_task(
                session,
                local=True,
                deadline=deadline,
                yellow_from=yellow,
                responsible=found[0],
                executor=found[1] if len(found) > 1 else None,
            )
            row.created_at = now
            self.copies.append(Copy(row.id, deadline, yellow, danish_day(now), tuple(people)))

    def change(self, copy: Copy, **values: object) -> None:
        with self.house.database.writing() as session:
            session.execute(update(MunicipalTask).where(MunicipalTask.id == copy.id).values(**values))

    def move(self, now: datetime, copy: Copy, deadline: date) -> None:
        copy.deadline, copy.yellow, copy.since = deadline, deadline - 10 * DAY, danish_day(now)
        copy.version += 1
        self.change(copy, deadline=deadline, yellow_from=copy.yellow, deadline_version=copy.version)
        with self.house.database.writing() as session:
            session.add(
                TaskChange(municipality_id=make.KOEGE, municipal_task_id=copy.id, at=now, field="deadline")
            )

    def turn(self, copy: Copy) -> None:
        copy.open = not copy.open
        self.change(
            copy,
            status="i-gang" if copy.open else "fuldfoert",
            completed_on=None if copy.open else make.TODAY,
        )

    def scan(self, now: datetime) -> int:
        with self.house.reading(now) as work:
            found = list(scanning.plans(work))
        if any(plan.drafts for plan in found):
            with self.house.writing(now) as work:
                return scanning.write(work, found).written
        return 0

    def live(self, start: datetime, days: int, *, every_hour: range = range(0)) -> None:
        """Hour by hour; the hours in which nothing can happen are left out, but for one a day."""
        chance, down_until, last = self.chance, start, date.min
        for hour in range(days * 24):
            now = start + hour * HOUR
            today = danish_day(now)
            acted = chance.random() < 0.002 and self._act(now)
            if now >= down_until and chance.random() < 1 / (24 * 25):
                down_until = now + chance.randint(1, 240) * HOUR
            if now < down_until:
                last = date.min
                continue
            fresh = today != last or acted
            if fresh or chance.random() < 1 / 72 or hour in every_hour:
                last = today
                written = self.scan(now)
                if fresh:
                    self.oracle.scan(self.copies, today)
                else:
                    assert not written, f"{now}: a second scan wrote {written}"

    def _act(self, now: datetime) -> bool:
        today, chance = danish_day(now), self.chance
        copy = chance.choice(self.copies) if self.copies else None
        kind = chance.random()
        if copy is None or kind < 0.3:
            near = [turn for turn in TURNS if today < turn < today + 120 * DAY]
            deadline = (
                chance.choice(near) + chance.randint(-8, 8) * DAY
                if near
                else today + chance.randint(-3, 70) * DAY
            )
            self.add(now, deadline, deadline - chance.choice((0, 7, 10, 14, 20)) * DAY)
        elif kind < 0.5:
            self.move(now, copy, today + chance.randint(-5, 40) * DAY)
        else:
            self.turn(copy)
        return True

    def found(self) -> dict[Told, tuple[date, bool, bool]]:
        with self.house.database.reading() as session:
            rows = session.scalars(select(Notice)).all()
            session.expunge_all()
        found: dict[Told, tuple[date, bool, bool]] = {}
        for row in rows:
            rule, task, version, *more, person = row.dedupe_key.split("/")
            key = (
                int(task.removeprefix("mt=")),
                int(version.removeprefix("v=")),
                rule.removeprefix("core."),
                more[0].removeprefix("d=") if more else "",
                int(person.removeprefix("p")),
            )
            assert key not in found
            late = "Varslet er forsinket" in row.sentence
            found[key] = (danish_day(row.created_at), row.withdrawn_at is None, late)
        return found


def compared(world: World) -> dict[Told, tuple[date, bool, bool]]:
    """What the ledger holds, after it was found to be what the oracle holds."""
    found, expected = world.found(), world.oracle.told
    missed = [key for key in expected if key not in found]
    extra = [key for key in found if key not in expected]
    other = [
        (key, found[key], expected[key])
        for key in found.keys() & expected.keys()
        if found[key] != expected[key]
    ]
    assert (missed[:5], extra[:5], other[:5]) == ([], [], [])
    return found


@pytest.fixture
def quick_house(sqlite_settings: Settings) -> Iterator[Installation]:
    """On SQLite: what is asked is the same on both databases, and two years are long."""
    house = Installation(sqlite_settings, plugins=())
    yield house
    house.close()


@pytest.mark.parametrize("number", range(STARTS))
def test_every_reminder_once_on_its_danish_day(quick_house: Installation, number: int) -> None:
    chance = random.Random(number)
    world = World(quick_house, chance)
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC) + chance.randint(0, 24 * 60) * HOUR
    world.live(start, YEARS, every_hour=range(24 * 100, 24 * 107))
    found = compared(world)
    sent = [fate for fate in found.values() if fate[1]]
    assert len(sent) > 200 and {key[2] for key in found} == set(RULES)
    late = sum(fate[2] for fate in sent)
    print(  # noqa: T201 - the figure is what the run is for
        f"N7: start {start:%Y-%m-%d %H}: {len(sent)} sent, {late} of them late, {len(found) - len(sent)} overtaken, "
        "0 missed, 0 doubled, each on its Danish day"
    )


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server whose own clock shows another day than Denmark's for six hours of the 24."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("new_york")
def test_the_servers_own_time_zone_does_not_matter(quick_house: Installation) -> None:
    world = World(quick_house, random.Random(99))
    start = datetime(2027, 3, 20, tzinfo=UTC)
    for left in range(-2, 20, 3):
        world.add(start, date(2027, 3, 28) + left * DAY, date(2027, 3, 21) + left * DAY)
    world.live(start, 45)
    assert len(compared(world)) > 30
