"""Klarmelding's pages: a municipality's list, a supplier's own word, KOMBIT's overview, criteria, and the meeting."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import openpyxl
import pypdf
import pytest

from klik.domain.rights import Level
from klik.installation import Installation
from klik.plugins import MunicipalityView
from klik.plugins.klarmelding import agreements, demo, measure, meeting, readiness, writing
from klik.plugins.klarmelding.agreements import Bought
from klik.plugins.klarmelding.verdict import NO, NOT_RELEVANT, YES
from klik.plugins.klarmelding.writing import Confirmed
from klik.services import for_plugins
from klik.services.work import Work
from klik.web import base
from tests import make
from tests.client import Browser


@pytest.fixture(autouse=True)
def _on_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages stand on the day of the rows."""
    monkeypatch.setattr(base, "moment", lambda: make.NOW)


HOME, LIST = "/p/klarmelding/", "/p/klarmelding/aftaler"
LATE, SOON = date(2026, 10, 1), date(2027, 2, 1)
FJORD = {"supplier": "Fjord Omsorg", "system": "Fjord EOJ"}


def context_of(house: Installation, work: Work, place: int | None, level: Level = Level.PLUS_USER):
    row = make.person(work.session, level=level, municipality=place)
    actor = make.actor(work.session, row)
    return for_plugins.context(Work(work.session, actor, work.now, house.registry), "klarmelding")


def bought(house: Installation, place: int = make.KOEGE) -> int:
    """A system on the list, with a sheet on which everything there is happens; the sheet's id."""
    with house.writing(make.NOW) as work:
        context = context_of(house, work, place)
        demands = dict.fromkeys(("SF0810", "SF1460_A"), LATE) | dict.fromkeys(
            ("SF1470", "SF1500", "SF1510"), SOON
        )
        agreements.keep(
            context,
            Bought(
                **FJORD, bought_on=date(2025, 3, 1), questions="Hvem er vores kontakt?\n", demands=demands
            ),
        )
        sheet = writing.make(context, place, **FJORD, edition="01.00")
        for number, said in (("SF0810", YES), ("SF1460_A", YES), ("SF1470", NO), ("SF1500", NOT_RELEVANT)):
            writing.declare(context, sheet, place, number, said, "I næste version" if said == NO else "")
        found = Confirmed(False, "En note for os selv", {1: (True, ""), 2: (False, "")})
        writing.confirm(context, sheet, place, "SF0810", found)
        writing.confirm(context, sheet, place, "SF1460_A", Confirmed(True, ""))
        return sheet


def signed_in(
    house: Installation, browser: Callable[[], Browser], level: Level, place: int | None, **more
) -> Browser:
    with house.writing(make.NOW) as work:
        email = make.person(work.session, level=level, municipality=place, **more).email
    return browser().sign_in(email)


def rows(page, caption: str) -> list[list[str]]:
    table = next(each for each in page.select("table") if caption in each.caption.get_text())
    return [
        [" ".join(cell.get_text(" ").split()) for cell in row.select("th, td")]
        for row in table.select("tbody tr")
    ]


def test_what_is_demanded_said_confirmed_and_missing(
    house: Installation, browser: Callable[[], Browser]
) -> None:
    bought(house)
    visitor = signed_in(house, browser, Level.READER, make.KOEGE)
    page = visitor.get(HOME)
    assert [row[1:] for row in rows(page, "Snitflader i Fjord EOJ")] == [
        [
            "Overskredet 1. oktober 2026",
            "Ja 21. november 2026",
            "Nej 21. november 2026",
            (
                "Fristen er overskredet med 51 dage. Vi har ikke bekræftet den: 1 af 3 kriterier er ikke opfyldt, "
                "og 1 er ikke besvaret. Uenige , hvorfor? Leverandøren siger Ja, men kommunen kan ikke bekræfte det."
            ),
        ],
        ["1. oktober 2026", "Ja 21. november 2026", "Ja 21. november 2026", "Intet"],
        ["1. februar 2027", "Nej 21. november 2026 “I næste version”", "Nej", "Leverandøren er ikke klar."],
        [
            "1. februar 2027",
            "Ikke relevant 21. november 2026",
            "Nej",
            (
                "Leverandøren skriver, at snitfladen ikke er relevant. Uenige , hvorfor? "
                "Leverandøren skriver, at snitfladen ikke er relevant, men aftalen kræver den."
            ),
        ],
        ["1. februar 2027", "Ikke oplyst", "Nej", "Leverandøren har ikke oplyst noget."],
    ]
    assert not page.select(f'form[action="{LIST}"]')
    other = signed_in(house, browser, Level.ADMINISTRATOR, make.HERNING)
    assert "Fjord" not in other.get(HOME).get_text()


