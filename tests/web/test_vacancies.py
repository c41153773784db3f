"""Vacant roles where people meet them: front pages, a task's page, KOMBIT's matrix and its files."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import openpyxl
import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from klik import jobs
from klik.domain.calendar import short_date
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Municipality, Notice, Person, RoleHolding, Task
from klik.services import publishing
from klik.web.base import moment
from tests import make
from tests.client import Browser

Open = Callable[..., Browser]
PEOPLE = {
    "karen": ("Karen Kjær", Level.ADMINISTRATOR),
    "mette": ("Mette Holm", Level.PLUS_USER),
    "bente": ("Bente Skov", Level.READER),
    "gitte": ("Gitte Lyngholm", Level.KOMBIT_EDITOR),
}
DAY = timedelta(days=1)


def email(name: str) -> str:
    return f"{name}@{'kombit' if name == 'gitte' else 'koege'}.example"


@pytest.fixture
def people(house: Installation) -> dict[str, int]:
    with house.database.writing() as session:
        make.has_system(session, code="kp")
        return {
            name: make.person(session, full, level=level, email=email(name)).id
            for name, (full, level) in PEOPLE.items()
        }


def appointing(house: Installation) -> int:
    """An Udpeg-opgave as KOMBIT publishes it, given to Køge; the copy's id."""
    with house.database.writing() as session:
        version = make.task(session, "Udpeg systemansvarlig", number="13.7")
        session.execute(
            update(Task).where(Task.id == version.task_id).values(appoints_role="systemansvarlig")
        )
        row = make.municipal_task(session, version)
        row.responsible_role = "systemansvarlig"
        return row.id


def act(page: BeautifulSoup) -> str:
    """Where the panel's form goes."""
    return str(page.select_one("#besaet form")["action"])


def test_from_the_task_to_the_vacancy_mail(
    browser: Open, house: Installation, people: dict[str, int]
) -> None:
    gitte, karen = browser().sign_in(email("gitte")), browser().sign_in(email("karen"))
    with house.database.reading() as session:
        gitte_acts = make.actor(session, session.get_one(Person, people["gitte"]))
    draft = publishing.Draft(
        project="kp",
        title="Udpeg systemansvarlig",
        phase="forberedelse",
        theme="projektstyring-og-ledelse",
        purpose="Nogen skal følge systemet.",
        description="Udpeg en systemansvarlig.",
        appoints_role="systemansvarlig",
    )
    with house.writing(moment(), gitte_acts) as work:
        make.project(work.session)
        publishing.publish(work, draft, [make.KOEGE])
    page = karen.get("/opgaver?q=systemansvarlig")
    # 1: the task. 2: the person. 3: the button.
    address = next(a["href"] for a in page.select("main a") if "Udpeg systemansvarlig" in a.text)
    page = karen.get(address)
    assert "Systemansvarlig for Kommunernes Pensionssystem" in page.select_one("#besaet").text
    assert page.select_one("#besaet [name=valid_from]")["value"] == short_date(moment().date())
    assert page.select_one("#besaet [name=primary]").has_attr("checked")
    page = karen.submit(page, act(page), person=str(people["mette"]))
    assert "Fuldført" in page.find("h1").parent.text
    assert "rollen blev besat med Mette Holm" in " ".join(page.text.split())
    # KOMBIT sees it done.
    with house.database.reading() as session:
        task = session.scalars(select(Task.id)).one()
    progress = gitte.get(f"/udgivelser/{task}").text
    assert "1 af 1" in progress or "Fuldført" in progress
    # It ends today; tomorrow the administrator is told, with the task's name.
    with house.database.reading() as session:
        holding = session.scalars(select(RoleHolding.id)).one()
    end = f"/roller/indehavere/{holding}/afslut"
    karen.submit(karen.get(end), end)
    jobs.scan_deadlines(house, moment() + DAY)
    with house.database.reading() as session:
        (notice,) = session.scalars(select(Notice).where(Notice.occasion == "rolle-ledig"))
        assert notice.person_id == people["karen"] and "Udpeg systemansvarlig”" in notice.sentence


def test_what_was_typed_wrong_on_the_task_page_is_kept_and_leads_back(
    browser: Open, house: Installation, people: dict[str, int]
) -> None:
    task = appointing(house)
    karen = browser().sign_in(email("karen"))
    page = karen.get(f"/opgaver/{task}")
    page = karen.submit(page, act(page), expect=422, person=str(people["mette"]), valid_from="31-02-2027")
    assert page.select_one("#valid_from")["value"] == "31-02-2027"
    action = f"/roller/systemansvarlig/besaet?system=kp&opgave={task}"
    page = karen.submit(page, action, valid_from="")
    assert page.find("h1").text.startswith("13.7 Udpeg systemansvarlig")


def test_the_task_of_another_municipality_is_no_way_back(
    browser: Open, house: Installation, people: dict[str, int]
) -> None:
    with house.database.writing() as session:
        theirs = make.municipal_task(session, municipality=make.HERNING).id
    karen = browser().sign_in(email("karen"))
    for named in (theirs, 999_999, "1;--", "²"):
        page = karen.get(f"/roller/systemansvarlig/besaet?system=kp&opgave={named}")
        assert "Tilbage til opgaven" not in page.text


