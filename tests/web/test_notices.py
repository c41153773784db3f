"""The page of notices: the own inbox, the account, and who sees what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.services import job_runs
from klik.services.notices import account, delivery
from klik.services.notices.mails import Sender
from tests import make
from tests.client import Browser
from tests.sink import running_sink

DAY = timedelta(days=1)


def fill(house: Installation) -> None:
    with house.database.writing() as session:
        for place, code in (("koege", make.KOEGE), ("herning", make.HERNING)):
            plus = make.person(session, f"Plus {place}", municipality=code, email=f"plus@{place}.example")
            make.person(
                session,
                f"Læser {place}",
                level=Level.READER,
                municipality=code,
                email=f"laeser@{place}.example",
            )
            make.municipal_task(
                session,
                title=f"Opgave i {place}",
                municipality=code,
                deadline=make.TODAY - DAY,
                responsible=plus,
            )
        make.person(session, level=Level.KOMBIT_ADMINISTRATOR, municipality=None, email="adm@kombit.example")
    jobs.run(house, "scan-deadlines", make.NOW, "en")


def words(page: BeautifulSoup) -> str:
    return " ".join(page.find("main").get_text(" ").split())  # type: ignore[union-attr]


def test_the_plus_user_sees_the_own_notice_and_the_own_municipalitys_account(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    fill(house)
    page = browser().sign_in("plus@koege.example").get("/varsler")
    assert "Dine varsler (1 ulæst)" in words(page)
    assert "1 skulle, 0 afsendt, 0 fejlet" in words(page)
    assert "Opgave i koege" in words(page)
    assert "herning" not in words(page)
    assert "Fordi: ansvarlig" in words(page)


def test_kombit_sees_all_and_can_narrow(house: Installation, browser: Callable[..., Browser]) -> None:
    fill(house)
    visitor = browser().sign_in("adm@kombit.example")
    assert "2 skulle" in words(visitor.get("/varsler"))
    narrowed = words(visitor.get("/varsler?kommune=657&tilstand=pending&anledning=core.roed"))
    assert "Opgave i herning" in narrowed
    assert "Opgave i koege" not in narrowed
    assert "8 er trukket tilbage" not in narrowed


@pytest.mark.parametrize(
    "query",
    ["tilstand=ukendt", "kommune=999", "side=0", "side=9999999999", "side=-1", "anledning=%27", "x=1"],
)
def test_nonsense_in_the_address_is_said_and_left_out(
    house: Installation, browser: Callable[..., Browser], query: str
) -> None:
    fill(house)
    page = words(browser().sign_in("adm@kombit.example").get(f"/varsler?{query}"))
    assert ("kendes ikke" in page) == (not query.startswith("side"))


def test_a_reader_sees_only_an_inbox(house: Installation, browser: Callable[..., Browser]) -> None:
    fill(house)
    page = words(browser().sign_in("laeser@koege.example").get("/varsler"))
    assert "Du har ingen varsler" in page
    assert "Regnskab" not in page


def test_reading_is_a_post_and_only_ones_own(house: Installation, browser: Callable[..., Browser]) -> None:
    fill(house)
    with house.reading(make.NOW) as work:
        ids = {
            row.municipality: row.id
            for row in account.rows(work, account.Question(states=frozenset({"pending"})))
        }
    visitor = browser().sign_in("plus@koege.example")
    page = visitor.get("/varsler/mine")
    page = visitor.submit(page, f"/varsler/{ids['Køge']}/laest")
    assert "Ulæst" not in words(page)
    visitor.post(f"/varsler/{ids['Herning']}/laest", expect=404)
    visitor.get(f"/varsler/{ids['Køge']}/laest", expect=405)


def test_states_are_shown_in_danish(house: Installation, browser: Callable[..., Browser]) -> None:
    fill(house)
    with running_sink() as sink:
        sink.behaviour.replies["plus@herning.example"] = "550 5.7.1 findes ikke"
        sending = Installation(replace(house.settings, smtp=sink.address))
        delivery.deliver(
            sending.writing, lambda: make.NOW, Sender("k@klik.example", "https://k.example"), ["core.mail"]
        )
        sending.close()
    page = words(browser().sign_in("adm@kombit.example").get("/varsler"))
    assert "2 skulle, 1 afsendt, 1 fejlet" in page
    assert "Afvist 550 5.7.1 findes ikke" in page
    assert "Afleveret 21. november 2026 kl. 08.00" in page


def test_a_silent_worker_is_warned_of(house: Installation, browser: Callable[..., Browser]) -> None:
    fill(house)
    visitor = browser().sign_in("adm@kombit.example")
    assert "Arbejdsprocessen har ikke kørt endnu." in words(visitor.get("/varsler"))
    with house.writing(jobs.wall_clock() - timedelta(minutes=42)) as work:
        job_runs.beat(work, job_runs.WORKER)
        job_runs.beat(work, job_runs.DISPATCHER)
    page = words(visitor.get("/varsler"))
    assert "Mailafsendelsen har været tavs i 42 minutter." in page
    assert "KLIK_SMTP_URL er ikke sat" in page


def test_the_task_pages_own_list_keeps_to_its_municipality(house: Installation) -> None:
    fill(house)
    with house.database.writing() as session:
        stranger = make.actor(session, make.person(session, municipality=make.AARHUS))
        task = make.municipal_task(session, deadline=make.TODAY - DAY, responsible=make.person(session))
    jobs.run(house, "scan-deadlines", make.NOW, "to")
    with house.reading(make.NOW) as work:
        assert [row.state for row in account.of_task(work, task)].count("pending") == 1
    with house.reading(make.NOW, stranger) as work:
        assert account.of_task(work, task) == ()
