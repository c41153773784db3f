"""The list as of a day and what is new since one, as people meet them: page, files, links and remarks."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import timedelta

import openpyxl
import pytest
import time_machine
from bs4 import BeautifulSoup
from sqlalchemy import event, update

from klik.installation import Installation
from klik.models import MunicipalTask
from tests import make
from tests.client import Browser

TODAY = make.TODAY


@pytest.fixture(autouse=True)
def _the_day_is_fixed() -> Iterator[None]:
    with time_machine.travel(make.NOW, tick=False):
        yield


@pytest.fixture
def mette(house: Installation, browser: Callable[..., Browser]) -> Browser:
    """A programleder in Køge, with four tasks of which two changed since yesterday."""
    with house.writing(make.NOW) as work:
        session = work.session
        make.person(session, "Mette Holm", email="mette@koege.example")
        for title, days in (("Blev færdig", 3), ("Blev gul i nat", 14), ("Altid rød", -9), ("Langt ude", 90)):
            make.municipal_task(session, title=title, deadline=TODAY + timedelta(days=days))
        make.municipal_task(session, title="Hernings", municipality=make.HERNING, deadline=TODAY)
        made = make.NOW - timedelta(days=60)
        session.execute(update(MunicipalTask).values(created_at=made, changed_at=made))
        make.municipal_task(session, title="Kom i dag", deadline=TODAY + timedelta(days=1))
    with house.writing(make.NOW) as work:
        work.session.execute(
            update(MunicipalTask)
            .where(MunicipalTask.title == "Blev færdig")
            .values(status="fuldfoert", completed_on=TODAY, changed_at=make.NOW - timedelta(hours=1))
        )
    return browser().sign_in("mette@koege.example")


def titles(page: BeautifulSoup) -> list[str]:
    return [link.get_text(strip=True) for link in page.select(".klik-task-table tbody th a")]


def test_the_list_says_which_day_it_shows_and_leads_back(mette: Browser) -> None:
    page = mette.get("/opgaver?vis_som=2026-11-20&sorter=titel")
    assert titles(page) == ["Altid rød", "Blev færdig", "Blev gul i nat", "Langt ude"]
    banner = page.select_one(".klik-past")
    assert banner is not None and "Vist, som det stod 20. november 2026." in banner.get_text()
    assert [link["href"] for link in banner.select("a")] == ["/opgaver?sorter=titel"]
    row = next(row for row in page.select("tbody tr") if "Blev gul i nat" in row.get_text())
    assert "Grøn" in row.get_text() and "om 15 dage" in row.get_text()
    assert "vis_som=2026-11-20" in str(row.select_one("th a"))
    today = mette.get("/opgaver?sorter=titel")
    assert titles(today) == ["Altid rød", "Blev gul i nat", "Kom i dag", "Langt ude"]
    assert today.select_one(".klik-past") is None


def test_the_tasks_page_knows_its_neighbours_of_that_day(mette: Browser) -> None:
    first = mette.get("/opgaver?vis_som=igaar&sorter=titel").select("tbody th a")[0]
    assert first.get_text(strip=True) == "Altid rød"
    following = mette.get(str(first["href"])).select_one("a[rel=next]")
    assert following is not None and "vis_som=igaar" in str(following["href"])
    # It is completed today, and stands in that day's list all the same.
    assert "Blev færdig" in mette.get(str(following["href"])).get_text()


@pytest.mark.parametrize("typed", ["idag", "2026-11-21", "2027-01-01", "i+morgen", "1999-01-01", "..", "%00"])
def test_a_day_that_is_not_past_is_remarked(mette: Browser, typed: str) -> None:
    page = mette.get(f"/opgaver?vis_som={typed}&fuldfoerte=nej")
    assert titles(page)[0] == "Altid rød" and len(titles(page)) == 4
    assert page.select_one(".klik-past") is None
    assert "Vis som:" in page.get_text() or "vis_som" in page.get_text()


def test_the_files_hold_the_rows_of_that_day(mette: Browser) -> None:
    asked = "vis_som=idag-1&deadline=groen&deadline=gul"
    shown = titles(mette.get(f"/opgaver?{asked}"))
    assert shown == ["Blev færdig", "Blev gul i nat", "Langt ude"]
    csv = mette.download(f"/opgaver.csv?{asked}").decode("utf-8-sig")
    assert [line.split(";")[1] for line in csv.splitlines()[1:]] == shown
    sheet = openpyxl.load_workbook(io.BytesIO(mette.download(f"/opgaver.xlsx?{asked}"))).active
    assert sheet is not None
    assert [row[1] for row in sheet.iter_rows(min_row=2, values_only=True)] == shown
    assert "som de stod" in mette.response.headers["Content-Disposition"].replace("%20", " ")
    calendar = mette.download(f"/opgaver.ics?{asked}").decode()
    assert all(title in calendar for title in shown) and "Kom i dag" not in calendar
    assert mette.download(f"/opgaver.pdf?{asked}").startswith(b"%PDF")


def test_a_saved_filter_is_always_of_today(mette: Browser) -> None:
    mette.post("/filtre", {"navn": "Fra før", "filter": "deadline=roed&vis_som=2026-11-20"})
    assert "vis_som" not in str(mette.get("/filtre"))
    page = mette.get("/opgaver?deadline=roed&vis_som=igaar")
    form = page.select_one("form.klik-save-filter input[name=filter]")
    assert form is not None and form["value"] == "deadline=roed"
    assert all("vis_som=igaar" in str(link["href"]) for link in page.select(".klik-saved-link"))


def test_what_is_new_since_yesterday_can_be_listed(mette: Browser) -> None:
    page = mette.get("/opgaver?deadline=gul&siden=igaar")
    assert titles(page) == ["Kom i dag", "Blev gul i nat"]
    assert "Ny siden: i går" in page.get_text()
    assert titles(mette.get("/opgaver?siden=igaar")) == ["Kom i dag"]
    assert titles(mette.get("/opgaver?siden=idag-70&deadline=roed")) == ["Altid rød"]
    wrong = mette.get("/opgaver?siden=2027-01-01")
    assert len(titles(wrong)) == 4 and "dagen skal ligge før i dag" in wrong.get_text()


def test_a_count_says_what_is_new_since_yesterday_and_which(mette: Browser) -> None:
    mette.post("/filtre", {"navn": "Gule", "filter": "deadline=gul"})
    page = mette.get("/opgaver?fuldfoerte=nej")
    marks = {
        li.select_one("a").get_text(" ", strip=True): li.select_one("a.klik-news")  # type: ignore[union-attr]
        for li in page.select(".klik-saved li, .klik-pulse li")
    }
    gule = marks["Gule 2 opgaver"]
    assert gule is not None and gule["href"] == "/opgaver?deadline=gul&siden=igaar"
    assert [name.get_text() for name in gule.select(".klik-news-names span")] == [
        text for text in _named(mette, "/opgaver?deadline=gul&siden=igaar")
    ]
    assert "(+2)" in gule.get_text() and "2 nye siden i går" in gule.get_text()
    assert marks["Rød status 1 opgave"] is None and marks["rød 1"] is None and marks["gul 2"] is not None
    for path in ("/filtre", "/"):
        links = [str(link["href"]) for link in mette.get(path).select("a.klik-news")]
        assert links == ["/opgaver?deadline=gul&siden=igaar"], path
    assert mette.get("/opgaver?vis_som=igaar").select("a.klik-news") == []


def _named(browser: Browser, path: str) -> list[str]:
    rows = browser.get(path).select(".klik-task-table tbody th")
    return sorted(
        f"{row.select_one('.klik-number').get_text(strip=True)} {row.select_one('a').get_text(strip=True)}"  # type: ignore[union-attr]
        for row in rows
    )


def test_the_news_are_one_statement_whatever_the_number_of_filters(
    house: Installation, mette: Browser
) -> None:
    engine = mette.app.extensions["klik"].database.engine
    statements: list[str] = []

    def save(number: int) -> None:
        mette.post("/filtre", {"navn": f"Nr. {number}", "filter": f"deadline=idag..idag%2B{number + 2}"})

    def first_look_after_a_change() -> int:
        with house.writing(make.NOW) as work:
            make.municipal_task(work.session, title="En ny", deadline=TODAY)
        statements.clear()
        listener = lambda *facts: statements.append(facts[2])  # noqa: E731
        event.listen(engine, "before_cursor_execute", listener)
        mette.get("/opgaver?fuldfoerte=nej")
        event.remove(engine, "before_cursor_execute", listener)
        assert sum("earlier_states" in statement for statement in statements) == 1
        return len(statements)

    save(0)
    few = first_look_after_a_change()
    for number in range(1, 9):
        save(number)
    assert first_look_after_a_change() == few


def test_another_municipalitys_news_are_not_ones_own(
    house: Installation, mette: Browser, browser: Callable[..., Browser]
) -> None:
    with house.writing(make.NOW) as work:
        make.person(work.session, "Hans", email="hans@herning.example", municipality=make.HERNING)
    hans = browser().sign_in("hans@herning.example")
    page = hans.get("/opgaver?fuldfoerte=nej")
    assert page.select("a.klik-news") == [] and titles(page) == ["Hernings"]
    for path in ("/opgaver?siden=igaar", "/opgaver?vis_som=igaar", "/opgaver?siden=idag-90"):
        assert "Blev" not in hans.get(path).get_text()
    assert titles(hans.get("/opgaver?vis_som=igaar")) == ["Hernings"]
