"""Making a package survives being killed anywhere: it goes on where it was, and is whole or not there at all.

D6. A few kills and a sample of the durable system calls each time; ``KLIK_TEST_KILLS=20`` makes it twenty kills of a
package of 300 tasks, and every call.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from klik.installation import Installation
from klik.models import Export
from klik.services import exports, filtering
from klik.services.exports import running
from klik.services.tasks import drawn
from tests import make
from tests.conftest import make_settings
from tests.flows import crashing
from tests.flows.crashing import drivers
from tests.flows.packers import CHILDREN, DRAWN, KILLS
from tests.flows.publishers import Driver

pytestmark = pytest.mark.hard
__all__ = ["drivers"]
TASKS = 300 if KILLS >= 20 else 16
POINTS = None if KILLS >= 20 else 3
FEW = 3


def ordered(template: Path, folder: Path, tasks: int) -> Path:
    """A folder with so many tasks in Køge, and a package of them that waits."""
    folder.mkdir(exist_ok=True)
    shutil.copy(template, folder / "klik.sqlite")
    house = Installation(make_settings(folder))
    with house.writing(make.NOW) as work:
        person = make.person(work.session)
        for number in range(tasks):
            version = make.task(work.session, f"Opgave {number}", number=f"MI {number:03d}")
            make.municipal_task(work.session, version)
        actor = make.actor(work.session, person)
    with house.writing(make.NOW, actor) as work:
        exports.order(work, "zip", filtering.read(work.registry, "fuldfoerte=ja"))
    house.close()
    return folder


def row(folder: Path) -> tuple[str, str | None, int]:
    """State, hash and fence of the one export."""
    connection = sqlite3.connect(folder / "klik.sqlite")
    try:
        assert connection.execute("pragma integrity_check").fetchone()[0] == "ok"
        found: tuple[str, str | None, int] = connection.execute(
            "select state, sha256, fence from exports"
        ).fetchone()
    finally:
        connection.close()
    return found


def judge(folder: Path) -> bool | None:
    """Whether the package is there and whole; False when it is not promised yet, None for anything else."""
    state, sha256, _fence = row(folder)
    path = exports.path_of(exports.folder_in(folder), 1)
    if state in (exports.WAITING, exports.RUNNING):
        return False
    if state != exports.DONE or not path.exists():
        return None
    return True if hashlib.sha256(path.read_bytes()).hexdigest() == sha256 else None


def whole(folder: Path, tasks: int) -> None:
    """Each task once, and every member as both manifests say."""
    with zipfile.ZipFile(exports.path_of(exports.folder_in(folder), 1)) as package:
        names = package.namelist()
        assert len(names) == len(set(names)) == 2 * tasks + 5
        manifest = json.loads(package.read("manifest.json"))
        for line in manifest["files"]:
            assert hashlib.sha256(package.read(line["path"])).hexdigest() == line["sha256"]
    assert len({task["id"] for task in manifest["tasks"]}) == tasks
    assert manifest["missing"] == []


def test_killed_in_the_middle_it_goes_on_where_it_was(
    sqlite_template: Path, tmp_path: Path, drivers: tuple[Driver, ...]
) -> None:
    folder = ordered(sqlite_template, tmp_path / "many", TASKS)
    log = folder / DRAWN
    for kill in range(KILLS):
        so_far = len(log.read_text().splitlines()) if log.exists() else 0
        # Now and then before anything of this life is stored.
        step = 1 if kill % 3 == 0 else TASKS // KILLS - 5
        assert drivers[0].run("package", folder, lines=so_far + step) == -9
        assert judge(folder) is False
    assert drivers[0].run("package", folder) == 0
    assert judge(folder) is True
    whole(folder, TASKS)
    asked = log.read_text().splitlines()
    assert set(asked) == {f"MI {number:03d}" for number in range(TASKS)}
    again = len(asked) - TASKS
    said = (
        f"package of {TASKS}: killed {KILLS} times, whole, each task once; {again} drawings were lost in hand"
    )
    print(said)  # noqa: T201 - the figure is what the run is for
    assert again <= KILLS * CHILDREN
    assert row(folder)[2] == KILLS + 1
    assert drivers[0].run("package", folder) == 1


def test_killed_at_a_durable_call(sqlite_template: Path, tmp_path: Path, drivers: tuple[Driver, ...]) -> None:
    base = ordered(sqlite_template, tmp_path / "few", FEW)
    house, now = Installation(make_settings(base)), datetime.now(UTC)
    with house.reading(now) as work:
        actor = running._actor(work, work.session.get_one(Export, 1))
    # What is drawn is kept, so that dying a hundred times does not mean drawing a hundred times: one is left.
    for _drawn in drawn.tasks(house, actor, now, range(2, FEW + 1)):
        pass
    house.close()
    counted = crashing.copied(base, tmp_path / "counted")
    points = crashing.points(drivers[0], "package", counted, tmp_path / "tally")
    assert judge(counted) is True and len(points) > 20, points
    whole(counted, FEW)
    sample = points if POINTS is None else points[:: max(1, len(points) // POINTS)][-POINTS:]
    faults = crashing.faults_at_every_point(drivers, "package", base, sample, tmp_path, judge)
    print(f"package: crash points {len(sample) - len(faults)}/{len(sample)} whole or not there")  # noqa: T201
    assert not faults, "\n".join(faults)


def test_a_naive_packer_is_caught(sqlite_template: Path, tmp_path: Path, drivers: tuple[Driver, ...]) -> None:
    base = ordered(sqlite_template, tmp_path / "few", FEW)
    partly, of = crashing.partly_at(drivers[0], "package-naively", base, tmp_path, judge)
    print(f"package: naive packer caught at {partly}/{of} points")  # noqa: T201
    assert partly >= 1
