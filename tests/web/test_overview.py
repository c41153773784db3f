"""The overview and the mødepakke as people meet them: numbers, picture, promise, walls between municipalities."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import timedelta

import pypdf
import pytest
import time_machine
from bs4 import BeautifulSoup, Tag
from sqlalchemy import select, update

from klik.domain.deadlines import end_of_day
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import LastMeeting, MunicipalTask
from tests import make
from tests.client import Browser

TODAY = make.TODAY


@pytest.fixture(autouse=True)
def _the_day_is_fixed() -> Iterator[None]:
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def mette(house: Installation, browser: Callable[..., Browser]) -> Browser:
    """Køge has done eight of twelve tasks in eight weeks; Herning has one that is nobody else's business."""
    made = make.NOW - timedelta(weeks=10)
    with house.writing(make.NOW) as work:
        session = work.session
        make.person(session, "Mette Holm", email="mette@koege.example")
        make.person(session, "Hans Holst", email="hans@herning.example", municipality=make.HERNING)
        make.person(session, "Karen Krag", email="karen@kombit.example", level=Level.KOMBIT_EDITOR)
        tasks = [
            make.municipal_task(session, title=f"Opgave {place}", deadline=TODAY + timedelta(days=place))
            for place in range(1, 13)
        ]
        make.municipal_task(
            session, title="Hernings røde", municipality=make.HERNING, deadline=TODAY - timedelta(days=3)
        )
        session.execute(update(MunicipalTask).values(created_at=made, changed_at=made))
    for week, task in enumerate(tasks[:8]):
        at = end_of_day(TODAY - timedelta(weeks=8 - week)) + timedelta(hours=3)
        with house.writing(at) as work:
            work.session.execute(
                update(MunicipalTask)
                .where(MunicipalTask.id == task.id)
                .values(status="fuldfoert", completed_on=at.date(), changed_at=at)
            )
    return browser().sign_in("mette@koege.example")


def _rows(page: BeautifulSoup) -> list[list[str]]:
    table = page.select(".klik-burn-up table")[0]
    return [
        [cell.get_text(" ", strip=True) for cell in row.select("th, td")] for row in table.select("tbody tr")
    ]


def test_it_says_when_one_is_ready_and_what_decides_it(mette: Browser) -> None:
    page = mette.get("/overblik")
    text = page.get_text(" ", strip=True)
    assert "I jeres tempo: klar 16 dage for sent; tre opgaver afgør det." in text
    assert "Tempoet er 8 fuldførte opgaver på 8 uger; 4 er tilbage." in text
    assert "Målt mod den sidste frist 3. december 2026." in text
    listed = [link.get_text() for link in page.select(".klik-overview .klik-plain-list a")]
    assert listed == ["Opgave 10", "Opgave 11", "Opgave 12"]
    assert "8 af 12 (66 %)" in text and "I gang, 4 gule" in text


def test_the_picture_shows_the_numbers_of_the_table(mette: Browser) -> None:
    page = mette.get("/overblik")
    rows = list(reversed(_rows(page)))
    assert len(rows) == 13
    assert rows[0][1:] == ["0", "0"] and rows[-1] == ["I dag", "12", "8"] and rows[-2][1:] == ["12", "7"]
    picture = page.select_one("svg[role=img]")
    assert isinstance(picture, Tag)
    total, completed = (_heights(line, 12) for line in picture.select("polyline"))
    assert total == [int(row[1]) for row in rows] and completed == [int(row[2]) for row in rows]
    names = [picture.select_one(f"#{each}") for each in str(picture["aria-labelledby"]).split()]
    assert all(name is not None and name.get_text() for name in names)
    # Each week leads to the list as it stood.
    link = page.select(".klik-burn-up th a")[0]
    assert "7 af" not in link.get_text() and "vis_som=2026-11-14" in str(link["href"])
    shown = mette.get(str(link["href"]))
    assert "Viser 1–12 af 12" in shown.get_text(" ", strip=True) or "12 opgaver" in shown.get_text(
        " ", strip=True
    )