def test_a_system_is_put_on_the_list_changed_and_taken_off(
    house: Installation, browser: Callable[[], Browser]
) -> None:
    visitor = signed_in(house, browser, Level.PLUS_USER, make.KOEGE)
    page = visitor.get(f"{HOME}?aftale=ny")
    typed = {
        "leverandoer": "Fjord Omsorg",
        "loesning": "Fjord EOJ",
        "krav-SF0810": "y",
        "senest-SF0810": "31-02-2027",
    }
    page = visitor.submit(page, LIST, expect=422, **typed)
    assert (
        "Senest klar, SF0810" in page.get_text()
        and page.select_one("#leverandoer")["value"] == "Fjord Omsorg"
    )
    page = visitor.submit(
        page, LIST, expect=422, **{"senest-SF0810": "", "leverandoer": "Borger 010190-1234"}
    )
    assert "CPR-nummer" in page.select_one("[role=alert]").get_text()
    typed = {"senest-SF0810": "1. februar 2027", "leverandoer": "Fjord Omsorg"}
    page = visitor.submit(page, LIST, **typed)
    assert rows(page, "Snitflader i Fjord EOJ")[0][1] == "1. februar 2027"
    again = visitor.get(f"{HOME}?aftale=ny")
    page = visitor.submit(again, LIST, expect=422, leverandoer="fjord  OMSORG", loesning="fjord eoj")
    assert "allerede dette system" in page.get_text()
    one, two = visitor.get(f"{HOME}?aftale=1"), visitor.get(f"{HOME}?aftale=1")
    visitor.submit(one, LIST, **{"krav-SF1470": "y"})
    page = visitor.submit(two, LIST, expect=409, spoergsmaal="Mit spørgsmål")
    assert (
        "En anden har ændret det" in page.get_text()
        and "Mit spørgsmål" in page.select_one("#spoergsmaal").text
    )
    page = visitor.submit(page, LIST)
    page = visitor.post(LIST, {"act": "fjern", "aftale": "1"})
    assert "Der står ingen systemer på listen" in page.get_text()
    visitor.post(LIST, {"act": "fjern", "aftale": "1"}, expect=404)
    other = signed_in(house, browser, Level.READER, make.KOEGE)
    other.post(LIST, {"act": "gem"}, expect=403)


def test_confirming_an_interface(house: Installation, browser: Callable[[], Browser]) -> None:
    sheet = bought(house)
    visitor = signed_in(house, browser, Level.PLUS_USER, make.KOEGE)
    address = f"/p/klarmelding/ark/{sheet}"
    page = visitor.get(f"{address}?snitflade=SF0810")
    stale = visitor.get(f"{address}?snitflade=SF0810")
    page = visitor.submit(page, address, expect=422, klarmeldt="ja", bemaerkninger="Set i drift")
    assert "når 2 af 3 kriterier ikke er besvaret med Ja" in page.get_text()
    assert "Set i drift" in page.select_one("#bemaerkninger").text
    page = visitor.submit(page, address, **{"svar-2": "ja", "svar-3": "ja"})
    assert "Uenige" not in next(row for row in rows(page, "Snitflader") if "SF0810" in row[0])[3]
    assert "Alle 3 kriterier er opfyldt" in page.get_text()
    page = visitor.submit(stale, address, expect=409, bemaerkninger="Min tekst")
    assert "Min tekst" in page.select_one("#bemaerkninger").text
    page = visitor.submit(visitor.get(f"{address}?snitflade=SF0741"), address, klarmeldt="ja")
    assert "Klarmeldt af kommunen; der er ikke skrevet kriterier" in page.get_text()
    page = visitor.get(f"{address}?snitflade=SF0741")
    visitor.submit(page, address, expect=422, bemaerkninger="Borger 010190-1234")
    page = visitor.post(address, {"act": "slet"})
    assert "er slettet" in page.get_text()
    visitor.get(address, expect=404)


