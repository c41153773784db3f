"""Workers that make the same file: only one does, whoever is too late moves nothing, and a cancelled one is left."""

from __future__ import annotations

import hashlib
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from klik.installation import Installation
from klik.models import Export, ExportProof, Notice
from klik.services import exports
from klik.services.documents import TaskDocument
from klik.services.rendering import Renderer
from klik.services.work import Actor
from tests import make
from tests.make import NOW

TASKS = 2


class Held(Renderer):
    """Holds each drawing until it is let through, so that there is a middle to be in."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.free = threading.Event(), threading.Event()

    def task_pdf(self, document: TaskDocument, embedded_json: bytes | None = None) -> bytes:
        """The PDF, once the way is free."""
        self.begun.set()
        assert self.free.wait(60)
        return super().task_pdf(document, embedded_json)


@pytest.fixture
def held(house: Installation) -> Iterator[Held]:
    with Held() as renderer:
        house.__dict__["renderer"] = renderer
        yield renderer
        renderer.free.set()


@pytest.fixture
def ordered(house: Installation) -> tuple[Actor, int]:
    """Somebody in Køge, and the package that waits."""
    with house.writing(NOW) as work:
        me = make.actor(work.session, make.person(work.session))
        ids = [make.municipal_task(work.session, local=True, title=f"Opgave {n}").id for n in range(TASKS)]
    with house.writing(NOW, me) as work:
        return me, exports.order(work, "zip", task_ids=ids).id


def run(house: Installation, now: datetime = NOW) -> int:
    return exports.run_waiting(house, exports.folder_in(house.settings.data), lambda: now, 0)


def state(house: Installation, export_id: int) -> tuple[str, int, str | None]:
    with house.database.reading() as session:
        found = session.get_one(Export, export_id)
        return found.state, found.fence, found.sha256


def test_of_many_workers_at_once_one_makes_it(
    house: Installation, ordered: tuple[Actor, int], held: Held
) -> None:
    _me, export_id = ordered
    start = threading.Barrier(4)

    def work() -> int:
        start.wait(30)
        return run(house)

    with ThreadPoolExecutor(4) as workers:
        running = [workers.submit(work) for _ in range(4)]
        assert held.begun.wait(60)
        held.free.set()
        assert sorted(each.result(timeout=120) for each in running) == [0, 0, 0, 1]
    assert state(house, export_id)[:2] == ("faerdig", 1)


def test_who_was_taken_for_dead_and_comes_late_moves_nothing(
    house: Installation, ordered: tuple[Actor, int], held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    _me, export_id = ordered
    monkeypatch.setattr("klik.services.exports.running.TELL_EVERY", 3600.0)  # it hears of it only at the end
    with ThreadPoolExecutor(1) as other:
        late = other.submit(run, house)
        assert held.begun.wait(60)
        held.begun.clear()
        after = NOW + exports.LEASE + timedelta(seconds=1)
        with ThreadPoolExecutor(1) as heir:
            second = heir.submit(run, house, after)
            assert not second.done()
            held.free.set()
            assert second.result(timeout=120) == 1
        late.result(timeout=120)
    found, fence, sha256 = state(house, export_id)
    path = exports.path_of(exports.folder_in(house.settings.data), export_id)
    assert (found, fence, hashlib.sha256(path.read_bytes()).hexdigest()) == ("faerdig", 2, sha256)
    assert [each.name for each in path.parent.iterdir()] == [str(export_id)]
    with house.database.reading() as session:
        assert session.scalar(select(func.count(Notice.id))) == 1
        assert session.scalar(select(func.count(ExportProof.id)).where(ExportProof.kind == "pakke")) == 1


def test_cancelled_in_the_middle_of_a_drawing_it_is_left_at_once(
    house: Installation, ordered: tuple[Actor, int], held: Held, capsys: pytest.CaptureFixture[str]
) -> None:
    me, export_id = ordered
    with ThreadPoolExecutor(1) as worker:
        running = worker.submit(run, house)
        assert held.begun.wait(60)
        with house.writing(NOW, me) as work:
            exports.cancel(work, export_id)
        cancelled = time.monotonic()
        try:
            assert running.result(timeout=20) == 1  # two seconds here; a loaded machine takes its time
            took = time.monotonic() - cancelled
        finally:
            held.free.set()
    assert state(house, export_id)[0] == "annulleret"
    assert not list(exports.folder_in(house.settings.data).iterdir())
    with capsys.disabled():
        sys.stdout.write(f"\nexport cancelled in the middle of a drawing: left after {took:.1f} s\n")
