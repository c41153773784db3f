"""Deletion survives being killed anywhere: nothing goes without an archive file that was just read again.

The worker's run of archiving, reading again, erasing and sweeping is killed at its durable system calls and at
random moments, and run again. A task is whole, or it is a tombstone with its archive file; what is not due is never
touched. A naive deleter that erases first is killed too, and must be caught. KLIK_TEST_KILLS raises the number of
kills, KLIK_TEST_COPIES that of tasks.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from klik.installation import Installation
from klik.models import Municipality, MunicipalTask
from klik.services.deleting import archiving, sanity
from klik.services.tasks import drawn
from tests import make
from tests.conftest import make_settings
from tests.flows import crashing
from tests.flows.crashing import drivers
from tests.flows.publishers import Driver
from tests.services.deletion_world import DUE, LAST_DAY, announced, file_on, full_task

pytestmark = pytest.mark.hard
__all__ = ["drivers"]
USUAL = 16
KILLS = int(os.environ.get("KLIK_TEST_KILLS", f"{USUAL}"))
COPIES = int(os.environ.get("KLIK_TEST_COPIES", "2"))
WORD = "indholdet"
LONGEST = 12.0  # seconds for the kills at durable calls together, unless they are raised


@pytest.fixture(scope="module")
def base(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with tasks that are due, their PDFs drawn, and one task whose day has not come."""
    folder = tmp_path_factory.mktemp("delete")
    shutil.copy(sqlite_template, folder / "klik.sqlite")
    house = Installation(make_settings(folder), plugins=[])
    with house.database.writing() as session:
        codes = session.scalars(select(Municipality.id).order_by(Municipality.id)).all()
        ids = [full_task(house, session, f"{WORD}{n}", codes[n % 98]).id for n in range(min(COPIES, 8))]
        for number in range(len(ids), COPIES):
            row = make.municipal_task(
                session, local=True, municipality=codes[number % 98], title=f"Opgave {WORD}{number}"
            )
            file_on(house, session, row, "fil.txt", f"fil {WORD}{number}".encode())
            ids.append(row.id)
        later = full_task(house, session, f"{WORD}senere").id
        announced(session, ids)
        announced(session, [later], last_day=LAST_DAY + timedelta(days=1))
    with house.writing(DUE) as work:
        sanity.confirm(work, LAST_DAY + timedelta(days=1))
        actors = {
            task_id: archiving.administrator_of(
                work, work.session.get_one(MunicipalTask, task_id).municipality_id
            )
            for task_id in ids
        }
    # Starting the children that draw would be most of the time; the long round has them die with the rest.
    for task_id in ids[1:] if USUAL < KILLS < 300 else ids:
        drawn.task(house, actors[task_id], DUE, task_id)
    house.close()
    return folder


def violations(folder: Path) -> list[str]:
    """What must never be, read without any of klik's own code."""
    connection = sqlite3.connect(folder / "klik.sqlite")
    try:
        assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"
        rows = connection.execute(
            "select m.id, m.title, m.local_text, m.erased_at, d.state, d.archive_sha256, d.verified_at,"
            " d.erased_at, x.last_day, (select count(*) from municipal_task_files f"
            " where f.municipal_task_id = m.id), (select group_concat(sha256) from municipal_task_files f"
            " where f.municipal_task_id = m.id)"
            " from deletion_items d join municipal_tasks m on m.id = d.municipal_task_id"
            " join deletions x on x.id = d.deletion_id"
        ).fetchall()
    finally:
        connection.close()
    return [fault for row in rows if (fault := _fault(folder, *row))]