def test_a_supplier_writes_its_own_word_and_sees_no_remarks(
    house: Installation, browser: Callable[[], Browser]
) -> None:
    sheet = bought(house)
    address = f"/p/klarmelding/ark/{sheet}"
    fjord = signed_in(house, browser, Level.SUPPLIER, None, organisation="Fjord Omsorg")
    assert [row[0] for row in rows(fjord.get(HOME), "Jeres ark")] == ["Fjord EOJ, version 01.00"]
    page = fjord.get(address)
    assert "En note for os selv" not in page.get_text()
    page = fjord.submit(page, address, **{"siger-SF1470": "ja", "bem-SF1470": "Klar nu"})
    assert "1 snitflade er rettet" in page.get_text()
    assert "En note for os selv" not in fjord.get(f"{address}?snitflade=SF0810").get_text()
    fjord.post(address, {"act": "bekraeft", "snitflade": "SF0810"}, expect=403)
    fjord.post(address, {"act": "udgiv"}, expect=403)
    fjord.post(LIST, {"act": "gem"}, expect=403)
    fjord.get("/p/klarmelding/moede", expect=404)
    koege = signed_in(house, browser, Level.PLUS_USER, make.KOEGE)
    page = koege.get(f"{address}?vis=selvangivelse")
    assert page.select_one("#siger-SF1470") is None and page.select_one("#siger-SF0810") is not None
    assert (
        "Ja 21. november 2026, skrevet af leverandøren “Klar nu”"
        in rows(koege.get(address), "Snitflader")[12][1]
    )
    havn = signed_in(house, browser, Level.SUPPLIER, None, organisation="Havn Sag")
    havn.get(address, expect=404)
    assert "intet ark for Havn Sag" in havn.get(HOME).get_text()


def test_kombit_sees_all_publishes_one_and_takes_it_home(
    house: Installation, browser: Callable[[], Browser]
) -> None:
    sheet = bought(house)
    with house.writing(make.NOW) as work:
        context = context_of(house, work, make.AARHUS)
        other = writing.make(context, make.AARHUS, "Havn Sag", "Havn ESDH", "02.00")
        writing.declare(context, other, make.AARHUS, "SF1470", YES, "")
        writing.confirm(context, other, make.AARHUS, "SF1470", Confirmed(True, ""))
    kombit = signed_in(house, browser, Level.KOMBIT_EDITOR, None)
    page = kombit.get(HOME)
    cells = {row[0]: row[1:] for row in rows(page, "Hvert ark")}
    assert list(cells) == [
        "Fjord Omsorg, Fjord EOJ, version 01.00 Køge",
        "Havn Sag, Havn ESDH, version 02.00 Aarhus",
    ]
    assert {len(row) for row in cells.values()} == {21}
    fjord, havn = cells.values()
    assert (fjord[1], fjord[8], fjord[12], fjord[14]) == ("Uenige", "Klarmeldt", "Siger Nej", "Ikke relevant")
    assert (havn[12], havn[0]) == ("Klarmeldt", "–")
    assert "Klarmeldt: 2, Uenige: 1" in " ".join(page.get_text(" ").split()).replace(" :", ":").replace(
        " ,", ","
    )
    assert [row[0] for row in rows(kombit.get(f"{HOME}?leverandoer=havn+sag"), "Hvert ark")] == list(cells)[
        1:
    ]
    assert [row[3] for row in rows(kombit.get(f"{HOME}?snitflade=SF1470"), "Ark med")] == [
        "Nej 21. november 2026",
        "Ja 21. november 2026",
    ]
    assert "Der er ingen ark" in kombit.get(f"{HOME}?leverandoer=findes-ikke").get_text()
    book = openpyxl.load_workbook(io.BytesIO(kombit.download("/p/klarmelding/overblik.xlsx")))
    lines = list(book["Overblik"].iter_rows(values_only=True))
    assert len(lines) == 1 + 2 * 21
    assert lines[2][:7] == (
        "Fjord Omsorg",
        "Fjord EOJ",
        "Køge",
        "01.00",
        "SF0810",
        "Indlæggelser og Udskrivninger",
        "Ja",
    )
    book = openpyxl.load_workbook(
        io.BytesIO(kombit.download("/p/klarmelding/overblik.xlsx?leverandoer=havn+sag&snitflade=SF1470"))
    )
    assert len(list(book["Overblik"].iter_rows())) == 2
    herning = signed_in(house, browser, Level.READER, make.HERNING)
    address = f"/p/klarmelding/ark/{sheet}"
    herning.get(address, expect=404)
    kombit.post(address, {"act": "udgiv"})
    page = herning.get(address)
    assert "En note for os selv" not in page.get_text() and "1 af 3 kriterier" in page.get_text()
    herning.post(address, {"act": "traek-tilbage"}, expect=403)
    kombit.post(address, {"act": "traek-tilbage"})
    herning.get(address, expect=404)


