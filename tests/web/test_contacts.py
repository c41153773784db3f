"""The pages of contacts, the card and mailing lists, through a browser."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
import vobject

from klik.domain.rights import Level
from klik.installation import Installation
from tests import make
from tests.client import Browser

Open = Callable[..., Browser]
KOMBIT, OURS, THEIRS = "gitte@kombit.example", "mette@koege.example", "hanne@herning.example"
SUPPLIER = "nadia@net.example"


@pytest.fixture
def members(house: Installation) -> dict[str, int]:
    """Køge and Herning with a system each; the ids of memberships."""
    with house.database.writing() as session:
        make.person(session, "Gitte", level=Level.KOMBIT_EDITOR, email=KOMBIT)
        make.person(session, "Nadia", level=Level.SUPPLIER, systems=("ky",), email=SUPPLIER)
        mette = make.person(session, "Mette Holm", level=Level.READER, email=OURS)
        hanne = make.person(session, "Hanne Åby", municipality=make.HERNING, email=THEIRS)
        for place, wave in ((make.KOEGE, "b1"), (make.HERNING, "b2")):
            make.has_system(session, place, "ky", wave=make.wave(session, wave, "ky"))
        make.holding(session, holder=mette, system_code="ky")
        make.holding(session, "projektleder", holder=mette, system_code="ky")
        make.holding(session, holder=hanne, municipality=make.HERNING, system_code="ky")
        make.holding(session, "superbruger", mailbox="ky@koege.example", system_code="ky")
        make.bounced(session, THEIRS)
        return {each.email: make.actor(session, each).membership_id for each in (mette, hanne)}


def test_a_municipality_sees_its_own_contacts(browser: Open, members: dict[str, int]) -> None:
    mine = browser().sign_in(OURS)
    page = mine.get("/kontakter?kommune=657")
    assert page.find("h1").text == "Kontakter i Køge"
    now = page.select_one("td.contacts-now")
    assert "1. Opstart" in now["data-label"]
    assert "Mette Holm" in now.text
    assert "Hanne" not in page.text
    mine.download(now.select_one("a[href$='.vcf']")["href"])
    assert mine.response.mimetype == "text/vcard"
    mine.get(f"/kontakter/personer/{members[THEIRS]}.vcf", expect=404)


def test_kombit_sees_a_systems_contacts_and_takes_them_along(browser: Open, members: dict[str, int]) -> None:
    kombit = browser().sign_in(KOMBIT)
    page = kombit.get("/kontakter?system=ky")
    rows = {row.th.text: row for row in page.select(".contacts-list tbody tr")}
    assert {"Køge", "Herning"} <= set(rows)
    assert "Mette Holm" in rows["Køge"].text
    assert "Ubesat" in rows["Herning"].text
    only = kombit.get("/kontakter?system=ky&bolge=b2&ubesat=ja&region=Atlantis")
    assert [row.th.text for row in only.select(".contacts-list tbody tr")] == ["Herning"]
    assert "Regionen “Atlantis” findes ikke" in only.text
    table = kombit.download("/kontakter.csv?system=ky&bolge=b1").decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(table), delimiter=";")
    assert (line["Kommune"], line["Kontakt"], line["Mail"]) == ("Køge", "Mette Holm", OURS)
    assert kombit.download("/kontakter.xlsx?system=ky")[:2] == b"PK"
    assert kombit.get("/kontakter?kommune=657").find("h1").text == "Kontakter i Herning"


def test_a_mailing_list_says_who_is_in_and_who_is_not(browser: Open, members: dict[str, int]) -> None:
    kombit = browser().sign_in(KOMBIT)
    assert kombit.get("/kontakter/mailliste").select("textarea") == []
    page = kombit.get("/kontakter/mailliste?rolle=systemansvarlig&system=ky")
    assert page.select_one("textarea").text.strip() == f"Mette Holm <{OURS}>"
    assert page.find(id="modtagere").text == "1 modtager"
    left_out = page.find(id="ikke-med").find_next("table")
    assert "Hanne Åby" in left_out.text
    assert "kommer retur" in left_out.text
    plain = kombit.get("/kontakter/mailliste?rolle=superbruger&rolle=projektleder&system=ky&form=adresser")
    assert plain.select_one("textarea").text.strip() == f"ky@koege.example; {OURS}"
    query = "rolle=superbruger&system=ky&postkasser=nej"
    assert (
        "Fælles postkasse"
        in kombit.get(f"/kontakter/mailliste?{query}").find(id="ikke-med").find_next("table").text
    )
    text = kombit.download("/kontakter/mailliste.txt?rolle=systemansvarlig").decode("utf-8-sig")
    assert text == f"Mette Holm <{OURS}>\r\n"
    listed = kombit.download("/kontakter/mailliste.csv?rolle=systemansvarlig&system=ky").decode("utf-8-sig")
    assert [row["Med på listen"] for row in csv.DictReader(io.StringIO(listed), delimiter=";")] == [
        "Ja",
        "Nej",
    ]
    cards = kombit.download("/kontakter/mailliste.vcf?rolle=projektleder&hvem=alle").decode()
    assert [card.fn.value for card in vobject.readComponents(cards)] == ["Mette Holm"]
    kombit.get(f"/kontakter/mailliste?rolle={'x' * 9000}", expect=414)


def test_a_municipality_writes_to_its_own_only(browser: Open, members: dict[str, int]) -> None:
    mine = browser().sign_in(OURS)
    for query in ("hvem=alle", "kommune=657&hvem=alle", "rolle=systemansvarlig&kommune=657"):
        page = mine.get(f"/kontakter/mailliste?{query}")
        assert OURS in page.text
        assert "Hanne" not in page.text
        assert THEIRS not in mine.download(f"/kontakter/mailliste.csv?{query}").decode()


def test_the_card_on_the_screen_and_as_a_pdf(browser: Open, members: dict[str, int]) -> None:
    mine = browser().sign_in(OURS)
    page = mine.get("/roller/kort")
    assert page.find("h1").text == "Roller i Køge"
    assert "Mette Holm" in page.find(id="kort-ky").find_parent("section").text
    assert mine.download("/roller/kort.pdf")[:5] == b"%PDF-"
    assert "Roller%20K%C3%B8ge" in mine.response.headers["Content-Disposition"]
    kombit = browser().sign_in(KOMBIT)
    assert "Hanne Åby" in kombit.get("/roller/kort?kommune=657").text
    assert kombit.get("/roller/kort.pdf").find("h1").text == "Roller på én side"
    kombit.get("/roller/kort?kommune=998", expect=404)


def test_suppliers_get_nothing(browser: Open, members: dict[str, int]) -> None:
    theirs = browser().sign_in(SUPPLIER)
    for path in (
        "/kontakter",
        "/kontakter.csv",
        "/kontakter/mailliste",
        "/kontakter/mailliste.vcf",
        "/roller/kort",
    ):
        theirs.get(path, expect=403)
    assert theirs.get("/systemer/ky").select("a[href*=kontakter]") == []


def test_every_page_is_reached_by_links(browser: Open, members: dict[str, int]) -> None:
    mine = browser().sign_in(OURS)
    for path, target in (
        ("/roller", "/roller/kort.pdf"),
        ("/roller", "/kontakter"),
        ("/overblik", "/kontakter"),
        ("/systemer/ky", "/kontakter"),
    ):
        assert mine.get(path).select(f"main a[href='{target}']"), (path, target)
    kombit = browser().sign_in(KOMBIT)
    for path, target in (
        ("/roller", "/kontakter/mailliste"),
        ("/overblik?system=ky", "/kontakter?system=ky"),
        ("/systemer/ky", "/kontakter/mailliste?rolle=systemansvarlig&system=ky"),
    ):
        assert kombit.get(path).select(f"main a[href='{target}']"), (path, target)
