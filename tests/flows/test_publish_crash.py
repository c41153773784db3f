"""Publishing survives being killed anywhere: every copy, notice and audit row is there, or none of them.

SQLite: `klik publish` is killed at each of its durable system calls in turn. PostgreSQL: its connection is cut
at random moments. A naive publisher that stores municipality by municipality is killed too, and must be caught:
a test that finds nothing in it would prove nothing.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text

from klik.installation import Installation
from klik.models import AuditEntry, Municipality, MunicipalTask, Notice
from klik.services import auditing, publishing
from klik.services.publishing import Draft
from tests import make
from tests.conftest import SECRET, make_settings
from tests.flows.publishers import Driver
from tests.postgres import PostgresServer

pytestmark = pytest.mark.hard

CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "unlinkat", "rename", "renameat")
DRAFT = """titel = "Udpeg systemansvarlig"
projekt = "kp"
fase = "forberedelse"
tema = "it-miljoe-og-infrastruktur"
deadline = { dage = 30 }
modtagere = "alle"
"""


@dataclass(frozen=True)
class State:
    """What a database holds of the publication."""

    copies: int
    notices: int
    audited: int
    intact: str

    @property
    def whole(self) -> bool:
        """Whether everything is there, or nothing."""
        counts = (self.copies, self.notices, self.audited)
        return counts in ((98, 98, 1), (0, 0, 0)) and self.intact == "ok"


WHOLE = State(98, 98, 1, "ok")


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


@pytest.fixture(scope="module")
def drivers() -> Iterator[tuple[Driver, ...]]:
    """Two processes that publish and die."""
    root = Path(__file__).parents[2]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root), "KLIK_SECRET_KEY": SECRET}
    environment |= {"PYTHONDONTWRITEBYTECODE": "1"}
    both = tuple(Driver(environment) for _process in range(2))
    yield both
    for driver in both:
        driver.close()


def _points(driver: Driver, who: str, folder: Path, tally: Path) -> list[tuple[str, int]]:
    """Every durable system call of the publisher: its name and its number among those of that name."""
    assert driver.run(who, folder, ["-e", f"trace={','.join(CALLS)}", "-o", str(tally)]) == 0
    seen: dict[str, int] = {}
    points = []
    for found in re.finditer(r"^(\w+)\(", tally.read_text(), re.MULTILINE):
        seen[found[1]] = seen.get(found[1], 0) + 1
        points.append((found[1], seen[found[1]]))
    return points


def _kill_at(driver: Driver, who: str, folder: Path, call: str, number: int) -> int:
    inject = f"inject={call}:signal=KILL:when={number}"
    return driver.run(who, folder, ["-o", "/dev/null", "-e", f"trace={call}", "-e", inject])


def _state(folder: Path) -> State:
    connection = sqlite3.connect(folder / "klik.sqlite")
    try:
        return State(
            connection.execute("select count(*) from municipal_tasks").fetchone()[0],
            connection.execute("select count(*) from notices").fetchone()[0],
            connection.execute("select count(*) from audit_entries where action = 'publish'").fetchone()[0],
            connection.execute("pragma integrity_check").fetchone()[0],
        )
    finally:
        connection.close()


def _copied(base: Path, folder: Path) -> Path:
    return Path(shutil.copytree(base, folder))


def test_killed_at_every_durable_call(base: Path, tmp_path: Path, drivers: tuple[Driver, ...]) -> None:
    counted = _copied(base, tmp_path / "counted")
    points = _points(drivers[0], "publish", counted, tmp_path / "tally")
    assert _state(counted) == WHOLE
    assert len(points) > 50, points

    def die_and_look(driver: Driver, call: str, number: int) -> str | None:
        folder = _copied(base, tmp_path / f"{call}-{number}")
        code = _kill_at(driver, "publish", folder, call, number)
        state = _state(folder)
        again = driver.run("publish", folder)
        after = _state(folder)
        shutil.rmtree(folder)
        fine = code == -9 and state.whole and again == (1 if state.copies else 0) and after == WHOLE
        return None if fine else f"{call} {number}: exit {code}, {state}, then {again}, {after}"

    def half(place: int) -> list[str]:
        mine = points[place :: len(drivers)]
        return [fault for call, number in mine if (fault := die_and_look(drivers[place], call, number))]

    with ThreadPoolExecutor(len(drivers)) as pool:
        faults = [fault for found in pool.map(half, range(len(drivers))) for fault in found]
    print(f"publish: crash points {len(points) - len(faults)}/{len(points)} all-or-none")  # noqa: T201 - the figure is what the run is for
    assert not faults, "\n".join(faults)


def test_a_naive_publisher_is_caught(base: Path, tmp_path: Path, drivers: tuple[Driver, ...]) -> None:
    driver = drivers[0]
    points = _points(driver, "naive", _copied(base, tmp_path / "counted"), tmp_path / "tally")
    sample = points[:: max(1, len(points) // 8)][:8]
    partial = 0
    for call, number in sample:
        folder = _copied(base, tmp_path / f"{call}-{number}")
        assert _kill_at(driver, "naive", folder, call, number) == -9
        partial += 0 < _state(folder).copies < 98
    print(f"publish: naive publisher caught at {partial}/{len(sample)} points")  # noqa: T201 - the figure is what the run is for
    assert partial >= 4


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
    house, rounds, cut_midway = postgres_house, 20, 0
    draft = Draft(project="kp", title="Udpeg", phase="opstart", theme="it-miljoe-og-infrastruktur")
    with house.database.reading() as session:
        codes = session.scalars(select(Municipality.id)).all()
    house.close()
    watcher = create_engine(house.database.engine.url, isolation_level="AUTOCOMMIT")
    chance = random.Random(7)
    span = 0.0
    for number in range(rounds + 1):
        key = str(uuid.uuid4())
        heard: list[object] = []

        def press(key: str = key, heard: list[object] = heard) -> None:
            try:
                with house.writing(make.NOW) as work:
                    heard.append(publishing.publish(work, draft, codes, key))
            except Exception as fault:
                heard.append(fault)

        thread = threading.Thread(target=press)
        began = time.monotonic()
        thread.start()
        if number:
            time.sleep(chance.uniform(0, 1.3 * span))
            with watcher.connect() as connection:
                connection.execute(
                    text(
                        "select pg_terminate_backend(pid) from pg_stat_activity "
                        "where datname = current_database() and pid <> pg_backend_pid()"
                    )
                )
        thread.join()
        span = span or time.monotonic() - began
        cut_midway += isinstance(heard[-1], Exception)
        _look(house, {number, number + 1})
        with house.writing(make.NOW) as work:
            publishing.publish(work, draft, codes, key)
        _look(house, {number + 1})
    watcher.dispose()
    print(f"publish: connections cut {cut_midway}/{rounds} midway, all-or-none")  # noqa: T201 - the figure is what the run is for
    assert cut_midway >= 3


def _look(house: Installation, publications: set[int]) -> None:
    """Whole publications only, as many as one of these."""
    with house.database.reading() as session:
        copies = session.scalar(select(func.count(MunicipalTask.id)))
        notices = session.scalar(select(func.count(Notice.id)))
        audited = session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.action == "publish"))
        assert audited in publications
        assert (copies, notices) == (98 * audited, 98 * audited)
        assert list(auditing.breaks(session)) == []
