"""Many PDFs at once: in order, each task for itself, stopped at once, never more held than promised."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pikepdf
import pytest
from sqlalchemy import func, select

from klik.installation import Installation
from klik.models import ExportProof, MunicipalTask, Person
from klik.services.documents import TaskDocument
from klik.services.rendering import IMPOSSIBLE, PdfUnavailable, Renderer, RendererBusy, RenderingError
from klik.services.tasks import drawn
from klik.services.tasks.drawn import GONE, UNREADABLE, Drawn, Undrawn
from klik.services.work import Actor
from tests import make
from tests.make import NOW

TOGETHER = 4
COUNT = 2 * TOGETHER + 3
Koege = tuple[Actor, list[int]]


@pytest.fixture
def koege(house: Installation, monkeypatch: pytest.MonkeyPatch) -> Koege:
    """Whoever exports, and the ids of Køge's tasks, each with a title of its own; portions are small."""
    monkeypatch.setattr(drawn, "TOGETHER", TOGETHER)
    with house.writing(NOW) as work:
        actor = make.actor(work.session, make.person(work.session))
        ids = [
            make.municipal_task(work.session, local=True, title=f"Opgave nummer {place}").id
            for place in range(COUNT)
        ]
    return actor, ids


class Gated(Renderer):
    """The renderer with a gate before it, where a test may hold a task up or turn it away."""

    def __init__(self, through: Renderer, gate: Callable[[str], None]) -> None:
        self.children = through.children
        self._through, self._gate = through, gate
        self._lock = threading.Lock()
        self._at_work = 0
        self.started: list[str] = []
        self.most_at_once = 0

    def task_pdf(self, document: TaskDocument, embedded_json: bytes | None = None) -> bytes:
        with self._lock:
            self.started.append(document.title)
            self._at_work += 1
            self.most_at_once = max(self.most_at_once, self._at_work)
        try:
            self._gate(document.title)
            return self._through.task_pdf(document, embedded_json)
        finally:
            with self._lock:
                self._at_work -= 1

    def close(self) -> None:
        """The children belong to all tests."""


Gates = Callable[..., Gated]


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


@pytest.fixture
def gated(house: Installation, renderer: Renderer) -> Gates:
    """Puts a gate before the house's renderer."""

    def put(gate: Callable[[str], None] = lambda _title: None) -> Gated:
        found = Gated(renderer, gate)
        house.__dict__["renderer"] = found
        return found

    return put


def title_of(house: Installation, answer: Drawn | Undrawn) -> str:
    assert isinstance(answer, Drawn)
    with pikepdf.open(house.archive.path(answer.sha256)) as pdf:
        return str(pdf.docinfo.Title).partition(" ")[2]


def test_the_answers_come_in_the_order_asked_for_and_two_are_drawn_at_once(
    house: Installation, koege: Koege, gated: Gates
) -> None:
    actor, ids = koege
    meeting = threading.Barrier(2)

    def draw(title: str) -> None:
        if title == f"Opgave nummer {COUNT - 1}" or title == f"Opgave nummer {COUNT - 2}":
            meeting.wait(20)  # each waits for the other: alone neither would come further
        elif title.endswith(("1", "4")):
            time.sleep(0.02)

    drawer = gated(draw)
    heard: list[int] = []
    wanted = list(reversed(ids))
    answers = list(drawn.tasks(house, actor, NOW, wanted, heard.append))
    assert [title_of(house, each) for each in answers] == [
        f"Opgave nummer {place}" for place in reversed(range(COUNT))
    ]
    assert drawer.most_at_once == 2
    assert sorted(set(heard)) == list(range(min(heard), COUNT + 1))
    with house.reading(NOW) as work:
        assert work.session.scalar(select(func.count(ExportProof.id))) == COUNT


def test_what_was_drawn_is_not_drawn_again(house: Installation, koege: Koege, gated: Gates) -> None:
    actor, ids = koege
    drawer = gated()
    first = list(drawn.tasks(house, actor, NOW, ids))
    drawer.started.clear()
    lost = first[4]
    assert isinstance(lost, Drawn)
    house.archive.path(lost.sha256).unlink()
    with house.writing(NOW) as work:
        author = work.session.get_one(Person, actor.person_id)
        make.comment(work.session, work.session.get_one(MunicipalTask, ids[7]), author)
    later = NOW + timedelta(minutes=5)
    again = list(drawn.tasks(house, actor, later, ids))
    assert drawer.started == ["Opgave nummer 4", "Opgave nummer 7"]
    same = [one == other for one, other in zip(first, again, strict=True)]
    assert same == [place != 7 for place in range(COUNT)]
    assert drawn.task(house, actor, later, ids[3]) == again[3]
    drawer.started.clear()
    assert len(list(drawn.tasks(house, actor, NOW + timedelta(days=1), ids))) == COUNT
    assert len(drawer.started) == COUNT  # the day is in them


