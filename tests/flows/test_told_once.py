"""What a person's own wishes bring by mail, through a real SMTP server: each thing once, and nothing to who left."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from klik import jobs
from klik.app import create_app
from klik.installation import Installation
from klik.models import MunicipalTask, Person
from klik.services import exports, filtering
from klik.services.saved_filters import DAILY, saving, uses
from klik.settings import Settings
from tests import make
from tests.client import Browser, filled
from tests.make import NOW, TODAY
from tests.sink import Sink, running_sink

METTE, JENS = "mette@koege.example", "jens@koege.example"
TOMORROW = NOW + timedelta(days=1)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with running_sink() as sink:
        yield sink


@pytest.fixture
def house(house_settings: Settings, sink: Sink) -> Iterator[Installation]:
    """Køge with Mette and Jens, whose mail goes to the sink."""
    installation = Installation(replace(house_settings, smtp=sink.address))
    with installation.writing(NOW) as work:
        make.person(work.session, "Mette Holm", email=METTE)
        make.person(work.session, "Jens Aa", email=JENS)
    yield installation
    installation.close()


@pytest.fixture
def browser(house: Installation) -> Iterator[Callable[[str], Browser]]:
    """Call it with a mail address for a browser of that person, in a world where it is ``NOW``."""
    app = create_app(house.settings)
    with time_machine.travel(NOW, tick=False):
        yield lambda email: Browser(app).sign_in(email)
    app.extensions["klik"].close()


def tasks(house: Installation, *titles: str) -> list[int]:
    """Tasks with so much time left that nobody is reminded of them."""
    with house.writing(NOW) as work:
        return [
            make.municipal_task(work.session, title=title, deadline=TODAY + timedelta(days=300)).id
            for title in titles
        ]


def sent(house: Installation, sink: Sink, now: datetime = NOW) -> list[tuple[str, str, str]]:
    """Address, subject and text of what one round of the dispatcher sends; a further round sends nothing."""
    before = len(sink.received)
    jobs.deliver(house, now)
    assert jobs.deliver(house, now).sentence == "0 mails er afleveret."
    pairs = zip(sink.received[before:], sink.messages()[before:], strict=True)
    found = []
    for (address, _), message in pairs:
        body = message.get_body(("plain",))
        assert body is not None
        found.append((address, str(message["Subject"]), str(body.get_content())))
    return found


def subscribe(house: Installation, email: str, name: str, query: str) -> None:
    with house.writing(NOW) as work:
        person = work.session.scalars(select(Person).where(Person.email == email)).one()
        actor = make.actor(work.session, person)
    with house.writing(NOW, actor) as work:
        row = saving.save(work, name, filtering.read(work.registry, query))
        uses.subscribe(work, row.id, DAILY)


def test_a_subscribed_filter_comes_once_in_the_morning_and_never_to_who_left(
    house: Installation, sink: Sink
) -> None:
    tasks(house, "Æblegrød til alle", "Bestil flødeskum")
    subscribe(house, METTE, "Ikke i gang", "status=ikke-paabegyndt")
    subscribe(house, METTE, "I gang", "status=i-gang")
    subscribe(house, JENS, "Også min", "status=ikke-paabegyndt")
    with house.writing(NOW) as work:
        work.session.execute(update(Person).where(Person.email == JENS).values(active=False))
    told = []
    for quarter in range(6):
        now = TOMORROW + timedelta(minutes=15 * quarter)
        jobs.scan_deadlines(house, now)
        told += sent(house, sink, now)
    ((address, subject, text),) = told
    assert address == METTE
    assert "Ikke i gang: 2 opgaver" in subject + text
    assert "Æblegrød til alle" in text and "Bestil flødeskum" in text
    assert "I gang: " not in text.replace("Ikke i gang: ", "")


def test_a_mention_comes_once_however_often_the_comment_is_mended(
    house: Installation, sink: Sink, browser: Callable[[str], Browser]
) -> None:
    (task,) = tasks(house, "Udpeg superbrugere")
    mette = browser(METTE)
    page = mette.get(f"/opgaver/{task}")
    page = mette.submit(page, f"/opgaver/{task}/kommentarer", text="Kan du se på det, @Jens Aa?")
    ((address, subject, text),) = sent(house, sink)
    assert address == JENS and "Mette Holm" in subject + text and "Udpeg superbrugere" in subject + text
    edit = next(str(link["href"]) for link in page.select("#kommentarer a[href$='/ret']"))
    page = mette.submit(mette.get(edit), edit, text="Kan du se på det i dag, @Jens Aa?")
    assert "i dag" in page.select_one("#kommentarer").get_text()  # type: ignore[union-attr]
    assert sent(house, sink) == []


def test_a_file_that_is_ready_is_told_once(
    house: Installation, sink: Sink, browser: Callable[[str], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks(house, "Første", "Anden")
    monkeypatch.setattr(exports, "AT_ONCE", 1)
    mette = browser(METTE)
    mette.submit(mette.get("/opgaver.csv?fuldfoerte=ja"), "/eksport")
    path = mette.response.request.path
    assert jobs.run_exports(house, NOW).sentence == "1 udtræk er lavet."
    assert jobs.run_exports(house, NOW).sentence == "Ingen udtræk venter."
    ((address, _subject, text),) = sent(house, sink, NOW + timedelta(minutes=5))
    assert address == METTE and path in text and "Udtrækket er klar" in text
    assert mette.download(f"{path}/fil").decode("utf-8-sig").count("\r\n") == 3


def test_thirty_tasks_given_to_mette_at_once_are_one_mail(
    house: Installation, sink: Sink, browser: Callable[[str], Browser]
) -> None:
    tasks(house, *(f"Opgave nr. {number}" for number in range(30)))
    jens = browser(JENS)
    with house.reading(NOW) as work:
        mette = work.session.scalars(select(Person.id).where(Person.email == METTE)).one()
    chosen = jens.post("/opgaver/ret-flere", {"alle": "ja", "filter": "fuldfoerte=nej"})
    sent_so_far = filled(chosen.select_one("form#masse"))
    shown = jens.post(
        "/opgaver/ret-flere", sent_so_far | {"felt": "responsible", "vaerdi": f"person/{mette}"}
    )
    jens.post("/opgaver/ret-flere/gem", filled(shown.select_one("form#masse")))
    with house.reading(NOW) as work:
        given = work.session.scalars(select(MunicipalTask.responsible_id)).all()
    assert given == [mette] * 30
    ((recipient, subject, text),) = sent(house, sink)
    assert recipient == METTE and "30" in subject
    assert [number for number in range(30) if f"Opgave nr. {number}”" not in text] == []