def test_kombit_writes_criteria_and_others_read_them(
    house: Installation, browser: Callable[[], Browser]
) -> None:
    address = "/p/klarmelding/snitflader"
    kombit = signed_in(house, browser, Level.KOMBIT_EDITOR, None)
    page = kombit.get(f"{address}?snitflade=SF1470")
    kombit.submit(page, address, expect=422, ordlyd=" ")
    page = kombit.submit(page, address, ordlyd="Løsningen viser sager fra\nandre systemer")
    assert page.select_one("#ordlyd-1").text.strip() == "Løsningen viser sager fra andre systemer"
    old = kombit.get(f"{address}?snitflade=SF1470")
    kombit.submit(kombit.get(f"{address}?snitflade=SF1470"), address, ordlyd="Nye ord")
    page = kombit.submit(old, address, expect=409, ordlyd="Mine ord")
    assert page.select_one("#ordlyd-1").text.strip() == "Mine ord"
    reader = signed_in(house, browser, Level.READER, make.KOEGE)
    page = reader.get(address)
    assert len(page.select("details.klik-fold")) == 21
    assert "Nye ord" in page.get_text() and "VANS-leverandør" in page.get_text()
    reader.get(f"{address}?snitflade=SF1470", expect=404)
    reader.post(address, {"snitflade": "SF1470"}, expect=403)
    kombit.get(f"{address}?snitflade=SF9", expect=404)


def test_the_meeting_says_what_is_missing_and_what_to_ask(
    house: Installation, browser: Callable[[], Browser]
) -> None:
    bought(house)
    visitor = signed_in(house, browser, Level.READER, make.KOEGE)
    page = visitor.get("/p/klarmelding/moede")
    assert [row[0].split()[0] for row in rows(page, "Mangler i")] == ["SF0810", "SF1470", "SF1500", "SF1510"]
    assert [each.get_text() for each in page.select("main ol li")] == [
        (
            "SF0810 Indlæggelser og Udskrivninger: I siger, at den er klar, men vi har ikke kunnet bekræfte "
            "kriterierne 2 og 3. Hvornår kan I vise os det? Efter aftalen skulle den være klar 1. oktober 2026."
        ),
        (
            "SF1470 Sags- og Dokumentindeks: I siger, at den ikke er klar. I skriver: “I næste version” Hvornår "
            "bliver den det? Efter aftalen skal den være klar 1. februar 2027."
        ),
        (
            "SF1500 Organisation services: I skriver, at den ikke er relevant, men den står i vores aftale. Hvad "
            "bygger I det på? Efter aftalen skal den være klar 1. februar 2027."
        ),
        (
            "SF1510 Klassifikation services: Vi har ikke fået jeres selvangivelse. Er den klar, og hvornår kan I "
            "skrive det? Efter aftalen skal den være klar 1. februar 2027."
        ),
        "Hvem er vores kontakt?",
    ]
    paper = pypdf.PdfReader(io.BytesIO(visitor.download("/p/klarmelding/moede.pdf")))
    text = " ".join(" ".join(each.extract_text() for each in paper.pages).split())
    for words in (
        "Leverandørmøde med Fjord Omsorg",
        "1 af 5 snitflader",
        "Hvem er vores kontakt?",
        "Aftalt på mødet",
    ):
        assert words in text, words
    assert "En note for os selv" not in text
    visitor.get("/p/klarmelding/moede?leverandoer=andre", expect=404)
    empty = signed_in(house, browser, Level.READER, make.HERNING)
    assert "Der står ingen systemer" in empty.get("/p/klarmelding/moede").get_text()
    empty.get("/p/klarmelding/moede.pdf", expect=404)