def _heights(line: Tag, most: int) -> list[int]:
    """The numbers that the points stand for: the picture's floor is at 226, its ceiling at 26."""
    points = [point.split(",") for point in str(line["points"]).split()]
    assert [float(x) for x, _y in points] == sorted(float(x) for x, _y in points)
    return [round((226 - float(y)) * most / 200) for _x, y in points]


def test_others_see_their_own(mette: Browser, browser: Callable[..., Browser]) -> None:
    hans = browser().sign_in("hans@herning.example")
    text = hans.get("/overblik").get_text(" ", strip=True)
    assert "For få fuldførte opgaver til at sige noget om tempoet." in text and "Opgave 1" not in text
    assert _rows(hans.get("/overblik"))[0] == ["I dag", "1", "0"]
    karen = browser().sign_in("karen@kombit.example")
    page = karen.get("/overblik/kommuner/259")
    assert "I kommunens tempo" in page.get_text() and _rows(page)[0] == ["I dag", "12", "8"]
    assert "Mødepakke" not in page.get_text() and "Hernings røde" not in page.get_text()


def _text(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def test_the_moedepakke_has_two_pages_with_what_the_meeting_needs(
    house: Installation, mette: Browser
) -> None:
    page = mette.get("/overblik")
    mette.submit(page, "/moedepakke", sidste_moede="1. november 2026")
    field = mette.get("/overblik").select_one("#sidste-moede")
    assert field is not None and field["value"] == "01-11-2026"
    with house.writing(make.NOW) as work:
        make.municipal_task(work.session, title="Kom i dag", deadline=TODAY, status=Status.NOT_RELEVANT)
    pages = _text(mette.download("/moedepakke.pdf"))
    assert len(pages) == 2
    first, second = (" ".join(page.split()) for page in pages)
    assert "siden mødet 1. november 2026" in first
    assert "Røde og gule opgaver (4)" in first and "Opgave 9" in first
    assert "Ændret siden sidst (3)" in first and "Fuldført" in first and "Ny opgave" in first
    assert "Røde og gule opgaver uden ansvarlig (4)" in second and "Meldt ikke relevante" in second
    assert "klar 16 dage for sent" in second
    assert "Hernings" not in first + second


def test_the_moedepakke_stays_two_pages_however_much_there_is(house: Installation, mette: Browser) -> None:
    with house.writing(make.NOW) as work:
        for place in range(60):
            make.municipal_task(
                work.session,
                title=f"Nummer {place} med en titel, der er så lang, at den må brydes over flere linjer, "
                * 2,
                deadline=TODAY - timedelta(days=place),
                status=Status.NOT_RELEVANT if place % 5 == 0 else Status.NOT_STARTED,
                in_project=make.project(work.session, f"p{place % 7}", system_code=None),
            )
    pages = _text(mette.download("/moedepakke.pdf"))
    assert len(pages) == 2
    assert "og 40 til" in " ".join(pages[0].split())


def test_there_is_none_without_a_municipality_and_a_wrong_day_is_named(
    house: Installation, mette: Browser, browser: Callable[..., Browser]
) -> None:
    karen = browser().sign_in("karen@kombit.example")
    karen.get("/moedepakke.pdf", expect=403)
    for typed, words in (("i går", "kan ikke læses"), ("22-11-2026", "ikke kommet endnu"), ("", "mangler")):
        page = mette.post("/moedepakke", {"sidste_moede": typed}, expect=422)
        field = page.select_one("#sidste-moede")
        assert field is not None and field["value"] == typed and words in page.get_text()
    mette.post("/moedepakke", {"sidste_moede": "01-11-2026"})
    mette.post("/moedepakke", {"sidste_moede": "02-11-2026"})
    with house.database.reading() as session:
        assert [str(day) for day in session.scalars(select(LastMeeting.held_on))] == ["2026-11-02"]
