"""D2: the announced last day is open until 23:59:59 Danish time, on every day of 2026–2030."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Deletion
from klik.services import deleting
from klik.services.deleting import countdown, progress
from tests import make
from tests.make import NOW, TODAY

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
FIRST, LAST = date(2026, 12, 22), date(2030, 12, 31)
# PostgreSQL says the same of every day; it is asked about each day around the changes of the clock, and every 20th.
EVERY = int(os.environ.get("KLIK_TEST_EVERY_DAY", "20"))


def days(step: int = 1) -> Iterator[date]:
    """Every day, or every so many and all within two days of a change of the clock."""
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + timedelta(days=number)
        if number % step == 0 or any(_changes(day + timedelta(days=near)) for near in (-1, 0, 1)):
            yield day


def _changes(day: date) -> bool:
    begins = datetime.combine(day, time(), COPENHAGEN)
    ends = datetime.combine(day + timedelta(days=1), time(), COPENHAGEN)
    return begins.utcoffset() != ends.utcoffset()


def closes(day: date) -> datetime:
    """The oracle, by zoneinfo alone: the first instant of the next Danish day."""
    return datetime.combine(day + timedelta(days=1), time(), COPENHAGEN).astimezone(UTC)


def wrong(rule: Callable[[date, datetime], bool], which: Iterator[date]) -> list[date]:
    """The days on which the rule closes too early or too late; it says whether the day is over at an instant."""
    tick = timedelta(microseconds=1)
    return [day for day in which if rule(day, closes(day) - tick) or not rule(day, closes(day))]


def test_the_oracle_finds_a_comparison_in_utc_on_every_single_day() -> None:
    assert len(wrong(lambda day, now: day < now.astimezone(UTC).date(), days())) == len(list(days()))
    assert sum(map(_changes, days())) == 8


def test_the_day_is_open_to_its_last_second_on_every_day(house: Installation) -> None:
    sqlite = house.database.engine.dialect.name == "sqlite"
    with house.database.writing() as session:
        version = make.task(session)
        make.municipal_task(session, version)
        kombit = make.actor(
            session, make.person(session, "Karen", level=Level.KOMBIT_ADMINISTRATOR, municipality=None)
        )
        koege = make.actor(session, make.person(session, "Mette", level=Level.PLUS_USER))
    with house.writing(NOW, kombit) as work:
        draft = deleting.Draft(
            heading="KP",
            last_day=TODAY + timedelta(days=30),
            legal_basis="§ 1",
            decided_by="Arkivet",
            decided_on=TODAY,
            selection=deleting.Selection(task_ids=(version.task_id,)),
        )
        deletion_id = deleting.announce(work, draft, None)

    def moved(day: date) -> None:
        with house.database.writing() as session:
            session.execute(update(Deletion).where(Deletion.id == deletion_id).values(last_day=day))

    def over(_day: date, now: datetime) -> bool:
        with house.reading(now, koege) as work:
            due = bool(progress.due(work).tasks)
            bar = countdown.countdown(work)
            # 90 days later nothing is left to say.
            assert bar is not None
            assert bar.over(work.today) is due
            return due

    asked = 0
    for day in days(1 if sqlite and EVERY == 1 else EVERY):
        moved(day)
        assert not wrong(over, iter([day])), day
        asked += 1
    assert asked > 90
    print(f"D2: {asked} days on {house.database.engine.dialect.name}, 0 closed early, 0 late")  # noqa: T201 - the figure is what the run is for


@pytest.mark.parametrize("name", ["KLIK_LEAST_DAYS", "KLIK_DELETION_DAYS", "LEAST_DAYS"])
def test_thirty_days_cannot_be_lowered_from_outside(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    assert deleting.first_legal_day(TODAY) == TODAY + timedelta(days=30)
    assert deleting.LEAST_DAYS == 30
