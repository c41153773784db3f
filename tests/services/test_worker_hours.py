"""The worker enters the day's reminders before anybody is mailed, and its own looks are patient."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from klik import dispatcher, jobs, worker
from klik.domain.mail_hours import EARLIEST_HOUR
from klik.installation import Installation
from klik.models import Mail, Notice
from klik.services.notices import preferences
from klik.services.saved_filters import digests as subscriptions
from tests import make

FRIDAY = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # five o'clock in Denmark


@pytest.mark.parametrize("job", ["scan-deadlines", "control"])
def test_the_scan_runs_from_five(job: str) -> None:
    assert not worker.in_season(job, FRIDAY - timedelta(minutes=1))
    assert worker.in_season(job, FRIDAY)
    assert worker.in_season("publish-planned", FRIDAY - timedelta(hours=3))


def test_everything_is_entered_before_any_hour_that_is_offered() -> None:
    assert not subscriptions.is_morning(FRIDAY - timedelta(minutes=1))
    assert subscriptions.is_morning(FRIDAY)
    assert worker.FIRST_HOUR == subscriptions.MORNING == EARLIEST_HOUR < preferences.HOURS[0]


class Once(threading.Event):
    """Lets a loop look once."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return super().wait(timeout)


@pytest.mark.parametrize("patient", [True, False])
def test_only_the_patient_dispatcher_waits_for_the_hour(house: Installation, patient: bool) -> None:
    with house.database.writing() as session:
        mette = make.person(session)
        make.municipal_task(session, deadline=FRIDAY.date() - timedelta(days=1), responsible=mette)
    jobs.scan_deadlines(house, FRIDAY)
    for hours, expected in ((0, not patient), (1, not patient), (2, True)):
        with time_machine.travel(FRIDAY + timedelta(hours=hours), tick=False):
            dispatcher.loop(house, Once(), patient=patient)
        with house.database.reading() as session:
            assert bool(session.scalars(select(Mail.id)).all()) is expected
    with house.database.reading() as session:
        assert session.scalars(select(Notice.due_at).where(Notice.withdrawn_at.is_(None))).all() == [
            FRIDAY + timedelta(hours=2)
        ]
