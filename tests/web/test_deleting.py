"""The pages of announced deletions: KOMBIT's, a municipality's, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from klik.domain.calendar import long_date, short_date
from klik.domain.deadlines import danish_today
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Deletion, DeletionItem, Person
from klik.services import deleting
from tests import make
from tests.client import Browser
from tests.make import HERNING, KOEGE


def today() -> date:
    """The pages read the real clock."""
    return danish_today(datetime.now(UTC))


@pytest.fixture
def first_day() -> date:
    return today() + timedelta(days=30)


@pytest.fixture
def koege(house: Installation) -> list[int]:
    """KP with two tasks in Køge and Herning; people at KOMBIT, in both, and at a supplier."""
    with house.database.writing() as session:
        versions = [make.task(session, f"Opgave {n}", number=f"MI {n:02d}") for n in (1, 2)]
        tasks = [make.municipal_task(session, version).id for version in versions]
        for version in versions:
            make.municipal_task(session, version, municipality=HERNING)
        for email, level, place in (
            ("kombit@klik.example", Level.KOMBIT_EDITOR, None),
            ("koege@klik.example", Level.PLUS_USER, KOEGE),
            ("reader@klik.example", Level.READER, KOEGE),
            ("herning@klik.example", Level.ADMINISTRATOR, HERNING),
            ("supplier@klik.example", Level.SUPPLIER, None),
        ):
            make.person(
                session, email.partition("@")[0].title(), email=email, level=level, municipality=place
            )
    return tasks


@pytest.fixture
def kombit(browser: Callable[..., Browser], koege: list[int]) -> Browser:
    return browser().sign_in("kombit@klik.example")


@pytest.fixture
def mette(browser: Callable[..., Browser], koege: list[int]) -> Browser:
    return browser().sign_in("koege@klik.example")


def written(day: date, **changes: Any) -> dict[str, Any]:
    return {
        "scope": "projekt=kp",
        "heading": "KP-opgaver fra 2024",
        "last_day": short_date(day),
        "legal_basis": "Bekendtgørelse om kassation",
        "decided_by": "Arkivansvarlig",
        "decided_on": short_date(today()),
        "trin": "vis",
    } | changes


def announce(kombit: Browser, last_day: date, **changes: Any) -> BeautifulSoup:
    form = kombit.get("/sletning/varsl")
    preview = kombit.submit(form, "/sletning/varsl", **written(last_day, **changes))
    return kombit.submit(preview, "/sletning/varsl", trin="varsl")


def test_from_the_form_over_the_preview_to_the_account(kombit: Browser, first_day: date) -> None:
    link = kombit.get("/sletning").find("a", string="Varsl sletning")
    form = kombit.get(link["href"])
    preview = kombit.submit(form, "/sletning/varsl", **written(first_day))
    assert preview.h1.text == "4 opgaver i 2 kommuner"
    assert "4 opgaver er ikke fuldført" in preview.text
    back = kombit.submit(preview, "/sletning/varsl", trin="ret")
    assert back.select_one("#heading")["value"] == "KP-opgaver fra 2024"
    assert back.select_one("option[selected]")["value"] == "projekt=kp"
    page = kombit.submit(preview, "/sletning/varsl", trin="varsl")
    assert kombit.response.request.path == "/sletning/1"
    assert "0 af 2 har hentet, 0 har åbnet, 2 tavse." in page.text
    assert "2 kommuner får besked" in page.text
    assert [row.th.text for row in page.select("tbody tr")] == ["Herning", "Køge"]
    assert "KP-opgaver fra 2024" in kombit.get("/sletning").text


def test_pressing_announce_twice_leads_to_the_same_announcement(
    kombit: Browser, house: Installation, first_day: date
) -> None:
    preview = kombit.submit(kombit.get("/sletning/varsl"), "/sletning/varsl", **written(first_day))
    for _ in range(2):
        kombit.submit(preview, "/sletning/varsl", trin="varsl")
        assert kombit.response.request.path == "/sletning/1"
    with house.database.reading() as session:
        assert len(session.scalars(select(Deletion)).all()) == 1


def test_single_tasks_can_be_ticked_without_javascript(kombit: Browser, first_day: date) -> None:
    form = kombit.get("/sletning/varsl")
    form = kombit.submit(form, "/sletning/varsl", **written(first_day, trin="opgaver"))
    ticks = form.select("input[name=opgave]")
    assert [tick.find_next("label").text for tick in ticks] == ["MI 01 Opgave 1", "MI 02 Opgave 2"]
    preview = kombit.submit(form, "/sletning/varsl", trin="vis", opgave=[ticks[0]["value"]])
    assert preview.h1.text == "2 opgaver i 2 kommuner"
    page = kombit.submit(preview, "/sletning/varsl", trin="varsl")
    assert [cell.text for cell in page.select("td[data-label=Varslet]")] == ["1", "1"]
    left_out = kombit.submit(
        kombit.get("/sletning/varsl?projekt=kp"), "/sletning/varsl", **written(first_day)
    )
    assert "1 opgave er udeladt" in left_out.text
    assert "MI 01 Opgave 1 (2 kommuner)" in left_out.text


def test_the_form_says_what_is_wrong_and_keeps_what_was_typed(kombit: Browser, first_day: date) -> None:
    first = long_date(first_day)
    refused = [
        ({"last_day": short_date(today())}, f"den {first}."),
        ({"last_day": short_date(first_day - timedelta(days=1))}, f"den {first}."),
        ({"last_day": ""}, f"den {first}."),
        (
            {"last_day": "31-02-2027"},
            "Sidste dag: “31-02-2027” findes ikke: februar 2027 har 28 dage.",
        ),
        ({"last_day": "2027-13-01"}, "der er ingen måned 13"),
        ({"last_day": "2027-W53"}, "Sidste dag: “2027-w53” kan ikke læses som en dato."),
        ({"last_day": "9999-12-31"}, "Sidste dag: Datoen skal ligge fra 01-01-2000 til 31-12-2100."),
        ({"legal_basis": ""}, "Hjemmel skal udfyldes."),
        ({"decided_by": " "}, "Besluttet af skal udfyldes."),
        ({"decided_on": short_date(first_day)}, "Besluttet den må ikke ligge efter i dag"),
        ({"decided_on": ""}, "Besluttet den skal udfyldes"),
        ({"scope": ""}, "Opgaver skal vælges"),
        ({"scope": "projekt=findes-ikke"}, "Vælg en af mulighederne på listen."),
        ({"opgave": "99999999999999999999"}, "Vælg en af mulighederne på listen."),
        ({"heading": "æ" * 201}, "Overskrift må højst fylde 200 tegn; du har skrevet 201."),
    ]
    form = kombit.get("/sletning/varsl")
    for changes, sentence in refused:
        page = kombit.submit(form, "/sletning/varsl", expect=422, **written(first_day, **changes))
        assert sentence in page.select_one(".klik-error-summary").text
        assert page.select_one("#decided_by")["value"] == changes.get("decided_by", "Arkivansvarlig")
        assert page.select_one("#last_day")["value"] == changes.get("last_day", short_date(first_day))


def test_what_changed_since_the_preview_is_shown_again(
    kombit: Browser, house: Installation, first_day: date
) -> None:
    preview = kombit.submit(kombit.get("/sletning/varsl"), "/sletning/varsl", **written(first_day))
    with house.database.writing() as session:
        make.municipal_task(session, in_project=make.project(session, "kp"))
    again = kombit.submit(preview, "/sletning/varsl", expect=422, trin="varsl")
    assert "Antallet har ændret sig" in again.text
    kombit.submit(again, "/sletning/varsl", trin="varsl")
    assert kombit.response.request.path == "/sletning/1"


def test_a_municipality_sees_its_own_and_takes_it_home(
    kombit: Browser, mette: Browser, house: Installation, koege: list[int], first_day: date
) -> None:
    announce(kombit, first_day)
    page = mette.get("/sletning/1")
    assert "Herning" not in page.text
    assert [cell.text.split()[0] for cell in page.select("td[data-label=Tilstand]")] == ["Varslet", "Varslet"]
    assert f"{long_date(first_day)} kl. 23.59.59 dansk tid" in page.text
    order = page.find("form", id="hent")
    sent = {field["name"]: field.get("value") for field in order.select("input")}
    assert (order["action"], sent["kind"], sent["sletning"]) == ("/eksport", "zip", "1")
    assert page.select_one(".klik-countdown") is not None
    assert page.find("button", string="Kvittér") is None
    with house.database.reading() as session:
        actor = make.actor(session, make_person(session, "koege@klik.example"))
    with house.writing(datetime.now(UTC), actor) as work:
        deleting.note_fetched(work, koege[0], "0" * 64)
    page = mette.get("/sletning/1")
    assert "1 af 2 opgaver er hentet." in page.text
    ticked = [tick["value"] for tick in page.select("input[name=item_ids]")][:1]
    receipt = "/sletning/1/kvittering"
    wrong = mette.post(receipt, {"item_ids": ticked, "case_number": ""}, expect=422)
    assert "Sagsnummer skal udfyldes." in wrong.text
    page = mette.post(receipt, {"case_number": "2026-1234"})
    assert "Der er kvitteret for 1 opgave." in page.text
    assert ", sag 2026-1234" in page.select_one("td[data-label=Tilstand]").text
    page = mette.post(receipt, {"item_ids": ticked, "case_number": "2026-4321"})
    assert ", sag 2026-4321" in page.select_one("td[data-label=Tilstand]").text
    counts = kombit.get("/sletning/1?vis=aabnet").select("section[aria-labelledby=kommuner] tbody tr")
    assert [row.th.text for row in counts] == ["Køge"]
    assert "Ingen kommuner her" in kombit.get("/sletning/1?vis=hentet").text


def make_person(session: Any, email: str) -> Any:
    """The person with this address."""
    return session.scalars(select(Person).where(Person.email == email)).one()


def test_others_items_and_announcements_are_not_there(
    kombit: Browser, mette: Browser, house: Installation, first_day: date
) -> None:
    with house.database.writing() as session:
        make.municipal_task(
            session, municipality=HERNING, in_project=make.project(session, "ky", system_code="ky")
        )
    announce(kombit, first_day)
    announce(kombit, first_day, scope="projekt=ky", heading="Kun Herning")
    assert "Kun Herning" not in mette.get("/sletning").text
    mette.get("/sletning/2", expect=404)
    mette.get("/sletning/99", expect=404)
    with house.database.reading() as session:
        theirs = session.scalars(select(DeletionItem.id).where(DeletionItem.municipality_id == HERNING)).all()
    for item_id in theirs:
        for deletion_id in (1, 2):
            mette.get(f"/sletning/{deletion_id}/opgaver/{item_id}/behold", expect=404)
            mette.post(
                f"/sletning/{deletion_id}/opgaver/{item_id}/behold",
                {"reason": "Klage", "until": ""},
                expect=404,
            )
    mette.post("/sletning/1/kvittering", {"item_ids": theirs[0], "case_number": "1"}, expect=404)


@pytest.mark.parametrize(
    ("email", "path"),
    [
        ("supplier@klik.example", "/sletning"),
        ("supplier@klik.example", "/sletning/1"),
        ("koege@klik.example", "/sletning/varsl"),
        ("koege@klik.example", "/sletning/1/udsaet"),
        ("koege@klik.example", "/sletning/1/fortryd"),
        ("koege@klik.example", "/sletning/1/opgaver/1/svar"),
        ("reader@klik.example", "/sletning/1/opgaver/1/behold"),
    ],
)
def test_who_has_no_business_there_is_refused(
    browser: Callable[..., Browser], kombit: Browser, first_day: date, email: str, path: str
) -> None:
    announce(kombit, first_day)
    browser().sign_in(email).get(path, expect=403)


def test_a_reader_is_told_what_counts_as_fetched(
    browser: Callable[..., Browser], kombit: Browser, first_day: date
) -> None:
    announce(kombit, first_day)
    page = browser().sign_in("reader@klik.example").get("/sletning/1")
    assert "regnes først som hentet" in page.text
    assert page.find("a", string=lambda text: bool(text and "beholde" in text)) is None


def test_postponing_and_regretting(kombit: Browser, mette: Browser, first_day: date) -> None:
    announce(kombit, first_day)
    form = kombit.get("/sletning/1/udsaet")
    action = "/sletning/1/udsaet"
    refused = kombit.submit(form, action, expect=422, new_day=short_date(first_day), note="Ferie")
    assert "Ny sidste dag skal ligge efter den varslede" in refused.text
    assert refused.select_one("#note").text.strip() == "Ferie"
    later = first_day + timedelta(days=10)
    page = kombit.submit(form, action, new_day=short_date(later), note="Ferie")
    assert f"udsat til efter {long_date(later)}" in page.text
    kombit.submit(form, action, expect=409, new_day=short_date(later + timedelta(days=1)))
    assert "Ferie" in mette.get("/sletning/1").text
    kombit.submit(kombit.get("/sletning/1/fortryd"), "/sletning/1/fortryd", note="Forkert projekt")
    page = mette.get("/sletning/1")
    assert "KOMBIT har fortrudt" in page.text
    assert page.select_one(".klik-countdown") is None
    again = kombit.submit(kombit.get("/sletning/1/fortryd"), "/sletning/1/fortryd", expect=422)
    assert "ikke længere varslet" in again.text


def test_asking_to_keep_a_task_and_answering(
    kombit: Browser, mette: Browser, house: Installation, first_day: date
) -> None:
    announce(kombit, first_day)
    link = mette.get("/sletning/1").select_one("a[href$=behold]")["href"]
    refused = mette.submit(mette.get(link), link, expect=422, reason="", until=short_date(first_day))
    assert "Begrundelse skal udfyldes." in refused.text
    refused = mette.submit(mette.get(link), link, expect=422, reason="Klagesag", until=short_date(first_day))
    assert "Bevares til skal ligge efter sidste dag" in refused.text
    assert refused.select_one("#reason").text.strip() == "Klagesag"
    until = first_day + timedelta(days=90)
    page = mette.submit(mette.get(link), link, reason="Klagesag", until=short_date(until))
    assert f"KOMBIT er spurgt om at beholde den til {long_date(until)}" in page.text
    account = kombit.get("/sletning/1")
    assert "Beder om at beholde 1" in account.text
    answer = account.select_one("a[href$=svar]")["href"]
    assert "vælg ja eller nej" in kombit.submit(kombit.get(answer), answer, expect=422).text
    kombit.submit(kombit.get(answer), answer, granted="ja")
    assert f"Bevares til {long_date(until)}" in mette.get("/sletning/1").text


def test_after_the_last_day_the_pages_say_what_is_true(
    kombit: Browser, mette: Browser, house: Installation
) -> None:
    # A day to spare: a month ago the clocks may have been an hour ahead.
    then = datetime.now(UTC) - timedelta(days=32)
    with house.database.reading() as session:
        actor = make.actor(session, make_person(session, "kombit@klik.example"))
    with house.writing(then, actor) as work:
        day = danish_today(then)
        draft = deleting.Draft(
            heading="KP",
            last_day=day + timedelta(days=30),
            legal_basis="§ 1",
            decided_by="Arkivet",
            decided_on=day,
            selection=deleting.Selection(project="kp"),
        )
        deleting.announce(work, draft, None)
    page = kombit.get("/sletning")
    assert "4 opgaver er over deres sidste dag" in page.text
    assert "læser arkivfilen igen og sletter først derefter" in page.text
    page = kombit.get("/sletning/1")
    assert "Sidste dag er passeret" in page.text
    assert "Varslet er ikke nået frem til 2 kommuner" in page.text
    page = mette.get("/sletning/1")
    assert "I nåede det ikke" in page.select_one(".klik-countdown").text
    assert "I kan stadig hente alt nu" in page.text
    assert page.select_one("a[href$=behold]") is None


def test_with_nothing_announced_the_page_says_so(mette: Browser) -> None:
    assert "Der er ingen varslede sletninger" in mette.get("/sletning").text
