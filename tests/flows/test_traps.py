"""The traps that other task lists fell into, and that the programleder's list must step over.

Each test names the trap as its users told of it. Traps that have a home elsewhere: spreadsheet formulas and real
dates (tests/web/test_list.py), plug-in errors (tests/plugins/test_guard.py), another municipality's rows
(tests/access), reminders that double or vanish (tests/flows/test_mail_processes.py).
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import icalendar
import pytest
import time_machine
from bs4 import BeautifulSoup
from sqlalchemy import event, insert, select, update

from klik.domain.calendar import short_date
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Base, MunicipalTask, SavedFilter
from tests import make
from tests.client import Browser, filled

TODAY = make.TODAY
# What a visit may write: when somebody was last here, and that people were looked up.
VISITS = {"login_sessions", "login_attempts", "people", "heartbeats", "gallery_lookups"}
FILES = (".pdf", ".zip", ".xlsx", ".csv", ".vcf", ".txt")
WINTER_TO_SUMMER, SUMMER_TO_WINTER = date(2026, 3, 29), date(2026, 10, 25)


def reader(house: Installation, level: Level = Level.PLUS_USER) -> str:
    with house.writing(make.NOW) as work:
        return make.person(work.session, "Lars Lund", level=level).email


def titles(page: BeautifulSoup) -> list[str]:
    return [link.get_text(strip=True) for link in page.select(".klik-task-table tr[id^=opgave-] th a")]


def test_a_colour_is_never_stored_so_it_follows_the_deadline_everywhere_at_once(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    """Kanboard paints once and never back."""
    email = reader(house)
    with house.writing(make.NOW) as work:
        task = make.municipal_task(work.session, title="Udpeg superbrugere", deadline=TODAY + timedelta(60))
        task_id = task.id
    with time_machine.travel(make.NOW, tick=False):
        lars = browser().sign_in(email)
        assert titles(lars.get("/opgaver?deadline=roed")) == []
        page = lars.get(f"/opgaver/{task_id}")
        past = short_date(TODAY - timedelta(1))
        lars.submit(page, f"/opgaver/{task_id}/ret", deadline=past)
        page = lars.get("/opgaver?deadline=roed")
        assert titles(page) == ["Udpeg superbrugere"]
        assert next(each.get_text(" ", strip=True) for each in page.select(".klik-pulse li")).startswith(
            "rød 1"
        )
        assert page.select_one("input[name=deadline][value=roed] + label .klik-count").get_text() == "(1)"  # type: ignore[union-attr]
        rows = csv.DictReader(
            io.StringIO(lars.download("/opgaver.csv?fuldfoerte=nej").decode("utf-8-sig")), delimiter=";"
        )
        assert [row["Farve"] for row in rows] == ["Rød"]
        assert "Rød" in lars.get("/").get_text(" ")
        lars.submit(lars.get(f"/opgaver/{task_id}"), f"/opgaver/{task_id}/ret", deadline="")
        assert titles(lars.get("/opgaver?deadline=roed")) == []


@pytest.mark.parametrize("day", [WINTER_TO_SUMMER, SUMMER_TO_WINTER], ids=["march", "october"])
def test_the_day_of_the_deadline_lasts_until_danish_midnight_when_the_clocks_change(
    house: Installation, browser: Callable[..., Browser], day: date
) -> None:
    """Overdue in the wrong time zone: the deadline is a Danish day, and that day is not overdue."""
    email = reader(house)
    with house.writing(make.NOW) as work:
        make.municipal_task(work.session, title="Sidste søndag", deadline=day)
    # Danish midnight after both Sundays: 22:00 UTC in summer time, 23:00 UTC in winter time.
    midnight = datetime(day.year, day.month, day.day, 22 if day is WINTER_TO_SUMMER else 23, tzinfo=UTC)
    for moment, colour in ((midnight - timedelta(minutes=1), "gul"), (midnight, "roed")):
        with time_machine.travel(moment, tick=False):
            lars = browser().sign_in(email)
            for asked in ("gul", "roed"):
                found = titles(lars.get(f"/opgaver?deadline={asked}"))
                assert found == (["Sidste søndag"] if asked == colour else []), (moment, asked)


def test_five_thousand_tasks_cost_no_more_questions_than_five_hundred(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    """Kanboard asked 15,000 questions for a long list."""
    email = reader(house)
    with house.writing(make.NOW) as work:
        make.municipal_task(work.session, title="Den første", local=True)
        columns = MunicipalTask.__table__.columns
        first = dict(work.session.execute(select(*columns)).mappings().one())
        del first["id"]
    lars = browser().sign_in(email)
    seen: list[str] = []
    event.listen(
        lars.app.extensions["klik"].database.engine,
        "before_cursor_execute",
        lambda *facts: seen.append(facts[2]),
    )

    def questions(size: int) -> int:
        with house.writing(make.NOW) as work:
            there = len(work.session.scalars(select(MunicipalTask.id)).all())
            work.session.execute(
                insert(MunicipalTask),
                [
                    first | {"title": f"Opgave {number}", "deadline": TODAY + timedelta(number % 90)}
                    for number in range(there, size)
                ],
            )
        seen.clear()
        lars.download(f"/opgaver?pr_side=200&fuldfoerte=nej&nu={size}")
        return sum(not each.startswith(("BEGIN", "ROLLBACK")) for each in seen)

    # The first look also reads the words of filters, which stay the same after it.
    first_look, few, many = questions(250), questions(500), questions(5_000)
    assert many == few <= first_look <= 15


@pytest.mark.parametrize("day", [WINTER_TO_SUMMER, SUMMER_TO_WINTER, TODAY], ids=str)
def test_a_calendar_shows_the_deadline_on_its_own_day(
    house: Installation, browser: Callable[..., Browser], day: date
) -> None:
    """One day off, or hidden by Outlook because the end is not the day after."""
    email = reader(house)
    with house.writing(make.NOW) as work:
        make.municipal_task(work.session, title="Sidste søndag", deadline=day)
    lars = browser().sign_in(email)
    events = icalendar.Calendar.from_ical(lars.download("/opgaver.ics?fuldfoerte=nej")).walk("VEVENT")
    assert [(each.decoded("dtstart"), each.decoded("dtend")) for each in events] == [
        (day, day + timedelta(1))
    ]
    assert type(events[0].decoded("dtstart")) is date


def test_looking_changes_nothing(house: Installation, browser: Callable[..., Browser]) -> None:
    """Mail scanners and browsers that fetch ahead press every link."""
    email = reader(house, Level.ADMINISTRATOR)
    with house.writing(make.NOW) as work:
        lars = make.person(work.session, "Mette Holm")
        for number in range(3):
            task = make.municipal_task(
                work.session, title=f"Opgave {number}", deadline=TODAY, responsible=lars
            )
            make.comment(work.session, task, lars)
    visitor = browser().sign_in(email)
    before = _everything(house)
    waiting, done = ["/", "/opgaver", "/filtre", "/roller", "/personer", "/varsler"], set()
    while waiting and len(done) < 60:
        path = waiting.pop(0).partition("#")[0]
        shape = "".join("0" if sign.isdigit() else sign for sign in path.partition("?")[0])
        # Addresses that differ in numbers or in their filter alone are the same page; files are noted on purpose.
        if shape in done or shape.endswith(FILES) or not path.startswith("/"):
            continue
        done.add(shape)
        page = visitor.get(path)
        waiting += [str(link["href"]) for link in page.select("a[href]")]
    assert len(done) > 15
    assert _everything(house) == before


def _everything(house: Installation) -> dict[str, str]:
    with house.reading(make.NOW) as work:
        return {
            table.name: hashlib.sha256(
                repr(sorted(map(repr, work.session.execute(select(table)).all()))).encode()
            ).hexdigest()
            for table in Base.metadata.sorted_tables
            if table.name not in VISITS
        }


def test_danish_letters_stand_last_and_dates_are_words(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    """Half a translation: æ, ø and å sorted as a and o, dates as numbers."""
    email = reader(house)
    wanted = ["Aben", "Zebraen", "Ærens dag", "Østers", "Ålborgs liste"]
    with house.writing(make.NOW) as work:
        for title in ("Østers", "Zebraen", "Ålborgs liste", "Aben", "Ærens dag"):
            make.municipal_task(work.session, title=title, deadline=date(2026, 12, 4))
    lars = browser().sign_in(email)
    page = lars.get("/opgaver?sorter=titel")
    assert titles(page) == wanted
    assert page.select_one("time[datetime='2026-12-04']").get_text() == "4. december 2026"  # type: ignore[union-attr]


def test_a_saved_filter_on_a_value_that_died_says_so_and_offers_the_mend(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    """MISP and OpenCTI show an empty list and say nothing."""
    email = reader(house)
    lars = browser().sign_in(email)
    lars.post("/filtre", {"navn": "Vandets tema", "filter": "deadline=roed&tema=it-miljoe-og-infrastruktur"})
    with house.writing(make.NOW) as work:
        work.session.execute(
            update(SavedFilter).values(query="deadline=roed&tema=it-milj%C3%B8-og-infrastruktur")
        )
        make.municipal_task(work.session, title="For sent", deadline=TODAY - timedelta(900))
    page = lars.get("/opgaver")
    page = lars.get(
        next(str(link["href"]) for link in page.select(".klik-saved-link") if "Vandets" in link.text)
    )
    assert titles(page) == ["For sent"]
    mend = page.select_one(".alert a[href^='/filtre#filter-']")
    assert mend is not None, [each.get_text() for each in page.select(".alert")]
    assert "it-miljø" in lars.get(str(mend["href"]).partition("#")[0]).get_text()


def test_one_municipality_never_counts_finds_or_takes_along_anothers_rows(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    """Køge asks everywhere; what Herning has shows in no number, no file and no calendar."""
    email = reader(house)
    with house.writing(make.NOW) as work:
        session = work.session
        for title, where in (
            ("Køges", make.KOEGE),
            ("Hernings", make.HERNING),
            ("Hernings anden", make.HERNING),
        ):
            make.municipal_task(session, title=title, municipality=where, deadline=TODAY - timedelta(1))
    with time_machine.travel(make.NOW, tick=False):
        lars = browser().sign_in(email)
        lars.post("/filtre", {"navn": "Røde", "filter": "deadline=roed"})
        page = lars.get("/opgaver?deadline=roed&grupper=tema")
        said = page.main.get_text(" ", strip=True)  # type: ignore[union-attr]
        assert "Hernings" not in said and titles(page) == ["Køges"], said
        assert "(+1)" in said and "(+3)" not in said
        numbers = {each.get_text(strip=True) for each in page.select(".klik-count, .klik-group-totals span")}
        assert not any(digit in each for each in numbers for digit in "23"), numbers
        assert titles(lars.get("/opgaver?q=hernings")) == []
        assert titles(lars.get("/opgaver?kommune=657")) == ["Køges"]
        for ending in ("csv", "ics"):
            text = lars.download(f"/opgaver.{ending}?deadline=roed").decode()
            assert "Køges" in text and "Hernings" not in text
        event = feed(lars, calendar(lars))
        assert [str(each["SUMMARY"]).endswith("Køges") for each in event] == [True]


def calendar(visitor: Browser, query: str = "deadline=roed&deadline=gul") -> str:
    """The path of a new feed of this filter, read off the page that shows it once."""
    page = visitor.submit(visitor.get(f"/kalender/ny?{query}"), "/kalender", name="Frister")
    return urlsplit(str(page.select_one("input.calendar-address")["value"])).path  # type: ignore[index]


def feed(visitor: Browser, path: str) -> list[icalendar.Event]:
    return icalendar.Calendar.from_ical(visitor.download(path)).walk("VEVENT")


@pytest.mark.parametrize("day", [WINTER_TO_SUMMER, SUMMER_TO_WINTER], ids=["march", "october"])
def test_a_calendar_follows_the_task_over_the_days_when_the_clocks_change(
    house: Installation, browser: Callable[..., Browser], day: date
) -> None:
    """Outlook keeps the old day unless SEQUENCE rises, and never forgets without STATUS:CANCELLED."""
    email = reader(house)
    noon = datetime(day.year, day.month, day.day, 11, tzinfo=UTC)
    with house.writing(noon - timedelta(30)) as work:
        task_id = make.municipal_task(work.session, title="Ærens dag", deadline=day).id
    with time_machine.travel(noon, tick=False) as clock:
        lars = browser().sign_in(email)
        path = calendar(lars)
        seen = []
        for change in ({}, {"deadline": short_date(day + timedelta(1))}, {"status": "fuldfoert"}):
            clock.shift(timedelta(minutes=5))
            if change:
                lars.submit(lars.get(f"/opgaver/{task_id}"), f"/opgaver/{task_id}/ret", **change)
            (event,) = feed(lars, path)
            seen.append(event)
    assert len({str(each["UID"]) for each in seen}) == 1
    assert [each["DTSTART"].params["VALUE"] for each in seen] == ["DATE"] * 3
    assert [(each.decoded("dtstart"), each.decoded("dtend")) for each in seen[:2]] == [
        (day + timedelta(moved), day + timedelta(moved + 1)) for moved in (0, 1)
    ]
    assert [str(each["STATUS"]) for each in seen] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    sequences = [int(each["SEQUENCE"]) for each in seen]
    assert sequences == sorted(set(sequences))


def test_a_changed_row_stays_until_the_page_is_loaded_again(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    """Rows that vanish under one's hand are the commonest complaint about task lists."""
    email = reader(house)
    with house.writing(make.NOW) as work:
        task_id = make.municipal_task(work.session, title="Bliver stående").id
    lars = browser().sign_in(email)
    query = "status=ikke-paabegyndt"
    form = lars.get(f"/opgaver/{task_id}/celle/status?{query}").select_one("form[action*='/celle/status']")
    assert form is not None
    answer = lars._client.post(
        str(form["action"]),
        data=filled(form) | {"csrf_token": lars.token(), "vaerdi": "i-gang"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 200 and "Bliver stående" in answer.text
    assert "Passer ikke længere på filteret" in answer.text
    assert titles(lars.get(f"/opgaver?{query}")) == []
