"""Invitations, the narrowed list, KOMBIT's watch over administrators, and changing over: the flows and their clicks."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Membership, Notice, Person, RoleHolding, SecretToken
from klik.services import access
from tests import make
from tests.client import Browser, filled
from tests.services.test_gallery_sheet import HEAD, book, row

Open = Callable[..., Browser]
NEW_PASSWORD = "syv grønne elge danser"


@pytest.fixture
def members(house: Installation) -> dict[str, int]:
    made = {}
    with house.database.writing() as session:
        make.has_system(session, make.KOEGE, "kp")
        for name, level, municipality in (
            ("karen", Level.ADMINISTRATOR, make.KOEGE),
            ("åge", Level.USER, make.KOEGE),
            ("mette", Level.PLUS_USER, make.KOEGE),
            ("zita", Level.READER, make.KOEGE),
            ("hanne", Level.ADMINISTRATOR, make.HERNING),
            ("gitte", Level.KOMBIT_ADMINISTRATOR, None),
            ("steffen", Level.KOMBIT_EDITOR, None),
        ):
            person = make.person(
                session,
                name.title(),
                level=level,
                municipality=municipality,
                email=f"{name.replace('å', 'aa')}@koege.example",
                systems=("kp",) if name == "mette" else (),
            )
            made[name] = make.actor(session, person).membership_id
    return made


class Clicks:
    """A person with a mouse: every link followed and every button pressed counts."""

    def __init__(self, browser: Browser) -> None:
        self.browser, self.count = browser, 0
        self.page: BeautifulSoup = browser.get("/")

    def follow(self, text: str) -> None:
        link = next(each for each in self.page.select("a[href]") if text in each.text)
        self.count += 1
        self.page = self.browser.get(link["href"])

    def press(self, text: str, **typed: Any) -> None:
        button = next(each for each in self.page.select("form button") if text in each.text)
        form = button.find_parent("form")
        self.count += 1
        data = filled(form) | typed
        if button.get("name"):
            data[button["name"]] = button["value"]
        self.page = self.browser.post(form["action"], data)


def secret_path(house: Installation) -> str:
    with house.database.reading() as session:
        return session.scalars(
            select(Notice.path).where(Notice.occasion == access.SECRET_OCCASION).order_by(Notice.id.desc())
        ).first()


def test_an_invitation_is_seen_sent_again_and_taken_back(
    browser: Open, house: Installation, members: dict[str, int]
) -> None:
    karen = browser().sign_in("karen@koege.example")
    invited = Clicks(karen)
    invited.follow("Personer")
    invited.follow("Giv en person adgang")
    invited.press("Giv adgang", name="Ny Nielsen", email="ny@koege.example", level="bruger")
    page = invited.page
    assert invited.count == 3
    assert "Inviteret" in page.text and "linket udløber" in page.text
    first = secret_path(house)
    again = next(each["action"] for each in page.select("form") if each["action"].endswith("/send-igen"))
    page = karen.submit(page, again)
    assert "Klik har sendt et nyt link til ny@koege.example" in page.text
    second = secret_path(house)
    assert first != second
    assert "Linket virker ikke mere" in browser().get(first, expect=404).text
    assert "Ny Nielsen" in browser().get(second).text
    listed = karen.get("/personer?vis=inviteret")
    assert len(listed.select("tbody tr")) == 1
    assert "linket udløber" in listed.text
    karen.submit(page, again)
    assert "Vent lidt" in karen.submit(page, again).text
    with house.database.writing() as session:
        session.execute(
            update(SecretToken)
            .where(SecretToken.used_at.is_(None))
            .values(expires_at=make.NOW - timedelta(days=1))
        )
    assert "linket virker ikke mere" in karen.get("/personer?vis=aldrig").text
    back = karen.submit(page, again.replace("send-igen", "traek-tilbage"))
    assert "Uden adgang" in back.text and "Send igen" not in back.text
    assert "Ny Nielsen" in karen.get("/personer?vis=lukket").text
    with house.database.reading() as session:
        waiting = session.scalars(
            select(Notice).where(Notice.occasion == access.SECRET_OCCASION, Notice.withdrawn_at.is_(None))
        ).all()
        assert waiting == [], "no mail with a dead link is sent"
    for act in ("send-igen", "traek-tilbage"):
        karen.post(f"/personer/{members['mette']}/{act}", {}, expect=404)


def test_the_list_is_narrowed_and_in_danish_order(
    browser: Open, house: Installation, members: dict[str, int]
) -> None:
    karen = browser().sign_in("karen@koege.example")

    def names(query: str) -> list[str]:
        return [each.text.strip() for each in karen.get(f"/personer{query}").select("tbody th a")]

    assert names("") == ["Karen", "Mette", "Zita", "Åge"]
    assert names("?navn=%C3%A5ge") == ["Åge"]
    assert names("?adgang=laeser") == ["Zita"]
    assert names("?system=kp") == ["Mette"]
    with house.database.writing() as session:
        mette = session.get_one(Membership, members["mette"]).person
        make.holding(session, "systemansvarlig", holder=mette)
    assert names("?vis=uden-rolle") == ["Karen", "Zita", "Åge"]
    with house.database.writing() as session:
        session.execute(update(RoleHolding).values(valid_to=make.TODAY - timedelta(days=1)))
    assert len(names("?vis=uden-rolle")) == 4
    assert names("?vis=vrøvl&adgang=alle") == names("")
    assert "Ingen personer passer" in karen.get("/personer?navn=findes%20ikke").text
    zita = browser().sign_in("zita@koege.example")
    assert "Aldrig logget ind" not in zita.get("/personer").text
    assert len(zita.get("/personer?vis=lukket").select("tbody tr")) == 4, (
        "others' state is not theirs to ask for"
    )


def test_kombit_finds_who_has_no_administrator(
    browser: Open, house: Installation, members: dict[str, int]
) -> None:
    gitte = Clicks(browser().sign_in("gitte@koege.example"))
    gitte.follow("Personer")
    gitte.follow("Kommuner uden administrator")
    assert "Køge" not in [each.text for each in gitte.page.select("tbody th a")]
    total = len(gitte.page.select("tbody tr"))
    gitte.follow("Giv den første adgang")
    assert gitte.page.select_one("input[name=level][checked]")["value"] == "administrator"
    gitte.press("Giv adgang", name="Første Administrator", email="foerste@albertslund.example")
    assert gitte.count == 4, "the budget of the issue"
    assert gitte.page.find("h1").text == "Første Administrator"
    page = gitte.browser.get("/personer/administratorer?uden=ja")
    assert len(page.select("tbody tr")) == total - 1
    assert "1 har aldrig været logget ind" in gitte.browser.get("/personer/administratorer").text
    editor = browser().sign_in("steffen@koege.example").get("/personer/administratorer")
    assert "Giv den første adgang" not in editor.text
    browser().sign_in("karen@koege.example").get("/personer/administratorer", expect=403)
    sys.stdout.write("first administrator of a municipality: 4 clicks\n")


def test_changing_over_to_the_other_municipality(
    browser: Open, house: Installation, members: dict[str, int]
) -> None:
    with house.database.writing() as session:
        person = session.get_one(Membership, members["mette"]).person_id
        session.add(
            Membership(person_id=person, municipality_id=make.HERNING, level="laeser", since=make.TODAY)
        )
    mette = Clicks(browser().sign_in("mette@koege.example"))
    mette.follow("Skift kommune")
    mette.press("Skift til Herning")
    assert mette.count == 2
    assert "Herning" in mette.page.select_one(".klik-user-place").text
    assert "Skift kommune" not in browser().sign_in("zita@koege.example").get("/").text


def test_an_address_is_changed_by_the_person(
    browser: Open, house: Installation, members: dict[str, int]
) -> None:
    mette = Clicks(browser().sign_in("mette@koege.example"))
    mette.follow("Mette")
    mette.follow("Skift mailadresse")
    mette.press("Send link", email="holm@koege.example", password=make.PASSWORD)
    answer = mette.page.find("main").text
    path = secret_path(house)
    taken = browser().sign_in("zita@koege.example")
    page = taken.get("/min-side/mailadresse")
    other = taken.submit(page, "/min-side/mailadresse", email="hanne@koege.example", password=make.PASSWORD)
    assert other.find("main").text == answer.replace("holm@", "hanne@"), "the same answer for a taken address"
    link = browser()
    page = link.get(path)
    assert "holm@koege.example" in page.text
    link.submit(page, path)
    assert mette.browser.get("/").find("h1").text == "Log ind"
    link.sign_in("holm@koege.example")
    assert "Linket virker ikke mere" in link.get(path, expect=404).text
    link.post(path, {}, expect=404)
    wrong = link.submit(
        link.get("/min-side/mailadresse"),
        "/min-side/mailadresse",
        expect=422,
        email="x@andet.example",
        password=make.PASSWORD,
    )
    assert "Sæt kryds" in wrong.text
    assert wrong.select_one("#email")["value"] == "x@andet.example"


def test_an_address_is_changed_by_the_administrator(browser: Open, members: dict[str, int]) -> None:
    karen = browser().sign_in("karen@koege.example")
    address = f"/personer/{members['mette']}/mailadresse"
    stale = karen.get(address)
    wrong = karen.submit(stale, address, expect=422, email="hanne@koege.example")
    assert "allerede i brug" in wrong.text and "Herning" not in wrong.text
    page = karen.submit(wrong, address, email="rettet@koege.example")
    assert "Mailadressen er nu rettet@koege.example" in page.text
    karen.submit(stale, address, email="igen@koege.example", expect=409)
    browser().sign_in("hanne@koege.example").get(address, expect=404)
    browser().sign_in("zita@koege.example").get(address, expect=403)


def test_the_gallery_goes_home_and_comes_back(
    browser: Open, house: Installation, members: dict[str, int]
) -> None:
    karen = browser().sign_in("karen@koege.example")
    gallery = karen.get("/roller")
    assert gallery.select_one('a[href="/roller.xlsx"]') and gallery.select_one('a[href="/roller/indlaes"]')
    assert karen.download("/roller.xlsx").startswith(b"PK")

    def tried(rows: list[Any], expect: int = 200) -> BeautifulSoup:
        sent = {"file": (io.BytesIO(book(rows)), "galleri.xlsx"), "act": "proev"}
        return karen.post("/roller/indlaes", sent, expect=expect)

    rows = [HEAD, row("Superbruger", system="KP", mail="zita@koege.example")]
    page = tried(rows)
    assert "1 nye, 0 ændrede" in page.text and "intet er ændret" in page.text
    read_in = next(each for each in page.select("form") if each.select_one("input[name=kept]"))
    data = filled(read_in) | {"act": "indlaes"}
    done = karen.post("/roller/indlaes", data)
    assert "Filen er indlæst" in done.text and "1 nye, 0 ændrede" in done.text
    again = karen.post("/roller/indlaes", data, expect=409)
    assert "Rollegalleriet er ændret imens" in again.text and "Filen ændrer intet" in again.text
    karen.post("/roller/indlaes", data | {"kept": "ikke en fil"}, expect=422)
    unknown = [HEAD, row("Superbruger", system="KP", navn="Ny Nielsen", mail="ny@koege.example")]
    page = tried(unknown, expect=422)
    form = next(each for each in page.select("form") if each.select_one("input[name=kept]"))
    ticked = karen.post("/roller/indlaes", filled(form) | {"invite": "y", "act": "indlaes"})
    assert "1 person får adgang som Bruger" in ticked.text, "first it is shown"
    form = next(each for each in ticked.select("form") if each.select_one("input[name=kept]"))
    assert "Filen er indlæst" in karen.post("/roller/indlaes", filled(form) | {"act": "indlaes"}).text
    with house.database.reading() as session:
        assert (
            session.scalars(select(Person.name).where(Person.email_key == "ny@koege.example")).one()
            == "Ny Nielsen"
        )
    karen.post("/roller/indlaes", {"act": "proev"}, expect=422)
    browser().sign_in("gitte@koege.example").get("/roller.xlsx", expect=404)
    assert browser().sign_in("gitte@koege.example").download("/roller.xlsx?kommune=259").startswith(b"PK")
    browser().sign_in("hanne@koege.example").get("/roller.xlsx?kommune=259")
    browser().sign_in("mette@koege.example").get("/roller/indlaes", expect=403)
