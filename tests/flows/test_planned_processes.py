"""A planned task publishes itself once, whoever looks after it and however they die: every copy of it, or none."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select, text

from klik import jobs
from klik.domain.life import Act, State
from klik.installation import Installation
from klik.models import AuditEntry, JobRun, Municipality, MunicipalTask, Notice, Task, TaskStep
from klik.services import auditing, publishing
from klik.services.publishing import Draft, Press, RecipientChoice, life
from klik.settings import Settings
from tests import make
from tests.conftest import make_settings
from tests.flows import crashing
from tests.flows.crashing import drivers
from tests.flows.publishers import Driver
from tests.flows.site import environment, run, start
from tests.postgres import PostgresServer
from tests.sink import Sink, running_sink, wait_until

pytestmark = pytest.mark.hard
__all__ = ["drivers"]

DRAFT = Draft(
    project="kp",
    title="Udpeg systemansvarlig",
    phase="forberedelse",
    theme="it-miljoe-og-infrastruktur",
    deadline_rule="core.days-after-publication",
    deadline_parameter="30",
)
NOTHING, ALL = (0, 0, 0, 0), (98, 98, 1, 1)
NEXT_MINUTE = 100.0  # seconds; who comes after a death waits for the job's next period


def _plan(settings: Settings) -> None:
    """A plus user in each of 98 municipalities, and a task whose time came a minute ago."""
    house = Installation(settings)
    now = jobs.wall_clock()
    with house.writing(now - timedelta(hours=1)) as work:
        make.project(work.session)
        for code in work.session.scalars(select(Municipality.id)).all():
            make.person(work.session, municipality=code)
        task_id = publishing.save_draft(work, DRAFT, None, RecipientChoice("alle"))
        life.do(work, Act.PLAN, task_id, Press(), at=now - timedelta(minutes=1))
    house.close()


def _stored(house: Installation) -> tuple[int, int, int, int]:
    """Copies, notices, publications in the audit trail and in the task's history."""
    counted = (
        select(func.count(MunicipalTask.id)),
        select(func.count(Notice.id)).where(Notice.occasion == "udgivet"),
        select(func.count(AuditEntry.id)).where(AuditEntry.action == "publish"),
        select(func.count(TaskStep.id)).where(TaskStep.act == Act.PUBLISH.value),
    )
    with house.database.reading() as session:
        # One statement: between two of them somebody may commit.
        *counts, state = session.execute(
            select(*(each.scalar_subquery() for each in counted), Task.state).select_from(Task)
        ).one()
        assert state == (State.PUBLISHED if counts[0] else State.PLANNED)
        assert list(auditing.breaks(session)) == []
    return tuple(counts)  # type: ignore[return-value]


@contextmanager
def _workers(settings: Settings, sink: Sink, count: int) -> Iterator[list[Any]]:
    """So many ``klik worker``; those that still run are told to stop, and must."""
    file = settings.data / "workers.log"
    with file.open("a") as log:
        begun = file.read_text().count("i gang")
        running = [start(environment(settings, sink), "worker", output=log) for _worker in range(count)]
        try:
            # Who is still being loaded does not know yet what to do when it is told to stop.
            wait_until(lambda: file.read_text().count("i gang") == begun + count, 60)
            yield running
        finally:
            alive = [each for each in running if each.poll() is None]
            for each in alive:
                each.send_signal(signal.SIGTERM)
            codes = [each.wait(90) for each in alive]
    assert codes == [0] * len(alive), file.read_text()


def test_two_workers_and_two_hands_publish_it_once(house_settings: Settings) -> None:
    _plan(house_settings)
    house = Installation(house_settings)
    with running_sink() as sink:
        with _workers(house_settings, sink, 2):
            environ = environment(house_settings, sink)
            hands = [start(environ, "run-job", "publish-planned") for _hand in range(2)]
            said = [hand.communicate(timeout=90)[0] for hand in hands]
            assert [hand.returncode for hand in hands] == [0, 0], said

            def looked() -> bool:
                finished = (JobRun.job == "publish-planned") & JobRun.finished_at.is_not(None)
                with house.database.reading() as session:
                    return (session.scalar(select(func.count(JobRun.id)).where(finished)) or 0) >= 3

            wait_until(looked, NEXT_MINUTE)
        with house.database.reading() as session:
            outcomes = session.scalars(select(JobRun.outcome).where(JobRun.job == "publish-planned")).all()
    assert sum(each == "1 planlagt opgave er udgivet." for each in outcomes) == 1, outcomes
    assert _stored(house) == ALL
    house.close()


@pytest.fixture
def postgres_settings(
    postgres_server: PostgresServer, postgres_template: str, tmp_path: Path
) -> Iterator[Settings]:
    """Settings of an empty installation on PostgreSQL."""
    name = f"planned_{uuid.uuid4().hex[:8]}"
    yield make_settings(tmp_path, postgres_server.create_database(name, template=postgres_template))
    postgres_server.drop_database(name)


def test_a_worker_killed_in_the_middle_leaves_nothing_and_the_next_publishes(
    postgres_settings: Settings,
) -> None:
    """The copies are in, the notices wait for a lock of ours: there the worker dies."""
    _plan(postgres_settings)
    house = Installation(postgres_settings)
    engine = create_engine(house.database.engine.url)
    waiting = text(
        "select count(*) from pg_stat_activity where datname = current_database() "
        "and wait_event_type = 'Lock' and query ilike 'insert into notices%'"
    )
    with running_sink() as sink:
        with _workers(postgres_settings, sink, 1) as (worker,), engine.connect() as ours:
            ours.execute(text("lock table notices in share mode"))
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
                wait_until(lambda: watcher.scalar(waiting) == 1, NEXT_MINUTE)
                worker.kill()
                worker.wait(10)
                ours.rollback()
                wait_until(lambda: watcher.scalar(waiting) == 0, 30)
        assert _stored(house) == NOTHING
        with _workers(postgres_settings, sink, 2):
            wait_until(lambda: _stored(house) != NOTHING, NEXT_MINUTE)
            assert _stored(house) == ALL
        assert "Ingen" in run(environment(postgres_settings, sink), "run-job", "publish-planned")
        assert _stored(house) == ALL
    engine.dispose()
    house.close()


def _judge(folder: Path) -> bool | None:
    connection = sqlite3.connect(folder / "klik.sqlite")
    try:
        assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"
        counts = tuple(
            connection.execute(f"select count(*) from {what}").fetchone()[0]
            for what in (
                "municipal_tasks",
                "notices where occasion = 'udgivet'",
                "audit_entries where action = 'publish'",
                "task_steps where act = 'udgiv'",
            )
        )
    finally:
        connection.close()
    return {ALL: True, NOTHING: False}.get(counts)


def test_the_job_killed_at_durable_calls(
    sqlite_template: Path, tmp_path: Path, drivers: tuple[Driver, ...]
) -> None:
    """Publishing itself is killed at each of them; what the job adds to it needs no more than every third."""
    base = tmp_path / "base"
    base.mkdir()
    shutil.copy(sqlite_template, base / "klik.sqlite")
    _plan(make_settings(base))
    points = crashing.points(
        drivers[0], "planned", crashing.copied(base, tmp_path / "counted"), tmp_path / "tally"
    )
    assert len(points) > 50, points
    faults = crashing.faults_at_every_point(drivers, "planned", base, points[::3], tmp_path, _judge)
    print(f"planned: {len(points[::3]) - len(faults)}/{len(points[::3])} all-or-none")  # noqa: T201 - the figure is what the run is for
    assert not faults, "\n".join(faults)