def test_no_meeting_where_nothing_is_bought(house: Installation) -> None:
    assert meeting.meeting((), "fjord omsorg", make.TODAY) is None


def test_the_measure_counts_what_is_confirmed_of_what_is_demanded(house: Installation) -> None:
    bought(house)
    places = [
        MunicipalityView(code=code, name="", region="", wave=None, go_live=None)
        for code in (make.KOEGE, make.HERNING)
    ]
    with house.writing(make.NOW) as work:
        kombit = context_of(house, work, None, Level.KOMBIT_EDITOR)
        found = measure.values(places, kombit)
        assert {place: (mark.text, mark.state) for place, mark in found.items()} == {
            make.KOEGE: ("1 af 5", "paa-vej")
        }
        assert measure.values(places, context_of(house, work, None, Level.SUPPLIER)) == {}
        assert measure.values(places, context_of(house, work, make.HERNING)) == {}
        # A newer version of the sheet counts, and what is confirmed for another system does not.
        own = context_of(house, work, make.KOEGE)
        newer = writing.make(own, make.KOEGE, **FJORD, edition="02.00")
        assert measure.values(places, kombit)[make.KOEGE].state == "ikke-klar"
        for number in ("SF1460_A", "SF1470", "SF1500", "SF1510"):
            writing.confirm(own, newer, make.KOEGE, number, Confirmed(True, ""))
        answers = {each: (True, "") for each in (1, 2, 3)}
        writing.confirm(own, newer, make.KOEGE, "SF0810", Confirmed(True, "", answers))
        assert measure.values(places, kombit)[make.KOEGE] == measure.Mark(text="5 af 5", state="klar")


def test_the_demo_shows_a_meeting_worth_preparing(
    house: Installation, browser: Callable[[], Browser]
) -> None:
    with house.writing(make.NOW) as work:
        context = for_plugins.context(work, "klarmelding")
        demo.fill(context)
        before = len(readiness.load(context))
        demo.fill(context)
        assert len(readiness.load(context)) == before == 4
        koege = replace(context, municipality=make.KOEGE, kombit=False)
        (first, _second) = agreements.own(koege)
        assert (first.supplier, first.confirmed, len(first.lacking)) == ("Fjord Omsorg", 1, 4)
        assert {each.pilots for each in first.demands} >= {("Herning",)}
    page = signed_in(house, browser, Level.PLUS_USER, make.KOEGE).get("/p/klarmelding/moede")
    assert "Fjord EOJ" in page.get_text()


@pytest.mark.parametrize("place", [make.KOEGE, make.HERNING])
def test_the_systems_page_leads_to_it(
    house: Installation, browser: Callable[[], Browser], place: int
) -> None:
    visitor = signed_in(house, browser, Level.PLUS_USER, place)
    page = visitor.get("/systemer/infrastruktur")
    for link in page.select("ul.klik-doors a"):
        visitor.get(link["href"])
    assert len(page.select("ul.klik-doors a")) == 3