def _fault(
    folder: Path,
    number: int,
    title: str,
    local_text: str,
    gone: str | None,
    state: str,
    archive: str | None,
    verified: str | None,
    erased: str | None,
    last_day: str,
    files: int,
    hashes: str | None,
) -> str:
    if state != "slettet":
        if gone or WORD not in title or not files:
            return f"{number}: {state}, and not whole"
        lost = [sha for sha in (hashes or "").split(",") if not (folder / "files" / sha[:2] / sha).exists()]
        return f"{number}: {state}, and {lost} missing" if lost else ""
    if last_day > str(LAST_DAY):
        return f"{number}: deleted early"
    path = folder / "arkiv" / str(archive)[:2] / str(archive)
    if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != archive:
        return f"{number}: deleted without its archive file"
    if WORD.encode() not in _held(path):
        return f"{number}: the archive file is of something else"
    spent = (datetime.fromisoformat(str(erased)) - datetime.fromisoformat(str(verified))).total_seconds()
    if not 0 <= spent <= 60:
        return f"{number}: read {spent} s before it went"
    return f"{number}: half a tombstone" if WORD in title + local_text or files or not gone else ""


def _held(path: Path) -> bytes:
    if not zipfile.is_zipfile(path):
        return path.read_bytes()
    with zipfile.ZipFile(path) as package:
        return b"".join(package.read(name) for name in package.namelist())


def left(folder: Path) -> int:
    """How many tasks are not deleted yet, whether due or not."""
    connection = sqlite3.connect(folder / "klik.sqlite")
    try:
        return connection.execute("select count(*) from deletion_items where state <> 'slettet'").fetchone()[
            0
        ]
    finally:
        connection.close()


def test_killed_at_durable_calls(base: Path, tmp_path: Path, drivers: tuple[Driver, ...]) -> None:
    counted = crashing.copied(base, tmp_path / "counted")
    points = crashing.points(drivers[0], "delete", counted, tmp_path / "tally")
    assert (violations(counted), left(counted)) == ([], 1)
    assert len(points) > 50, points
    chosen = points if len(points) <= KILLS else random.Random(3).sample(points, KILLS)
    began, faults, killed = time.monotonic(), [], 0

    def half(place: int) -> None:
        nonlocal killed
        for call, number in chosen[place :: len(drivers)]:
            if KILLS <= USUAL and time.monotonic() - began > LONGEST:
                return
            folder = crashing.copied(base, tmp_path / f"{call}-{number}")
            code = crashing.kill_at(drivers[place], "delete", folder, call, number)
            found = violations(folder)
            drivers[place].run("delete", folder)
            found += violations(folder)
            killed += code == -9
            if code != -9 or found or left(folder) != 1:
                faults.append(f"{call} {number}: exit {code}, {found}, {left(folder)} left")
            shutil.rmtree(folder)

    with ThreadPoolExecutor(len(drivers)) as pool:
        list(pool.map(half, range(len(drivers))))
    print(f"delete: killed at {killed} of {len(points)} durable calls, {len(faults)} violations")  # noqa: T201 - the figure is what the run is for
    assert not faults, "\n".join(faults)
    assert killed >= 4


def test_killed_at_random_moments_until_it_is_done(
    base: Path, tmp_path: Path, drivers: tuple[Driver, ...]
) -> None:
    folder, chance = crashing.copied(base, tmp_path / "random"), random.Random(11)
    kills = 0
    while kills < max(4, KILLS // 2):
        if left(folder) == 1:
            shutil.rmtree(folder)
            folder = crashing.copied(base, tmp_path / "random")
        drivers[0].run("delete", folder, after=chance.uniform(0.05, 0.9))
        kills += 1
        assert violations(folder) == []
    assert drivers[0].run("delete", folder) == 0
    assert (violations(folder), left(folder)) == ([], 1)
    print(f"delete: {kills} kills at random moments over {COPIES} tasks, 0 violations, resumed by itself")  # noqa: T201 - the figure is what the run is for


def test_a_naive_deleter_is_caught(base: Path, tmp_path: Path, drivers: tuple[Driver, ...]) -> None:
    points = crashing.points(
        drivers[0], "delete-naively", crashing.copied(base, tmp_path / "counted"), tmp_path / "tally"
    )
    caught = 0
    sample = points[:: max(1, len(points) // 8)][:8]
    for call, number in sample:
        folder = crashing.copied(base, tmp_path / f"{call}-{number}")
        assert crashing.kill_at(drivers[0], "delete-naively", folder, call, number) == -9
        caught += bool(violations(folder))
    print(f"delete: naive deleter caught at {caught}/{len(sample)} points")  # noqa: T201 - the figure is what the run is for
    assert caught >= 3