def test_who_may_not_fill_is_told_who_can(browser: Open, house: Installation, people: dict[str, int]) -> None:
    task = appointing(house)
    page = browser().sign_in(email("bente")).get(f"/opgaver/{task}")
    panel = page.select_one("#besaet")
    assert panel.select("form") == []
    assert "Rollen kan besættes af Karen Kjær" in " ".join(panel.text.split())
    facts = page.select_one("section[aria-labelledby=oplysninger]")
    assert "Rollen systemansvarlig er ubesat" in " ".join(facts.text.split())
    assert facts.select_one("a[href='/roller/systemansvarlig']").text == "Se rollen"
    seen = browser().sign_in(email("gitte")).get(f"/opgaver/{task}")
    assert "Karen" not in seen.select_one("#besaet").text
    mine = browser().sign_in(email("karen")).get(f"/opgaver/{task}")
    link = mine.select_one("section[aria-labelledby=oplysninger] a[href*=besaet]")
    assert link.text == "Besæt rollen"


def test_a_task_whose_role_is_held_already_is_marked_with_one_press(
    browser: Open, house: Installation, people: dict[str, int]
) -> None:
    with house.database.writing() as session:
        make.holding(session, mailbox="pension@koege.example")
    task = appointing(house)
    karen = browser().sign_in(email("karen"))
    page = karen.get(f"/opgaver/{task}")
    panel = page.select_one("#besaet")
    assert "allerede besat med pension@koege.example" in " ".join(panel.text.split())
    page = karen.submit(page, act(page))
    assert "Fuldført" in page.find("h1").parent.text


def test_front_pages_count_and_lead_on(browser: Open, house: Installation, people: dict[str, int]) -> None:
    appointing(house)
    page = browser().sign_in(email("karen")).get("/")
    rows = page.select(".vacancies-list li")
    assert 0 < len(rows) <= 5
    assert "Mangler nu: Systemansvarlig for Kommunernes Pensionssystem" in " ".join(rows[0].text.split())
    assert rows[0].select_one("a[href*=besaet]")["href"] == "/roller/systemansvarlig/besaet?system=kp"
    mette = browser().sign_in(email("mette"))
    assert mette.get("/").select(".vacancies-list") == []
    with house.database.writing() as session:
        leader = session.get_one(Person, people["mette"])
        make.holding(session, "kombit-programleder", holder=leader, system_code=None)
    shown = mette.get("/").select(".vacancies-list li")
    assert shown and "besaet" not in str(shown)
    gitte = browser().sign_in(email("gitte"))
    card = gitte.get("/").select_one("a[href='/roller?kun=mangler-nu']")
    assert card and "mangler nu" in card.text
    assert len(gitte.get(card["href"]).select(".roles-matrix tbody tr")) == 1


def test_the_matrix_is_narrowed_named_and_taken_home(
    browser: Open, house: Installation, people: dict[str, int]
) -> None:
    appointing(house)
    with house.database.writing() as session:
        session.get_one(Municipality, make.KOEGE).name = "=1+2"
    gitte = browser().sign_in(email("gitte"))
    page = gitte.get("/roller?system=kp&kun=mangler-nu&rolle=systemansvarlig&farve=roed&region=Narnia")
    assert "Filteret “farve” findes ikke her" in page.text and "“Narnia” findes ikke" in page.text
    cell = page.select_one(".roles-matrix tbody td.roles-urgent a")
    assert cell["href"] == "/roller/systemansvarlig?kommune=259"
    gitte.get(cell["href"])
    query = page.select_one("a[href^='/roller/matrix.xlsx']")["href"].partition("?")[2]
    assert query == "system=kp&rolle=systemansvarlig&kun=mangler-nu"
    csv = gitte.download(f"/roller/matrix.csv?{query}").decode("utf-8-sig").splitlines()
    assert csv[1].startswith("'=1+2;259;") and csv[1].endswith(";1")
    book = openpyxl.load_workbook(io.BytesIO(gitte.download(f"/roller/matrix.xlsx?{query}")))
    row = list(book.active.values)[1]
    assert (row[0], row[1], row[-1]) == ("=1+2", "259", 1) and book.active["A2"].data_type == "s"
    assert "Ingen roller passer på filteret" in gitte.get("/roller?kun=mangler-primaer").text


def test_a_role_of_one_primary_says_when_it_has_none(
    browser: Open, house: Installation, people: dict[str, int]
) -> None:
    with house.database.writing() as session:
        for name in ("karen", "mette"):
            who = session.get_one(Person, people[name])
            make.holding(session, holder=who, primary=False)
    karen = browser().sign_in(email("karen"))
    row = karen.get("/roller").find(id="systemansvarlig-kp")
    assert "Mangler primær" in row.text and row.text.count("Gør primær") == 2
    assert "Vælg den primære" in karen.get("/").text
    assert "mangler primær" in browser().sign_in(email("gitte")).get("/roller?kun=mangler-primaer").text
