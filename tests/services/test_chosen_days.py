"""Days before a deadline that somebody chooses or leaves, and tasks that were closed: nothing is called late for it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import pytest
from sqlalchemy import select

from klik.domain.status import Status
from klik.installation import Installation
from klik.models import MunicipalTask, Notice, NoticeSettings
from klik.services import control
from klik.services.notices import preferences, scanning
from klik.services.tasks import changing
from klik.services.tasks.steps import Changes
from klik.services.work import Actor
from tests.services.test_patience import DAY, HOUR, MONDAY, a_task, mails_at, mette

USUAL = (7, 1)


def scan(house: Installation, now: datetime) -> None:
    with house.writing(now) as work:
        scanning.scan_deadlines(work)
    with house.reading(now) as work:
        assert control.examine(work).missing == []


def choose(house: Installation, person: Actor, days: Collection[int], now: datetime) -> None:
    with house.writing(now, person) as work:
        chosen = preferences.read(work)
        preferences.choose(work, 7, chosen.at_once, days, chosen.version)


def told(house: Installation) -> list[tuple[str, str | None, bool]]:
    """Each row: its rule, why it was withdrawn, and whether it says that it is late."""
    with house.database.reading() as session:
        return [
            (row.occasion, row.withdrawal_reason, scanning.LATE in row.sentence)
            for row in session.scalars(select(Notice).order_by(Notice.id))
        ]


@pytest.mark.parametrize("first", [True, False])
def test_a_day_that_had_passed_when_it_was_chosen_is_not_caught_up_with(
    house: Installation, first: bool
) -> None:
    person = mette(house) if first else mette(house, days_before=(7,))
    today = MONDAY.date()
    a_task(house, person, today + 10 * DAY, yellow_from=today + 9 * DAY)
    a_task(house, person, today + 14 * DAY, yellow_from=today + 13 * DAY)
    choose(house, person, (14, 7), MONDAY)
    scan(house, MONDAY)
    # Only the task whose fourteenth day is today.
    assert told(house) == [("core.14-dage", None, False)]
    with house.database.reading() as session:
        assert session.scalar(select(NoticeSettings.chosen_on)) == "14=2026-11-23"


def test_the_days_one_had_are_caught_up_with_as_before(house: Installation) -> None:
    person = mette(house)
    today = MONDAY.date()
    a_task(house, person, today + 5 * DAY, yellow_from=today + 4 * DAY)
    choose(house, person, (14, 7, 1), MONDAY)
    choose(house, person, (14, 7, 3, 1), MONDAY + DAY)
    with house.database.reading() as session:
        assert session.scalar(select(NoticeSettings.chosen_on)) == "14=2026-11-23,3=2026-11-24"
    scan(house, MONDAY + DAY)
    assert told(house) == [("core.7-dage", None, True)]


def test_leaving_a_day_withdraws_what_waits_and_choosing_it_again_brings_it_back(house: Installation) -> None:
    person = mette(house)
    today = MONDAY.date()
    a_task(house, person, today + 7 * DAY, yellow_from=today + 6 * DAY)
    early = MONDAY - HOUR
    scan(house, early)
    choose(house, person, (1,), early)
    assert told(house) == [("core.7-dage", "modtageren har valgt påmindelsen fra", False)]
    scan(house, early)
    assert mails_at(house, MONDAY) == []
    choose(house, person, USUAL, MONDAY)
    assert told(house) == [("core.7-dage", None, False)]
    scan(house, MONDAY)
    assert len(mails_at(house, MONDAY)) == 1
    choose(house, person, (), MONDAY + HOUR)
    assert told(house) == [("core.7-dage", None, False)]


def test_choosing_a_day_that_is_due_today_brings_it_in(house: Installation) -> None:
    person = mette(house)
    today = MONDAY.date()
    a_task(house, person, today + 3 * DAY, yellow_from=today + 2 * DAY)
    a_task(house, person, today + 7 * DAY, yellow_from=today + 6 * DAY)
    scan(house, MONDAY)
    choose(house, person, (7, 3, 1), MONDAY + HOUR)
    scan(house, MONDAY + HOUR)
    assert ("core.3-dage", None, False) in told(house)


@pytest.mark.parametrize("entered", [True, False])
def test_a_task_that_was_closed_is_not_late_when_it_is_opened_again(
    house: Installation, entered: bool
) -> None:
    person = mette(house)
    today = MONDAY.date()
    task = a_task(house, person, today + 7 * DAY, yellow_from=today + 6 * DAY, local=True)
    if entered:
        scan(house, MONDAY - HOUR)
    set_status(house, person, task, Status.COMPLETED, MONDAY - HOUR)
    assert mails_at(house, MONDAY) == []
    later = MONDAY + 2 * DAY
    set_status(house, person, task, Status.IN_PROGRESS, later)
    scan(house, later)
    mails = mails_at(house, later + DAY)
    assert len(mails) == 1
    assert "forsinket" not in mails[0]


def set_status(house: Installation, person: Actor, task_id: int, status: Status, now: datetime) -> None:
    with house.writing(now, person) as work:
        task = work.session.get_one(MunicipalTask, task_id)
        changing.change(work, task_id, task.version, Changes(status=status))
