"""The list of tasks as people meet it: page, files, and everything that can be wrong with its address."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, datetime, timedelta

import icalendar
import openpyxl
import pytest
import time_machine
from bs4 import BeautifulSoup
from sqlalchemy import event, text

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import MunicipalTaskField
from klik.services import tables
from tests import make
from tests.client import Browser

TODAY = make.TODAY


@pytest.fixture(autouse=True)
def _the_day_is_fixed() -> None:
    with time_machine.travel(make.NOW, tick=False):
        yield


def titles(page: BeautifulSoup) -> list[str]:
    return [link.get_text(strip=True) for link in page.select(".klik-task-table tbody th a")]


def looker(house: Installation, level: Level = Level.PLUS_USER, **facts: object) -> str:
    with house.writing(make.NOW) as work:
        return make.person(work.session, "Lars Lund", level=level, **facts).email  # type: ignore[arg-type]


def fill(house: Installation) -> None:
    with house.writing(make.NOW) as work:
        session = work.session
        mette = make.person(session, "Mette Holm", email="mette@koege.example")
        make.municipal_task(
            session, title="Rød og urørt", deadline=TODAY - timedelta(days=3), responsible=mette
        )
        make.municipal_task(session, title="Gul i gang", deadline=TODAY, status=Status.IN_PROGRESS)
        make.municipal_task(session, title="Grøn i Århus", deadline=TODAY + timedelta(days=40))
        make.municipal_task(session, title="Helt færdig", deadline=TODAY, status=Status.COMPLETED)
        make.municipal_task(session, title="Ikke for os", status=Status.NOT_RELEVANT)
        make.municipal_task(session, title='=1+1;"ondt"', deadline=None, local=True)
        make.municipal_task(session, title="Hernings egen", municipality=make.HERNING, local=True)
        make.municipal_task(
            session, title="Hernings røde", municipality=make.HERNING, deadline=TODAY - timedelta(days=1)
        )


def test_a_municipality_sees_its_own_open_tasks_the_most_urgent_first(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house)
    page = browser().sign_in("mette@koege.example").get("/opgaver?fuldfoerte=nej")
    assert titles(page) == ["Rød og urørt", "Gul i gang", "Grøn i Århus", '=1+1;"ondt"']
    first = page.select_one(".klik-task-table tbody tr")
    assert first is not None
    text = first.get_text(" ", strip=True)
    assert "18. november 2026" in text and "for 3 dage siden" in text and "Rød" in text
    assert "Rød: fristen var 18. november 2026, 3 dage siden" in text
    assert "Mette Holm" in text and "Ikke påbegyndt" in text
    assert [each.get_text(" ", strip=True) for each in page.select(".klik-pulse li > a:first-child")] == [
        "rød 1",
        "gul 1",
        "bliver rød i morgen 1",
    ]


def test_the_address_is_the_filter_and_each_part_can_be_taken_off(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house)
    mette = browser().sign_in("mette@koege.example")
    page = mette.get("/opgaver?deadline=roed&deadline=gul&status=ikke-paabegyndt")
    assert titles(page) == ["Rød og urørt"]
    active = page.select_one(".klik-active")
    assert active is not None and "Anvendte filtre (3)" in active.get_text(" ", strip=True)
    assert [chip.get_text(" ", strip=True) for chip in active.select(".klik-active-chip")] == [
        "Fjern filteret Deadline: Rød",
        "Fjern filteret Deadline: Gul",
        "Fjern filteret Status: Ikke påbegyndt",
    ]
    without_status = mette.get(active.select(".klik-active-chip")[2]["href"])
    assert titles(without_status) == ["Rød og urørt", "Gul i gang"]
    reset = active.select_one(".klik-reset")
    assert reset is not None and len(titles(mette.get(reset["href"]))) == 4


def test_the_panel_sends_what_it_shows(house: Installation, browser: Callable[..., Browser]) -> None:
    fill(house)
    mette = browser().sign_in("mette@koege.example")
    page = mette.get("/opgaver?q=AARHUS&fuldfoerte=ja&startdato=idag-7..idag&deadline=idag..")
    form = page.select_one("form.klik-filter-form")
    assert form is not None
    sent = [
        (field["name"], field.get("value", ""))
        for field in form.select("input[name]")
        if field.get("type") not in ("checkbox", "radio") or field.has_attr("checked")
    ]
    assert ("q", "AARHUS") in sent and ("fuldfoerte", "ja") in sent
    assert ("startdato_fra", "idag-7") in sent and ("startdato_til", "idag") in sent
    assert ("deadline", "idag..") in sent
    labels = [summary.get_text(" ", strip=True) for summary in form.select(".klik-filter-group > summary")]
    assert "Deadline 1 valgt" in labels


def test_choices_carry_the_number_of_tasks(house: Installation, browser: Callable[..., Browser]) -> None:
    fill(house)
    mette = browser().sign_in("mette@koege.example")
    page = mette.get("/opgaver?deadline=roed")
    words = [label.get_text(" ", strip=True) for label in page.select(".klik-filter-options label")]
    assert "Rød (1)" in words and "Gul (1)" in words and "Grøn (1)" in words and "Ingen deadline (1)" in words
    assert "Fuldført (0)" not in words
    page = mette.get("/opgaver?fuldfoerte=nej")
    words = [label.get_text(" ", strip=True) for label in page.select(".klik-filter-options label")]
    assert "Mig (1)" in words and "Ingen (3)" in words


def test_who_sees_what(house: Installation, browser: Callable[..., Browser]) -> None:
    fill(house)
    kombit = browser().sign_in(looker(house, Level.KOMBIT_EDITOR))
    page = kombit.get("/opgaver?fuldfoerte=nej")
    assert "Hernings røde" in titles(page) and "Hernings egen" not in titles(page)
    assert "Kommune" in page.select_one(".klik-task-table thead").get_text(" ", strip=True)
    assert titles(kombit.get("/opgaver?kommune=657")) == ["Hernings røde"]
    supplier = browser().sign_in(looker(house, Level.SUPPLIER, systems=("kp",)))
    page = supplier.get("/opgaver?deadline=roed")
    assert set(titles(page)) == {"Rød og urørt", "Hernings røde"}
    assert "Mette" not in page.get_text() and "Ansvarlig" not in page.get_text()
    for ending in ("csv", "xlsx", "ics"):
        supplier.get(f"/opgaver.{ending}", expect=403)
    other = browser().sign_in(looker(house, Level.SUPPLIER, systems=()))
    assert titles(other.get("/opgaver?fuldfoerte=nej")) == []


WRONG = (
    ("statuss=x", "Filteret “statuss” findes ikke"),
    ("kommune=657", "Kommune: “657” findes ikke"),
    ("side=999999999999", ""),
    ("side=-1&pr_side=0", "side skal være et helt tal fra 1"),
    ("startdato=31-02-2026", "februar 2026 har 28 dage"),
    ("q=%00%FF", "tegn, der ikke kan"),
    ("deadline[]=roed;drop", "findes ikke"),
    ("&&&==&=x&" + "x=1&" * 500, "Filteret har 502 værdier"),
)


def test_a_wrong_address_is_answered_with_a_page(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house)
    mette = browser().sign_in("mette@koege.example")
    for query, notice in WRONG:
        page = mette.get(f"/opgaver?{query}")
        alerts = " ".join(alert.get_text(" ", strip=True) for alert in page.select(".klik-alert"))
        assert notice in alerts, query
        assert len(titles(page)) == 4, query
        assert len(mette.download(f"/opgaver.csv?{query}").splitlines()) == 5, query


def test_an_address_of_more_than_eight_kilobytes_is_refused(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    mette = browser().sign_in(looker(house))
    mette.get("/opgaver?q=" + "x" * 8_200, expect=414)
    mette.get("/opgaver.csv?q=" + "x" * 8_200, expect=414)


def test_an_empty_list_says_what_comes_next(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.writing(make.NOW) as work:
        make.municipal_task(work.session, title="Grøn endnu", deadline=TODAY + timedelta(days=18))
    mette = browser().sign_in(looker(house))
    empty = mette.get("/opgaver?deadline=roed&deadline=gul").select_one(".klik-empty")
    assert empty is not None
    assert "Ingen røde eller gule – næste bliver gul om 4 dage" in empty.get_text(" ", strip=True)
    other = mette.get("/opgaver?q=findesikke").select_one(".klik-empty")
    assert other is not None and "Ingen opgaver passer på filteret" in other.get_text(" ", strip=True)


def test_a_page_takes_the_same_few_statements_however_long(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    with house.writing(make.NOW) as work:
        for _number in range(60):
            make.municipal_task(work.session)
    mette = browser().sign_in(looker(house))
    engine = mette.app.extensions["klik"].database.engine
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *facts: seen.append(facts[2]))

    def statements(query: str) -> int:
        seen.clear()
        mette.download(f"/opgaver?{query}")
        return sum(not statement.startswith(("BEGIN", "ROLLBACK")) for statement in seen)

    def after_a_change(query: str) -> int:
        with house.writing(make.NOW) as work:
            work.session.execute(text("update municipal_tasks set version = version + 1"))
            work.session.execute(text("update projects set name = name"))
        return statements(query)

    empty, few, many = (after_a_change(query) for query in ("q=findesikke", "pr_side=25", "pr_side=200"))
    assert many == few >= empty
    # Session, saved filters, columns, vocabulary, counts, rows, checklists, marks,
    # choices; an announced deletion and its tasks.
    assert many <= 11
    grouped = "pr_side=200&grupper=fase&sorter=ansvarlig,projekt,-status"
    assert after_a_change(grouped) == many + 1
    # With everything as it was: session, saved filters, columns, rows, checklists, marks; and the groups.
    assert (statements("pr_side=25"), statements(grouped)) == (6, 7)


def test_csv_holds_the_promised_columns_and_nothing_a_spreadsheet_would_calculate(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house)
    mette = browser().sign_in("mette@koege.example")
    content = mette.download("/opgaver.csv?fuldfoerte=ja")
    assert content.startswith(b"\xef\xbb\xbf")
    assert "attachment" in mette.response.headers["Content-Disposition"]
    assert "Opgaver%20K%C3%B8ge%202026-11-21.csv" in mette.response.headers["Content-Disposition"]
    head, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";")
    assert ";".join(head[:19]) == (
        "Nummer;Titel;Projekt;System;Kommune;Kommunekode;Fase;Tema;Prioritet;Startdato;Deadline;Farve;Status;"
        "Ansvarlig;Udfører;STS/Infrastruktur;Fuldført;Lokal;Opgave-id"
    )
    by_title = {row[1]: dict(zip(head, row, strict=True)) for row in rows}
    assert len(rows) == 6
    red = by_title["Rød og urørt"]
    assert (red["Deadline"], red["Farve"], red["Kommunekode"], red["Ansvarlig"], red["Lokal"]) == (
        "2026-11-18",
        "Rød",
        "259",
        "Mette Holm",
        "Nej",
    )
    assert by_title["Helt færdig"]["Fuldført"] == "2026-11-21" and by_title["Helt færdig"]["Farve"] == ""
    assert by_title['\'=1+1;"ondt"']["Lokal"] == "Ja"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_every_beginning_of_a_formula_is_made_harmless(start: str) -> None:
    assert tables.harmless(f"{start}1") == f"'{start}1"


def test_excel_has_real_dates_and_text_that_is_text(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house)
    content = browser().sign_in("mette@koege.example").download("/opgaver.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    rows = list(sheet.iter_rows())
    assert tuple(cell.value for cell in rows[0])[:19] == tables.COLUMNS
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref is not None
    assert rows[1][10].value == datetime(2026, 11, 18) and rows[1][10].number_format == "dd-mm-yyyy"
    formula = rows[4][1]
    assert (formula.value, formula.data_type) == ('=1+1;"ondt"', "s")
    assert len(rows) == 5


def test_the_fields_of_plugins_are_further_columns(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    extras = list(house.registry.extra_fields.values())
    assert extras, "the first-party plug-ins declare extra fields"
    with house.writing(make.NOW) as work:
        task = make.municipal_task(work.session)
        value = extras[0].choices[0].value if extras[0].choices else "abc"
        work.session.add(
            MunicipalTaskField(
                municipal_task_id=task.id, municipality_id=make.KOEGE, field=extras[0].key, value=value
            )
        )
    content = browser().sign_in(looker(house)).download("/opgaver.csv").decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(content), delimiter=";")
    assert head[19:] == [extra.label for extra in extras]
    assert row[19] == (extras[0].choices[0].label if extras[0].choices else "abc")


def test_the_calendar_has_whole_days_and_withdrawn_tasks_as_cancelled(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house)
    with house.writing(make.NOW) as work:
        taken_back = make.municipal_task(work.session, title="Trukket", deadline=TODAY)
        taken_back.withdrawn_at = make.NOW
        taken_back.deadline_version = 3
    mette = browser().sign_in("mette@koege.example")
    calendar = icalendar.Calendar.from_ical(mette.download("/opgaver.ics"))
    events = {str(each["SUMMARY"]).partition(" ")[2].split(" ", 2)[-1]: each for each in calendar.events}
    assert set(events) == {"Rød og urørt", "Gul i gang", "Grøn i Århus", "Trukket"}
    red = events["Rød og urørt"]
    assert red["DTSTART"].dt == date(2026, 11, 18) and red["DTEND"].dt == date(2026, 11, 19)
    assert red["DTSTART"].params["VALUE"] == "DATE"
    assert str(red["STATUS"]) == "CONFIRMED" and red["SEQUENCE"] == 1
    assert str(events["Trukket"]["STATUS"]) == "CANCELLED" and events["Trukket"]["SEQUENCE"] == 4
    again = icalendar.Calendar.from_ical(mette.download("/opgaver.ics"))
    assert [each["UID"] for each in again.events] == [each["UID"] for each in calendar.events]
    assert "Trukket" not in titles(mette.get("/opgaver?fuldfoerte=nej"))
    assert "Trukket tilbage af KOMBIT" in mette.get("/opgaver?fuldfoerte=ja").get_text()


def test_pages_and_sorting_are_links(house: Installation, browser: Callable[..., Browser]) -> None:
    with house.writing(make.NOW) as work:
        for number in range(30):
            make.municipal_task(work.session, title=f"Opgave {number}")
    mette = browser().sign_in(looker(house))
    page = mette.get("/opgaver?sorter=titel&pr_side=25")
    assert len(titles(page)) == 25 and titles(page)[9] == "Opgave 9"
    following = page.select_one("a[rel=next]")
    assert following is not None and titles(mette.get(following["href"]))[-1] == "Opgave 29"
    head = page.select_one("th[aria-sort=ascending] a")
    assert head is not None and titles(mette.get(head["href"]))[0] == "Opgave 29"
