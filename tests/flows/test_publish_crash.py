"""Publishing survives being killed anywhere: every copy, notice and audit row is there, or none of them.

SQLite: `klik publish` is killed at each of its durable system calls in turn. PostgreSQL: its connection is cut
at random moments. A naive publisher that stores municipality by municipality is killed too, and must be caught:
a test that finds nothing in it would prove nothing.
"""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from klik.installation import Installation
from klik.models import AuditEntry, Municipality, MunicipalTask, Notice
from klik.services import auditing, publishing
from klik.services.publishing import Draft
from tests import make
from tests.conftest import make_settings
from tests.flows import crashing
from tests.flows.crashing import drivers
from tests.flows.publishers import Driver
from tests.postgres import PostgresServer

pytestmark = pytest.mark.hard
__all__ = ["drivers"]

DRAFT = """titel = "Udpeg systemansvarlig"
projekt = "kp"
fase = "forberedelse"
tema = "it-miljoe-og-infrastruktur"
deadline = { dage = 30 }
modtagere = "alle"
"""


@pytest.fixture(scope="module")
def base(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 98 municipalities, a plus user in each, a project and the file to publish."""
    folder = tmp_path_factory.mktemp("crash")
    shutil.copy(sqlite_template, folder / "klik.sqlite")
    _fill(Installation(make_settings(folder)))
    (folder / "opgave.toml").write_text(DRAFT, encoding="utf-8")
    return folder


def _fill(house: Installation) -> None:
    with house.database.writing() as session:
        make.project(session)
        for code in session.scalars(select(Municipality.id)).all():
            make.person(session, municipality=code)
    house.close()


def _judge(folder: Path) -> bool | None:
    """Whether everything is there; None for a part of it."""
    connection = sqlite3.connect(folder / "klik.sqlite")
    try:
        assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"
        counts = tuple(
            connection.execute(f"select count(*) from {what}").fetchone()[0]
            for what in ("municipal_tasks", "notices", "audit_entries where action = 'publish'")
        )
    finally:
        connection.close()
    return {(98, 98, 1): True, (0, 0, 0): False}.get(counts)


def test_killed_at_every_durable_call(base: Path, tmp_path: Path, drivers: tuple[Driver, ...]) -> None:
    counted = crashing.copied(base, tmp_path / "counted")
    points = crashing.points(drivers[0], "publish", counted, tmp_path / "tally")
    assert _judge(counted) is True
    assert len(points) > 50, points
    faults = crashing.faults_at_every_point(drivers, "publish", base, points, tmp_path, _judge)
    print(f"publish: crash points {len(points) - len(faults)}/{len(points)} all-or-none")  # noqa: T201 - the figure is what the run is for
    assert not faults, "\n".join(faults)


def test_a_naive_publisher_is_caught(base: Path, tmp_path: Path, drivers: tuple[Driver, ...]) -> None:
    partly, of = crashing.partly_at(drivers[0], "naive", base, tmp_path, _judge)
    print(f"publish: naive publisher caught at {partly}/{of} points")  # noqa: T201 - the figure is what the run is for
    assert partly >= 4


@pytest.fixture
def postgres_house(
    postgres_server: PostgresServer, postgres_template: str, tmp_path: Path
) -> Iterator[Installation]:
    """An installation on PostgreSQL with a plus user in each municipality."""
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
    draft = Draft(project="kp", title="Udpeg", phase="opstart", theme="it-miljoe-og-infrastruktur")
    with house.database.reading() as session:
        codes = session.scalars(select(Municipality.id)).all()
    house.close()
    keys = [str(uuid.uuid4()) for _press in range(rounds + 1)]

    def press(number: int) -> None:
        with house.writing(make.NOW) as work:
            publishing.publish(work, draft, codes, keys[number])

    midway = crashing.cut_at_random(house, rounds, press, lambda allowed: _look(house, allowed))
    print(f"publish: connections cut {midway}/{rounds} midway, all-or-none")  # noqa: T201 - the figure is what the run is for
    assert midway >= 3


def _look(house: Installation, publications: set[int]) -> None:
    """Whole publications only, as many as one of these."""
    with house.database.reading() as session:
        copies = session.scalar(select(func.count(MunicipalTask.id)))
        notices = session.scalar(select(func.count(Notice.id)))
        audited = session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.action == "publish"))
        assert audited in publications
        assert (copies, notices) == (98 * audited, 98 * audited)
        assert list(auditing.breaks(session)) == []
