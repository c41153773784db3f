"""The three journeys of klik and what follows them: real processes, real HTTP, real mail, both databases."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup
from icalendar import Calendar
from openpyxl import load_workbook
from sqlalchemy import func, select

from klik.domain.calendar import short_date
from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import Municipality, MunicipalTask, Person
from klik.services.notices import reminders
from klik.settings import Settings
from tests import make
from tests.client import filled
from tests.flows.site import Site, Visitor, links, served, start
from tests.make import HERNING, KOEGE
from tests.sink import running_sink

pytestmark = pytest.mark.hard
RED_YELLOW = "/opgaver?deadline=roed&deadline=gul&status=ikke-paabegyndt"
TITLE = "Udpeg systemansvarlig for KP"


@pytest.fixture
def site(house_settings: Settings) -> Iterator[Site]:
    """klik served by gunicorn, with a mail server beside it."""
    with running_sink() as sink, served(house_settings, sink) as site:
        yield site


@pytest.fixture
def house(site: Site) -> Iterator[Installation]:
    """The same data as the served processes have."""
    installation = Installation(site.settings)
    yield installation
    installation.close()


def today() -> date:
    """The processes read the real clock."""
    return danish_today(datetime.now(UTC))


def due(days: int) -> date:
    return today() + timedelta(days=days)


def body(site: Site, recipient: str) -> str:
    """The text of the one mail this address got."""
    (message,) = (
        message
        for (address, _), message in zip(site.sink.received, site.sink.messages(), strict=True)
        if address == recipient
    )
    plain = message.get_body(("plain",))
    assert plain is not None
    return str(plain.get_content())


# -- Publish -----------------------------------------------------------------------------------------------


def a_plusbruger_everywhere(house: Installation) -> None:
    with house.database.writing() as session:
        make.person(session, "Ida Krog", level=Level.KOMBIT_EDITOR, email="redaktoer@kombit.example")
        make.project(session)
        for code in session.scalars(select(Municipality.id)).all():
            make.has_system(session, code)
            make.person(
                session, f"Plus {code}", municipality=code, systems=("kp",), email=f"plus@k{code}.example"
            )


def publish(editor: Visitor) -> None:
    form = editor.get("/udgivelser/ny?projekt=kp")
    typed = {
        "title": TITLE,
        "theme": "it-miljoe-og-infrastruktur",
        "phase": "forberedelse",
        "description": "Se **vejledningen**.",
        "responsible_role": "systemansvarlig",
        "deadline_rule": "core.days-after-publication",
        "deadline_parameter": "30",
    }
    ahead = editor.submit(form, "/udgivelser", **typed, trin="forhaandsvis")
    assert "98 kommuner" in ahead.text
    for _ in range(2):  # pressed twice, as impatient people do
        done = editor.submit(ahead, "/udgivelser", trin="udgiv")
        assert "98 kommuner" in done.text


def test_publish(site: Site, house: Installation) -> None:
    a_plusbruger_everywhere(house)
    publish(site.visitor().sign_in("redaktoer@kombit.example"))
    with house.reading(datetime.now(UTC)) as work:
        copies = dict(work.session.execute(select(MunicipalTask.municipality_id, MunicipalTask.id)).all())
        assert work.session.scalar(select(func.count(MunicipalTask.id))) == len(copies) == 98
    assert site.klik("run-job", "deliver") == "98 mails er afleveret.\n"
    assert site.klik("run-job", "deliver") == "0 mails er afleveret.\n"
    told = Counter(recipient for recipient, _ in site.sink.received)
    assert told == Counter({f"plus@k{code}.example": 1 for code in copies})
    for code in (KOEGE, HERNING):
        (link,) = (url for url in links(body(site, f"plus@k{code}.example")) if "/opgaver/" in url)
        assert link == f"{site.url}/opgaver/{copies[code]}"
        assert_opens_after_sign_in(site.visitor(), f"plus@k{code}.example", link)
    neighbour = site.visitor().sign_in(f"plus@k{HERNING}.example")
    neighbour.get(f"/opgaver/{copies[KOEGE]}", expect=404)
    assert site.klik("check").startswith("I orden")


def assert_opens_after_sign_in(window: Visitor, email: str, link: str) -> None:
    path = urlsplit(link).path
    page = window.get(path)
    assert window.response.request.path == "/log-ind"
    page = window.submit(page, "/log-ind", email=email, password=make.PASSWORD)
    assert window.response.request.path == path
    assert page.h1 and TITLE in page.h1.text


# -- Read --------------------------------------------------------------------------------------------------


def tasks_to_read(house: Installation) -> None:
    """In Køge two red, one yellow and one green not started, one red in progress, one done; one in Herning."""
    with house.database.writing() as session:
        make.person(session, "Mette Holm", email="mette@koege.example", systems=("kp",))
        make.person(session, "Jens Østergaard", email="jens@koege.example", level=Level.USER)
        for title, days, status in (
            ("Rød æblegrød", -3, Status.NOT_STARTED),
            ("=Rød formel; “citat”", -1, Status.NOT_STARTED),
            ("Gul i dag", 0, Status.NOT_STARTED),
            ("Grøn", 90, Status.NOT_STARTED),
            ("Rød i gang", -5, Status.IN_PROGRESS),
            ("Rød fuldført", -5, Status.COMPLETED),
        ):
            make.municipal_task(session, title=title, deadline=due(days), status=status)
        make.municipal_task(session, title="Hannes", municipality=HERNING, deadline=due(-2))


def titles(page: BeautifulSoup) -> list[str]:
    """What the list shows, in its order."""
    return [link.get_text(strip=True) for link in page.select("tr[id^=opgave-] th > a")]


def pulse(page: BeautifulSoup) -> tuple[int, int]:
    """The counts above the list: red and yellow."""
    text = page.select_one(".klik-pulse").get_text(" ", strip=True)  # type: ignore[union-attr]
    numbers = [int(word) for word in text.split() if word.isdigit()]
    return numbers[0], numbers[1]


def test_read(site: Site, house: Installation) -> None:
    tasks_to_read(house)
    mette = site.visitor().sign_in("mette@koege.example")
    page = mette.get(RED_YELLOW)
    assert titles(page) == ["Rød æblegrød", "=Rød formel; “citat”", "Gul i dag"]
    assert pulse(page) == (3, 1)
    saved = mette.submit(page, "/filtre", navn="Min morgen")
    chosen = saved.select_one(".klik-saved-link[aria-current]")
    assert chosen is not None and chosen.get_text(" ", strip=True) == "Min morgen 3 opgaver"
    assert_same_rows_everywhere(mette, RED_YELLOW, titles(page))
    path = page.select_one("tr[id^=opgave-] a[href^='/opgaver/']")["href"]  # type: ignore[index]
    work_on(mette, str(path))
    page = mette.get(RED_YELLOW)
    assert titles(page) == ["=Rød formel; “citat”", "Gul i dag"]
    assert pulse(page) == (3, 1)  # one more in progress is red all the same
    assert page.select_one(".klik-saved-link[aria-current]").get_text(" ", strip=True).endswith("2 opgaver")  # type: ignore[union-attr]
    assert_printed(mette, urlsplit(str(path)).path)


def work_on(mette: Visitor, path: str) -> None:
    """Start the task, give it to Jens, and say why."""
    page = mette.get(path)
    (form,) = (form for form in page.select("form[action]") if "/ret" in str(form["action"]))
    jens = form.find("option", string="Jens Østergaard")
    changed = filled(form) | {"status": "i-gang", "responsible": jens["value"]}  # type: ignore[index]
    page = mette.post(str(form["action"]), changed)
    assert "Ændringen er gemt" in page.text
    (form,) = (form for form in page.select("form[action]") if "/kommentarer" in str(form["action"]))
    page = mette.post(str(form["action"]), filled(form) | {"text": "Aftalt på mødet i uge 47."})
    assert "Aftalt på mødet i uge 47." in page.select_one("#kommentarer").text  # type: ignore[union-attr]


def assert_same_rows_everywhere(window: Visitor, address: str, shown: list[str]) -> None:
    query = urlsplit(address).query
    table = list(
        csv.reader(io.StringIO(window.download(f"/opgaver.csv?{query}").decode("utf-8-sig")), delimiter=";")
    )
    # A title that a spreadsheet would take for a formula is led by an apostrophe.
    assert [row[1].removeprefix("'") for row in table[1:]] == shown
    assert {row[4] for row in table[1:]} == {"Køge"}
    sheet = load_workbook(io.BytesIO(window.download(f"/opgaver.xlsx?{query}"))).worksheets[0]
    rows = list(sheet.iter_rows(values_only=True))
    assert [str(cell) for cell in rows[0]] == table[0]
    assert [str(row[1]).removeprefix("'") for row in rows[1:]] == shown
    calendar = Calendar.from_ical(window.download(f"/opgaver.ics?{query}"))
    found = [str(event["SUMMARY"]) for event in calendar.walk("VEVENT")]
    assert len(found) == len(shown)
    assert all(any(title in summary for summary in found) for title in shown)
    listed = printed(window.download(f"/opgaver.pdf?{query}"))
    assert all(title in listed for title in shown)


def printed(pdf: bytes) -> str:
    """The text of a PDF, its lines joined."""
    done = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True, timeout=60)
    return " ".join(done.stdout.decode().split())


def assert_printed(window: Visitor, path: str) -> None:
    text = printed(window.download(f"{path}.pdf"))
    for words in ("Rød æblegrød", "Aftalt på mødet i uge 47.", "I gang", "Jens Østergaard"):
        assert words in text, text


# -- Remind ------------------------------------------------------------------------------------------------


def test_remind(site: Site, house: Installation) -> None:
    with house.database.writing() as session:
        mette = make.person(session, email="mette@koege.example", systems=("kp",))
        hanne = make.person(session, "Hanne", email="hanne@herning.example", municipality=HERNING)
        for person in (mette, hanne):
            make.notice_settings(session, person, at_once=tuple(reminders.ORDER))  # at any hour of any day
        mine = make.municipal_task(session, title="Rød", deadline=due(-1), responsible=mette).id
        make.municipal_task(
            session, title="Rød dér", deadline=due(-1), responsible=hanne, municipality=HERNING
        )
    worker = start(site.environ, "worker")  # four at once: see test_mail_processes
    try:
        site.sink.wait_for(2, 90)
        assert f"{site.url}/opgaver/{mine}" in links(body(site, "mette@koege.example"))
        for _ in range(2):
            assert site.klik("run-job", "scan-deadlines") == "0 nye varsler er skrevet ind.\n"
        assert json.loads(site.klik("run-job", "control", "--json"))["ok"] is True
        assert recipients(site) == {"mette@koege.example": 1, "hanne@herning.example": 1}
        # A new deadline is told of anew.
        move_deadline(site, mine, due(1))
        assert site.klik("run-job", "scan-deadlines") == "1 nyt varsel er skrevet ind.\n"
        site.sink.wait_for(3)
        assert site.klik("run-job", "scan-deadlines") == "0 nye varsler er skrevet ind.\n"
    finally:
        worker.send_signal(signal.SIGTERM)
        said = worker.communicate(timeout=90)[0]
    assert worker.returncode == 0, said
    assert site.klik("run-job", "deliver") == "0 mails er afleveret.\n"
    assert recipients(site) == {"mette@koege.example": 2, "hanne@herning.example": 1}
    occasions = Counter(row["occasion"] for row in json.loads(site.klik("outbox", "list", "--json")))
    assert occasions == {"core.roed": 2, "core.1-dag": 1}


def recipients(site: Site) -> Counter[str]:
    return Counter(recipient for recipient, _ in site.sink.received)


def move_deadline(site: Site, task: int, day: date) -> None:
    window = site.visitor().sign_in("mette@koege.example")
    page = window.get(f"/opgaver/{task}")
    assert "Ændringen er gemt" in window.submit(page, f"/opgaver/{task}/ret", deadline=short_date(day)).text


# -- Delete ------------------------------------------------------------------------------------------------


def test_a_deletion_is_announced_and_answered(site: Site, house: Installation) -> None:
    with house.database.writing() as session:
        versions = [make.task(session, f"Gammel opgave {n}", number=f"MI {n:02d}") for n in (1, 2)]
        first, _second = (make.municipal_task(session, version).id for version in versions)
        make.person(session, "Ida", level=Level.KOMBIT_EDITOR, email="redaktoer@kombit.example")
        make.person(session, email="mette@koege.example", systems=("kp",))
    kombit = site.visitor().sign_in("redaktoer@kombit.example")
    typed = {
        "scope": "projekt=kp",
        "heading": "KP-opgaver fra 2024",
        "last_day": short_date(due(30)),
        "legal_basis": "Bekendtgørelse om kassation",
        "decided_by": "Arkivansvarlig",
        "decided_on": short_date(today()),
    }
    preview = kombit.submit(kombit.get("/sletning/varsl"), "/sletning/varsl", **typed, trin="vis")
    kombit.submit(preview, "/sletning/varsl", trin="varsl")
    announced = kombit.response.request.path
    site.klik("run-job", "deliver")
    assert "mette@koege.example" in recipients(site)
    mette = site.visitor().sign_in("mette@koege.example")
    front = mette.get("/")
    assert "30 dage" in front.select_one(".klik-countdown-bar, .klik-countdown").text  # type: ignore[union-attr]
    assert states(mette, announced) == ["Varslet", "Varslet"]
    assert mette.download(f"/opgaver/{first}.pdf").startswith(b"%PDF-")
    assert states(mette, announced) == ["Hentet", "Varslet"]
    row = kombit.get(announced).find("th", string="Køge").find_parent("tr")  # type: ignore[union-attr]
    counts = {cell["data-label"]: cell.get_text(" ", strip=True) for cell in row.select("td[data-label]")}
    assert (counts["Varslet"], counts["Hentet"]) == ("1", "1"), counts


def states(window: Visitor, path: str) -> list[str]:
    """One word for each task of the announcement: Varslet, Hentet, Kvitteret …"""
    return [
        cell.get_text(" ", strip=True).split()[0]
        for cell in window.get(path).select("td[data-label=Tilstand]")
    ]


# -- Sessions ----------------------------------------------------------------------------------------------


def test_an_ended_session_opens_nothing(site: Site, house: Installation) -> None:
    with house.database.writing() as session:
        make.person(session, email="mette@koege.example", systems=("kp",))
        task = make.municipal_task(session).id
    mette, elsewhere, left = (site.visitor().sign_in("mette@koege.example") for _ in range(3))
    old = {cookie.name: cookie for cookie in left.wire.cookies}
    left.submit(left.get("/"), "/log-ud")
    for cookie in old.values():  # somebody kept them
        left.wire.cookies.set_cookie(cookie)
    assert_shut(left, task)
    mette.get(f"/opgaver/{task}")
    assert "har ikke længere adgang" in site.klik("user", "disable", "mette@koege.example")
    for window in (mette, elsewhere):
        assert_shut(window, task)
    page = mette.get("/log-ind")
    mette.submit(page, "/log-ind", email="mette@koege.example", password=make.PASSWORD)
    assert mette.response.request.path == "/log-ind"
    site.klik("user", "disable", "findes-ikke@koege.example", expect=1)
    with house.reading(datetime.now(UTC)) as work:
        assert work.session.scalar(select(func.count(Person.id))) == 1


def assert_shut(window: Visitor, task: int) -> None:
    for path in ("/", "/opgaver", f"/opgaver/{task}", f"/opgaver/{task}.pdf", "/opgaver.csv", "/personer"):
        window.get(path)
        assert window.response.request.path == "/log-ind", path
    # Without a session there is nothing to forge: the form is refused or leads to signing in.
    answer = window.wire.post(f"/opgaver/{task}/ret", data={"status": "fuldfoert", "version": "1"})
    assert answer.status_code in (303, 400, 403) and b"er gemt" not in answer.data
