"""A correction survives being killed anywhere: the version, every copy, deviation and notice, or nothing of it."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from klik.installation import Installation
from klik.models import AuditEntry, Deviation, MunicipalTask, Notice, TaskStep, TaskVersion
from klik.services import auditing, correcting, publishing
from klik.services.publishing import Draft
from tests import make
from tests.conftest import make_settings
from tests.flows import crashing
from tests.flows.crashing import drivers
from tests.flows.publishers import Driver, corrected
from tests.postgres import PostgresServer

pytestmark = pytest.mark.hard
__all__ = ["drivers"]

# A dozen is enough to die between; each takes its share of the database's pages.
CODES = (101, 147, 151, 153, 155, 157, 159, 161, 163, 165, 167, 259)
DRAFT = Draft(
    project="kp",
    title="Udpeg systemansvarlig",
    phase="opstart",
    theme="it-miljoe-og-infrastruktur",
    deadline_rule="core.date",
    deadline_parameter="2026-12-01",
)


def _fill(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        make.project(work.session)
        for code in CODES:
            make.person(work.session, municipality=code)
        publishing.publish(work, DRAFT, CODES)
        own = {"deadline": date(2026, 12, 10), "deadline_is_own": True}
        work.session.execute(update(MunicipalTask).where(MunicipalTask.municipality_id == 259).values(own))
    house.close()


@pytest.fixture(scope="module")
def base(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a task published to a dozen municipalities, one with a deadline of its own."""
    folder = tmp_path_factory.mktemp("crash")
    shutil.copy(sqlite_template, folder / "klik.sqlite")
    _fill(Installation(make_settings(folder)))
    return folder


def _judge(folder: Path) -> bool | None:
    connection = sqlite3.connect(folder / "klik.sqlite")
    try:
        assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"
        counts = tuple(
            connection.execute(f"select count(*) from {what}").fetchone()[0]
            for what in (
                "task_versions where number = 2",
                "tasks where current_number = 2",
                "municipal_tasks where title = 'Udpeg to'",
                "municipal_tasks where deadline = '2026-12-15'",
                "deviations",
                "notices where occasion = 'frist-flyttet'",
                "audit_entries where action = 'correct'",
                "task_steps where act = 'ret'",
            )
        )
    finally:
        connection.close()
    return {(1, 1, 12, 11, 1, 12, 1, 1): True, (0,) * 8: False}.get(counts)


def test_killed_at_every_durable_call(base: Path, tmp_path: Path, drivers: tuple[Driver, ...]) -> None:
    counted = crashing.copied(base, tmp_path / "counted")
    points = crashing.points(drivers[0], "correct", counted, tmp_path / "tally")
    assert _judge(counted) is True
    assert len(points) > 30, points
    faults = crashing.faults_at_every_point(drivers, "correct", base, points, tmp_path, _judge)
    print(f"correct: crash points {len(points) - len(faults)}/{len(points)} all-or-none")  # noqa: T201 - the figure is what the run is for
    assert not faults, "\n".join(faults)


def test_a_naive_correction_is_caught(base: Path, tmp_path: Path, drivers: tuple[Driver, ...]) -> None:
    partly, of = crashing.partly_at(drivers[0], "naive-correct", base, tmp_path, _judge)
    print(f"correct: naive correction caught at {partly}/{of} points")  # noqa: T201 - the figure is what the run is for
    assert partly >= 4


@pytest.fixture
def postgres_house(
    postgres_server: PostgresServer, postgres_template: str, tmp_path: Path
) -> Iterator[Installation]:
    """The same on PostgreSQL."""
    name = f"crash_{uuid.uuid4().hex[:8]}"
    house = Installation(
        make_settings(tmp_path, postgres_server.create_database(name, template=postgres_template))
    )
    _fill(house)
    yield house
    house.close()
    postgres_server.drop_database(name)


def test_connections_cut_at_random(postgres_house: Installation) -> None:
    house, rounds = postgres_house, 20
    keys = [str(uuid.uuid4()) for _press in range(rounds + 1)]

    def press(number: int) -> None:
        with house.writing(make.NOW) as work:
            draft = corrected(work, 20 + number)
            correcting.correct(work, 1, draft, "Rettet.", keys[number], version=number + 1)

    midway = crashing.cut_at_random(house, rounds, press, lambda allowed: _look(house, allowed))
    print(f"correct: connections cut {midway}/{rounds} midway, all-or-none")  # noqa: T201 - the figure is what the run is for
    assert midway >= 3


def _look(house: Installation, corrections: set[int]) -> None:
    """Whole corrections only, as many as one of these."""
    with house.database.reading() as session:
        made = session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.action == "correct"))
        assert made in corrections
        steps = session.scalar(select(func.count(TaskStep.id)).where(TaskStep.act == "ret"))
        versions = session.scalar(select(func.count(TaskVersion.id)))
        assert (steps, versions) == (made, made + 1)
        newest = select(func.max(TaskVersion.id)).scalar_subquery()
        followed = select(func.count(MunicipalTask.id)).where(MunicipalTask.task_version_id == newest)
        assert session.scalar(followed) == len(CODES)
        told = session.scalar(select(func.count(Notice.id)).where(Notice.occasion == "frist-flyttet"))
        deviations = session.scalar(select(func.count(Deviation.id)))
        assert (told, deviations) == (len(CODES) * made, made)
        assert list(auditing.breaks(session)) == []