def test_a_task_that_cannot_be_had_is_named_and_the_others_come(
    house: Installation, koege: Koege, gated: Gates
) -> None:
    actor, ids = koege
    with house.writing(NOW) as work:
        foreign = make.municipal_task(work.session, title="Herningsk", municipality=make.HERNING).id
        work.session.get_one(MunicipalTask, ids[1]).priority = "en-prioritet-ingen-kender"

    def draw(title: str) -> None:
        if title == "Opgave nummer 2":
            raise RenderingError(IMPOSSIBLE)

    gated(draw)
    answers = list(drawn.tasks(house, actor, NOW, [ids[0], ids[1], ids[2], foreign, 987_654, ids[3]]))
    assert title_of(house, answers[0]) == "Opgave nummer 0"
    assert answers[1:5] == [
        Undrawn(ids[1], UNREADABLE),
        Undrawn(ids[2], IMPOSSIBLE),
        Undrawn(foreign, GONE),
        Undrawn(987_654, GONE),
    ]
    assert title_of(house, answers[5]) == "Opgave nummer 3"


def test_what_concerns_all_is_raised(house: Installation, koege: Koege, gated: Gates) -> None:
    actor, ids = koege

    def unavailable(_title: str) -> None:
        raise PdfUnavailable("Pango mangler")

    drawer = gated(unavailable)
    with pytest.raises(PdfUnavailable):
        list(drawn.tasks(house, actor, NOW, ids))
    assert len(drawer.started) <= 2 * TOGETHER


def test_others_who_draw_are_waited_for(house: Installation, koege: Koege, gated: Gates) -> None:
    actor, ids = koege
    refused: list[str] = []

    def draw(title: str) -> None:
        if refused.count(title) < 2:
            refused.append(title)
            raise RendererBusy("Prøv igen")

    gated(draw)
    assert all(isinstance(each, Drawn) for each in drawn.tasks(house, actor, NOW, ids[:3]))
    assert len(refused) == 6


@pytest.mark.parametrize("way", ["close", "told"])
def test_the_caller_may_stop_at_once_while_a_slow_one_is_drawn(
    house: Installation, koege: Koege, gated: Gates, way: str
) -> None:
    actor, ids = koege
    released = threading.Event()

    def draw(title: str) -> None:
        if int(title.rpartition(" ")[2]) >= TOGETHER:
            released.wait(60)

    drawer = gated(draw)
    try:
        if way == "close":
            answers = drawn.tasks(house, actor, NOW, ids)
            assert title_of(house, next(answers)) == "Opgave nummer 0"
            started = time.monotonic()
            answers.close()
        else:
            beats: list[float] = []

            def told(count: int) -> None:
                if count == TOGETHER:  # from here on nothing comes any more, yet it is asked every second
                    beats.append(time.monotonic())
                    if len(beats) == 2:
                        raise InterruptedError

            with pytest.raises(InterruptedError):
                list(drawn.tasks(house, actor, NOW, ids, told))
            started = beats[0]
        assert time.monotonic() - started < 10
        assert len(drawer.started) <= TOGETHER + drawer.children
    finally:
        released.set()
    with house.reading(NOW) as work:
        stored = work.session.scalar(select(func.count(ExportProof.id)))
    assert 1 <= stored <= TOGETHER if way == "close" else stored == TOGETHER


def test_what_is_drawn_is_stored_before_it_is_asked_for(
    house: Installation, koege: Koege, gated: Gates
) -> None:
    """Whoever dies loses the drawings under way and no other, even behind one that takes long."""
    actor, ids = koege
    slow, behind = threading.Event(), 2 * TOGETHER - 1

    def draw(title: str) -> None:
        if title == "Opgave nummer 0":
            assert slow.wait(60)

    def stored() -> int:
        with house.reading(NOW) as work:
            proofs = work.session.scalars(select(ExportProof.sha256)).all()
        return sum(house.archive.path(each).exists() for each in proofs)

    gated(draw)
    most: list[int] = []

    def told(got: int) -> None:
        if not slow.is_set():
            most.append(stored())
            if most[-1] >= behind or len(most) > 60:
                slow.set()

    answers = list(drawn.tasks(house, actor, NOW, ids, told))
    assert max(most) >= behind and len(answers) == COUNT


def test_no_more_than_two_portions_are_drawn_ahead(house: Installation, koege: Koege, gated: Gates) -> None:
    actor, ids = koege
    drawer = gated()
    answers = drawn.tasks(house, actor, NOW, ids)
    for got in range(1, COUNT + 1):
        next(answers)
        assert len(drawer.started) <= -(-got // TOGETHER) * TOGETHER + TOGETHER
    answers.close()


def test_two_exports_at_once_share_the_children_and_get_the_same(
    house: Installation, koege: Koege, gated: Gates
) -> None:
    """Two callers and a third who wants one PDF."""
    actor, ids = koege
    gated()
    with ThreadPoolExecutor(3) as callers:
        both = [callers.submit(lambda: list(drawn.tasks(house, actor, NOW, ids[:6]))) for _ in range(2)]
        single = callers.submit(drawn.task, house, actor, NOW, ids[5])
        one, other = (each.result(timeout=120) for each in both)
    assert one == other
    assert single.result() == one[5]
    assert len({each.sha256 for each in one if isinstance(each, Drawn)}) == 6
    with house.reading(NOW) as work:
        assert work.session.scalar(select(func.count(ExportProof.id))) == 6
    assert title_of(house, one[5]) == "Opgave nummer 5"
