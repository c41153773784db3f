"""What the processes do that are killed while they make a package."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from klik import jobs
from klik.installation import Installation
from klik.models import Export
from klik.services import exports
from klik.services.documents import TaskDocument
from klik.services.rendering import Renderer
from tests.conftest import make_settings

DRAWN = "drawn.log"
# Twenty kills of 300 tasks on demand.
KILLS = int(os.environ.get("KLIK_TEST_KILLS", "2"))
CHILDREN = 2 if KILLS >= 20 else 1


class Counting(Renderer):
    """Writes down each task that it draws, when it is asked to."""

    def __init__(self, log: Path) -> None:
        super().__init__(children=CHILDREN)
        self._log = log

    def task_pdf(self, document: TaskDocument, embedded_json: bytes | None = None) -> bytes:
        """The PDF, and a line in the log."""
        with self._log.open("a") as log:
            log.write(f"{document.number}\n")
        return super().task_pdf(document, embedded_json)


def _house(folder: Path) -> Installation:
    house = Installation(make_settings(folder))
    house.__dict__["renderer"] = Counting(folder / DRAWN)
    return house


def package(folder: Path) -> int:
    """Make what waits, or what a dead worker left a minute ago; 1 when there was nothing."""
    house = _house(folder)
    now = jobs.wall_clock()
    with house.writing(now) as work:
        left = update(Export).where(Export.state == exports.RUNNING)
        work.session.execute(left.values(lease_until=now - timedelta(seconds=1)))
    made = exports.run_waiting(house, exports.folder_in(folder), jobs.wall_clock, 0)
    house.close()
    return int(made != 1)


def package_naively(folder: Path) -> int:
    """Say that it is there and write it then, as somebody would who does not think of the power going."""
    house = _house(folder)
    target = exports.folder_in(folder)
    target.mkdir(exist_ok=True)
    with house.database.writing() as session:
        session.execute(update(Export).values(state=exports.DONE, sha256="0" * 64, fence=1))
    with (target / "1").open("wb") as file:
        file.write(b"PK")
        file.flush()
    house.close()
    return 0
