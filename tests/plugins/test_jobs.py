"""Jobs of plug-ins: once for each day or hour, whole or not at all, and never in the way of klik's own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from klik import jobs
from klik.demo import plugins as demo
from klik.installation import Installation
from klik.models import JobRun, PluginAnnouncement
from klik.plugins import Job, PluginContext, Topic
from klik.services import job_runs, plugin_jobs
from klik.settings import Settings
from klik.worker import Worker
from tests import make
from tests.conftest import careless
from tests.plugins.rogues import plugin

NOW = make.NOW
HANGS_NO_LONGER = threading.Event()


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    HANGS_NO_LONGER.clear()
    yield
    HANGS_NO_LONGER.set()


@pytest.fixture
def house_with(house_settings: Settings) -> Iterator[Callable[..., Installation]]:
    """Call it with the functions of jobs; each belongs to the plug-in "prove" and is called after its function."""
    houses = []

    def build(*functions: Callable[[PluginContext], None], every: str = "dag") -> Installation:
        declared = [
            Job(key=f"prove.{function.__name__}", label="Prøve", every=every, run=function)
            for function in functions
        ]
        hooks: dict[str, Any] = {
            "klik_jobs": lambda: declared,
            "klik_topics": lambda: (Topic(key="prove.nyt", label="Nyt"),),
        }
        house = Installation(house_settings, [plugin("prove", **hooks)])
        careless(house.database)
        houses.append(house)
        return house

    yield build
    for house in houses:
        house.close()


def tells(context: PluginContext) -> None:
    assert context.person_id is None
    assert context.kombit
    assert context.klik is not None
    context.klik.tell("prove.nyt", context.now.isoformat(), "Nyt", "Der er nyt.", "/p/prove/")


def fails(context: PluginContext) -> None:
    tells(context)
    raise ValueError("a job's own fault")


def hangs(_context: PluginContext) -> None:
    HANGS_NO_LONGER.wait(20)


def told(house: Installation) -> int:
    with house.reading(NOW) as work:
        return len(work.session.scalars(select(PluginAnnouncement.id)).all())


def run(house: Installation, key: str, now: datetime) -> str | None:
    job = house.registry.jobs[f"prove.{key}"]
    return plugin_jobs.run(house, job, now, plugin_jobs.period(job, now))


def test_a_job_is_done_once_for_each_danish_day(house_with: Callable[..., Installation]) -> None:
    house = house_with(tells)
    # 22:30 UTC is half an hour before midnight in Denmark in winter, 23:30 half an hour after.
    late, later = datetime(2026, 11, 20, 22, 30, tzinfo=UTC), datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert [run(house, "tells", moment) for moment in (late, late, later, later)] == ["", None, "", None]
    assert told(house) == 2


def test_a_job_is_done_once_for_each_hour_also_the_one_that_comes_twice(
    house_with: Callable[..., Installation],
) -> None:
    house = house_with(tells, every="time")
    twice = datetime(2026, 10, 25, 0, 10, tzinfo=UTC)  # 02:10 in Denmark, and so is an hour later
    moments = [twice, twice + timedelta(minutes=49), twice + timedelta(hours=1)]
    assert [run(house, "tells", moment) for moment in moments] == ["", None, ""]


def test_a_job_that_fails_leaves_nothing_and_is_tried_again_in_an_hour(
    house_with: Callable[..., Installation],
) -> None:
    house = house_with(fails, tells)
    moments = [NOW, NOW + timedelta(minutes=59), NOW + timedelta(hours=1)]
    assert [run(house, "fails", moment) for moment in moments] == ["ValueError", None, "ValueError"]
    assert told(house) == 0
    with house.reading(NOW) as work:
        kept = work.session.execute(select(JobRun.finished_at, JobRun.outcome)).one()
    assert tuple(kept) == (None, "fejlede: ValueError")
    assert run(house, "tells", NOW) == ""
    assert told(house) == 1


def test_a_job_whose_process_was_lost_is_taken_over(house_with: Callable[..., Installation]) -> None:
    house = house_with(tells)
    job = house.registry.jobs["prove.tells"]
    with house.writing(NOW) as work:
        assert job_runs.take(work, job.key, plugin_jobs.period(job, NOW))
    assert run(house, "tells", NOW + timedelta(minutes=4)) is None
    assert run(house, "tells", NOW + timedelta(minutes=5)) == ""
    assert run(house, "tells", NOW + timedelta(hours=3)) is None


def test_a_hanging_job_is_given_up_and_keeps_nobody_from_writing(
    house_with: Callable[..., Installation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin_jobs, "PATIENCE", 1.0)
    house = house_with(hangs)
    answers: list[str | None] = []
    thread = threading.Thread(target=lambda: answers.append(run(house, "hangs", NOW)))
    thread.start()
    with house.writing(NOW) as work:
        job_runs.beat(work, job_runs.WORKER, "somebody else's")
    assert thread.is_alive()
    thread.join(20)
    assert answers == ["svarede ikke inden for 1 sekunder"]
    assert run(house, "hangs", NOW + timedelta(hours=2)) is None


def test_the_worker_does_them_beside_its_own(
    house_with: Callable[..., Installation], caplog: pytest.LogCaptureFixture
) -> None:
    house = house_with(fails, tells, every="time")
    worker = Worker(house)
    with caplog.at_level(logging.CRITICAL):
        worker.tick_for_plugins()
        worker.tick_for_plugins()
    assert told(house) in (1, 2)  # an hour may begin between the two
    outcome = jobs.run_of_plugin(house, "prove.tells", NOW, "by hand")
    assert outcome == jobs.Outcome("“Prøve” er udført.")
    failed = jobs.run_of_plugin(house, "prove.fails", NOW, "by hand")
    assert failed == jobs.Outcome("“Prøve” kunne ikke udføres: ValueError.", well=False)


def test_the_demo_is_filled_by_each_plugin_once_and_one_that_fails_costs_only_itself(
    house_settings: Settings,
) -> None:
    topics: dict[str, Any] = {"klik_topics": lambda: (Topic(key="prove.nyt", label="Nyt"),)}
    rogues = [
        plugin("fejler", klik_demo=lambda context: {}[context.plugin]),
        plugin("prove", klik_demo=lambda context: tells(context), **topics),
    ]
    house = Installation(house_settings, rogues)
    with house.writing(NOW) as work:
        demo.fill(work)
    assert told(house) == 1
    assert house.registry.guard.faults() == {"fejler.klik_demo": "KeyError"}
    house.close()
