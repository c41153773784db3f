"""KP's support desk: whose cases they are, how a case goes, what leaves klik, and that no CPR number stays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from klik.domain.rights import Level
from klik.installation import Installation
from klik.plugins.kp import demo, drift, paper
from klik.plugins.kp.cases import Case
from klik.plugins.kp.cases import due as due_cases
from klik.plugins.kp.tables import cases, knowledge, ticks
from klik.services import for_plugins
from tests import make
from tests.client import Browser, filled

CPR = "-".join(("010190", "1234"))
SHEET = Path(__file__).parent / "reports" / "minsupport-sag.txt"
GOOD = "Flettefelter udfyldes ikke automatisk i “Helbredstillægskort”-brev"
FORM = {
    "sagstype": "fejl",
    "titel": GOOD,
    "komponent": "Breve",
    "kritikalitet": "C",
    "borger": "y",
    "sagsnoegle": "fop-qhh4qp-k-06gsd2",
    "opgavenoegle": "OPG-AEP3K7LJ",
    "dispdato": "1. december 2026",
    "handling": "1. Jeg åbnede opgaven Send brev\n\n2) Jeg valgte brevet Helbredstillægskort\n- Navnet mangler",
    "proevet": "• Brevet er dannet igen",
    "teknisk": "Intern systemfejl\n[code status: 5601]",
    "forventet": "At navn og dato står i brevet",
    "andre": "Ja, på HK-GMFVV8",
}
SignIn = Callable[..., Browser]


@pytest.fixture
def sign_in(house: Installation, browser: Callable[..., Browser]) -> SignIn:
    def of(level: Level = Level.USER, municipality: int | None = make.KOEGE, **more: Any) -> Browser:
        with house.writing(make.NOW) as work:
            central = level in (Level.SUPPLIER, Level.KOMBIT_EDITOR, Level.KOMBIT_ADMINISTRATOR)
            place = None if central else municipality
            email = make.person(work.session, level=level, municipality=place, **more).email
        return browser().sign_in(email)

    return of


def begin(visitor: Browser, **changes: str) -> str:
    """A stored draft; gives its address."""
    visitor.submit(visitor.get("/p/kp/sager"), "/p/kp/sager", act="gem", **(FORM | changes))
    return str(visitor.response.request.path)


def press(visitor: Browser, address: str, act: str, *, expect: int = 200, **changes: Any) -> str:
    """Send the form on the case's page that does ``act``; gives the page that comes."""
    page = visitor.get(address)
    form = page.find("input", attrs={"name": "act", "value": act}).find_parent("form")  # type: ignore[union-attr]
    return visitor.post(address, filled(form) | changes, expect=expect).get_text(" ")


def rows(house: Installation, table: Any = cases) -> list[Any]:
    with house.reading(make.NOW) as work:
        store = for_plugins.context(work, "kp").store
        assert store is not None
        return list(store.execute(select(table)))


def test_a_case_goes_from_draft_to_closed_and_back(house: Installation, sign_in: SignIn) -> None:
    visitor = sign_in()
    address = begin(visitor)
    shown = press(visitor, address, "opret", nummer="MS-1", opfoelgning="1. januar 2099")
    assert "MS-1" in shown and "Følg op 1. januar 2099" in " ".join(shown.split())
    assert "Svaret er gemt" in press(visitor, address, "svar", svar="Rettet i næste release")
    assert "Sagen er lukket" in press(visitor, address, "luk")
    assert "følges op i MinSupport igen" in press(visitor, address, "tilbage", opfoelgning="01-01-2099")
    (row,) = rows(house)
    assert (row.state, row.reference, row.answer, row.version) == (
        "oprettet",
        "MS-1",
        "Rettet i næste release",
        5,
    )
    assert (row.municipality, row.case_key) == (make.KOEGE, "FOP-QHH4QP-K-06GSD2")


def test_a_day_that_cannot_be_is_said_and_what_was_typed_stays(sign_in: SignIn) -> None:
    visitor = sign_in()
    address = begin(visitor)
    for typed, words in (("1. januar 2099", "efter i dag"), ("i går", "“i går”"), ("", "skriv en dato")):
        shown = press(visitor, address, "opret", expect=422, nummer="MS-1", oprettet=typed)
        assert "Oprettet i MinSupport den: " in shown and words in shown
    assert "Sagens nummer i MinSupport" in press(visitor, address, "opret", expect=422, nummer="")
    page = visitor.get(address)
    form = page.find("input", attrs={"name": "act", "value": "opret"}).find_parent("form")  # type: ignore[union-attr]
    page = visitor.post(address, filled(form) | {"nummer": "MS-77", "oprettet": "32-13-2026"}, expect=422)
    assert page.select_one("#nummer")["value"] == "MS-77"  # type: ignore[index]


def test_the_text_to_paste_is_exactly_laid_out(house: Installation, sign_in: SignIn) -> None:
    visitor = sign_in()
    address = begin(visitor)
    assert visitor.download(f"{address}.txt").decode("utf-8") == SHEET.read_text("utf-8")
    assert visitor.response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "minsupport-sag-" in visitor.response.headers["Content-Disposition"]
    assert visitor.download(f"{address}.pdf").startswith(b"%PDF")
    (row,) = rows(house)
    html = paper.as_html(Case(**row._mapping))
    assert "<li>Jeg åbnede opgaven Send brev</li>" in html and CPR not in html


def test_a_poor_title_stays_a_draft_until_mended_or_kept(house: Installation, sign_in: SignIn) -> None:
    visitor = sign_in()
    address = begin(visitor, titel="HASTER!! Brevet er tomt")
    page = visitor.get(address)
    assert "Fjern udråbstegnene" in page.get_text() and page.find("a", href=f"{address}.txt") is None
    visitor.get(f"{address}.txt")
    assert visitor.response.request.path == address, "the text is not handed out yet"
    visitor.post(
        address, {"act": "opret", "version": "1", "nummer": "1", "oprettet": "20-11-2026"}, expect=422
    )
    page = visitor.submit(visitor.get(address), address, act="gem", behold="y")
    assert "Sagen er klar" in page.get_text()
    # The word was given for that title and for no other.
    page = visitor.submit(visitor.get(address), address, act="gem", titel="HASTER!! Noget helt andet")
    assert "Sagen er klar" not in page.get_text() and not rows(house)[0].title_kept


def test_a_title_kept_from_the_beginning_is_kept(house: Installation, sign_in: SignIn) -> None:
    visitor = sign_in()
    address = begin(visitor, titel="HASTER!! Brevet er tomt", behold="y")
    assert rows(house)[0].title_kept and "Sagen er klar" in visitor.get(address).get_text()


def test_what_is_missing_is_listed_on_the_draft(sign_in: SignIn) -> None:
    visitor = sign_in()
    empty = dict.fromkeys(("komponent", "kritikalitet", "handling", "forventet", "andre"), "")
    shown = visitor.get(begin(visitor, sagstype="support", **empty)).get_text()
    for word in (
        "Supporttype:",
        "Komponent:",
        "Kritikalitet:",
        "trin for trin",
        "ønskede resultat",
        "ja eller nej",
    ):
        assert word in shown


def test_advice_is_given_while_one_types_and_nothing_is_stored(house: Installation, sign_in: SignIn) -> None:
    visitor = sign_in()
    begin(visitor)
    page = visitor.post("/p/kp/sager", {"act": "raad", "titel": "Flettefelter mangler i brev!"})
    assert "Fjern udråbstegnene" in page.select_one("#titelraad").get_text()  # type: ignore[union-attr]
    assert GOOD in page.select_one("#lignende").get_text()  # type: ignore[union-attr]
    assert len(rows(house)) == 1


def test_a_cpr_number_is_never_stored_and_one_press_replaces_it(house: Installation, sign_in: SignIn) -> None:
    visitor = sign_in()
    fields = ("titel", "handling", "proevet", "teknisk", "forventet", "andre", "sagsnoegle", "dispdato")
    page = visitor.get("/p/kp/sager")
    for field in (*fields, "supporttype", "opgavenoegle"):
        typed = FORM | {field: f"{FORM.get(field, '')} {CPR}".strip(), f"{field}-ikke-cpr": "y"}
        page = visitor.submit(page, "/p/kp/sager", expect=422, act="gem", **typed)
        assert page.find("button", attrs={"value": "erstat"}) is not None, field
    assert rows(house) == []
    typed = {field: f"{FORM.get(field, '')} {CPR}".strip() for field in fields}
    page = visitor.submit(page, "/p/kp/sager", expect=422, act="gem", **(FORM | typed))
    visitor.submit(page, "/p/kp/sager", act="erstat")
    (row,) = rows(house)
    assert CPR not in str(row) and str(row).count("udfyldes i MinSupport") == 7
    assert (row.case_key, row.payment_on) == ("", None)
    page = visitor.post("/p/kp/sager", {"act": "raad", "titel": CPR})
    assert "ligner et CPR-nummer" in page.get_text() and len(rows(house)) == 1


def test_the_other_forms_refuse_cpr_numbers_too(house: Installation, sign_in: SignIn) -> None:
    visitor = sign_in()
    address = begin(visitor)
    assert "CPR" in press(visitor, address, "opret", expect=422, nummer=CPR)
    press(visitor, address, "opret", nummer="MS-1", opfoelgning="01-01-2099")
    assert "CPR" in press(visitor, address, "svar", expect=422, svar=f"Borgeren {CPR}")
    page = visitor.get("/p/kp/viden")
    visitor.submit(page, "/p/kp/viden", expect=422, problem="Fanen er tom", loesning=CPR)
    assert CPR not in str(rows(house)) and rows(house, knowledge) == []


def test_keys_of_the_wrong_shape_are_refused_by_name(house: Installation, sign_in: SignIn) -> None:
    visitor = sign_in()
    page = visitor.get("/p/kp/sager")
    typed = FORM | {"sagsnoegle": "OPG-AEP3K7LJ", "opgavenoegle": "123"}
    page = visitor.submit(page, "/p/kp/sager", expect=422, act="gem", **typed)
    assert "ligner et Opgave-ID" in page.get_text() and "OPG, en bindestreg" in page.get_text()
    assert page.select_one("#opgavenoegle")["value"] == "123" and rows(house) == []  # type: ignore[index]


def test_cases_are_the_municipalitys_own(house: Installation, sign_in: SignIn) -> None:
    visitor = sign_in()
    address = begin(visitor, titel="Kanariefugle vises ikke i fanen Overblik")
    press(visitor, address, "tjek", punkt=["grundig"])
    stranger = sign_in(municipality=make.AARHUS)
    for path in (address, f"{address}.txt", f"{address}.pdf"):
        stranger.get(path, expect=404)
    for act in ("gem", "raad", "opret", "luk", "slet", "tjek"):
        stranger.post(address, {"act": act, "version": "2"} | FORM, expect=404)
    assert "Kanariefugle" not in stranger.get("/p/kp/").get_text()
    found = stranger.get("/p/kp/?q=Kanariefugle+overblik")
    assert found.select_one("#fundet").get_text().startswith("Intet") and address not in str(found)  # type: ignore[union-attr]
    page = stranger.post("/p/kp/sager", {"act": "raad", "titel": "Kanariefugle vises ikke i fanen Overblik"})
    assert address not in str(page)
    page = stranger.get(f"/p/kp/viden?fra={address.rsplit('/', 1)[1]}")
    assert "Kanariefugle" not in str(page)
    kombit = sign_in(Level.KOMBIT_EDITOR)
    for path in (address, f"{address}.txt", "/p/kp/sager"):
        kombit.get(path, expect=404)
    page = kombit.get("/p/kp/")
    assert "1 kommune har skrevet sager" in page.get_text() and "Kanariefugle" not in str(page)
    assert "Kanariefugle" not in str(kombit.get("/p/kp/?q=Kanariefugle+overblik").find_all("a"))
    supplier = sign_in(Level.SUPPLIER, systems=("kp",))
    for path in ("/p/kp/", address, "/p/kp/viden", "/p/kp/fejlsoegning"):
        supplier.get(path, expect=404)
    (row,) = rows(house)
    assert (row.state, row.version) == ("kladde", 1)


def test_readers_read_and_write_nothing(sign_in: SignIn) -> None:
    writer = sign_in()
    address = begin(writer)
    reader = sign_in(Level.READER)
    for path in ("/p/kp/", address, "/p/kp/viden", "/p/kp/fejlsoegning?trin=7&fund=trin"):
        page = reader.get(path)
        assert page.select("main form[method=post]") == []
        assert page.find("a", href="/p/kp/sager") is None
    reader.get("/p/kp/sager", expect=403)
    reader.post(address, {"act": "slet", "version": "1"}, expect=403)


def test_two_who_write_the_same_draft(house: Installation, sign_in: SignIn) -> None:
    one, other = sign_in(), sign_in()
    address = begin(one)
    page = other.get(address)
    one.submit(one.get(address), address, act="gem", forventet="Min udgave")
    page = other.submit(page, address, expect=409, act="gem", forventet="Den anden udgave")
    assert "En kollega har ændret sagen" in page.get_text()
    assert page.select_one("#forventet").get_text().strip() == "Den anden udgave"  # type: ignore[union-attr]
    differing = [
        [cell.get_text(strip=True) for cell in row.select("th, td")]
        for row in page.select("table:has(caption) tbody tr")
    ]
    assert differing == [["Hvad forventede du, der skete?", "Den anden udgave", "Min udgave"]]
    assert rows(house)[0].expected == "Min udgave"
    other.submit(page, address, act="gem")
    assert rows(house)[0].expected == "Den anden udgave"
    stale = {"act": "slet", "version": "1"}
    other.post(address, stale, expect=409)
    assert len(rows(house)) == 1


def test_what_differs_is_told_in_the_words_of_the_form(house: Installation, sign_in: SignIn) -> None:
    one, other = sign_in(), sign_in()
    address = begin(one)
    stale = other.get(address)
    one.submit(one.get(address), address, act="gem", kritikalitet="A", komponent="Opgaver", sagsnoegle="")
    page = other.submit(stale, address, expect=409, act="gem", dispdato="")
    shown = {
        row.th.get_text(): [cell.get_text(strip=True) for cell in row.select("td")]  # type: ignore[union-attr]
        for row in page.select("table tbody tr")
    }
    assert shown["Komponent"] == ["Breve", "Opgaver"] and shown["Sags-ID"][0] == "FOP-QHH4QP-K-06GSD2"
    assert shown["Kritikalitet"][0].startswith("C Medium") and shown["Kritikalitet"][1].startswith(
        "A Kritisk"
    )
    assert shown["Disponibel dato for udbetaling"][1] == "01-12-2026" and len(shown) == 4


def test_the_front_page_says_what_is_to_be_followed_up_today(house: Installation, sign_in: SignIn) -> None:
    one, elsewhere = sign_in(), sign_in(municipality=make.HERNING)
    told = "1 sag skal følges op i MinSupport i dag."
    addresses = [begin(one), begin(one), begin(one)]
    assert told not in one.get("/").get_text(" ")
    for number, address in enumerate(addresses[:2]):
        press(one, address, "opret", nummer=f"MS-{number}", opfoelgning="1. januar 2099")
    assert told not in one.get("/").get_text(" ")
    with house.writing(make.NOW) as work:
        context = replace(for_plugins.context(work, "kp"), municipality=make.KOEGE)
        assert context.store is not None
        for day, count in ((make.TODAY, 1), (make.TODAY + timedelta(days=1), 0), (date(2026, 1, 1), 1)):
            due = update(cases).where(cases.c.reference == "MS-0").values(follow_up_on=day)
            context.store.execute(due)
            assert due_cases(context) == count
    page = one.get("/")
    assert told in page.get_text(" ") and page.find("a", href="/p/kp/") is not None
    assert told not in elsewhere.get("/").get_text(" ")
    press(one, addresses[0], "svar", svar="Rettet")
    assert told not in one.get("/").get_text(" ")


def test_ticks_are_kept_with_who_and_a_colleagues_stay(house: Installation, sign_in: SignIn) -> None:
    one, other = sign_in(), sign_in(name="Bo Bang")
    address = begin(one)
    shown = {"act": "tjek", "tjekliste": "supportberettiget"}
    one.post(address, shown | {"punkt": ["titel", "bilag", "findes-ikke"]})
    # Drawn before the other's ticks were there.
    other.post(address, shown | {"punkt": ["lokalt"]})
    assert {row.point for row in rows(house, ticks)} == {"titel", "bilag", "lokalt"}
    assert {row.person for row in rows(house, ticks)} == {row.person for row in rows(house)} | {
        row.person for row in rows(house, ticks) if row.point == "lokalt"
    }
    assert len({row.person for row in rows(house, ticks)}) == 2
    assert "Bo Bang" in one.get(address).get_text()
    one.post(address, shown | {"vist": ["titel", "bilag", "lokalt"], "punkt": ["titel", "lokalt"]})
    assert {row.point for row in rows(house, ticks)} == {"titel", "lokalt"}
    one.post(address, {"act": "tjek", "tjekliste": "andres"}, expect=400)
    press(one, address, "slet")
    assert rows(house) == [] and rows(house, ticks) == []


def test_a_press_twice_makes_one_case(house: Installation, sign_in: SignIn) -> None:
    visitor = sign_in()
    page = visitor.get("/p/kp/sager")
    visitor.submit(page, "/p/kp/sager", act="gem", **FORM)
    visitor.submit(page, "/p/kp/sager", act="gem", **FORM)
    assert len(rows(house)) == 1


def test_knowledge_is_the_municipalitys_until_kombit_shares_it(house: Installation, sign_in: SignIn) -> None:
    visitor, stranger = sign_in(), sign_in(municipality=make.AARHUS)
    kombit = sign_in(Level.KOMBIT_EDITOR)
    address = begin(visitor)
    press(visitor, address, "opret", nummer="MS-1", opfoelgning="01-01-2099")
    press(visitor, address, "svar", svar="Dan brevet igen fra fanen Breve")
    page = visitor.get(f"/p/kp/viden?fra={address.rsplit('/', 1)[1]}")
    page = visitor.submit(page, "/p/kp/viden", problem="Tomme flettefelter i brev")
    entry = str(visitor.response.request.path)
    assert "Dan brevet igen" in page.get_text() and GOOD in page.get_text()
    for other in (stranger, kombit):
        other.get(entry, expect=404)
        other.post(entry, {"act": "udgiv", "version": "1"}, expect=404)
        assert "Tomme flettefelter" not in other.get("/p/kp/viden").get_text()
    visitor.post(entry, {"act": "udgiv", "version": "1"}, expect=403)
    press(visitor, entry, "tilbyd")
    stranger.get(entry, expect=404)
    page = kombit.get(entry)
    assert GOOD not in page.get_text() and "Mette" not in page.select_one("main").get_text()  # type: ignore[union-attr]
    kombit.post(entry, {"act": "gem", "version": "2", "problem": "x", "loesning": "y"}, expect=403)
    press(kombit, entry, "udgiv")
    page = stranger.get(entry)
    assert "Alle kommuner siden" in page.get_text() and address not in str(page)
    assert "Tomme flettefelter" in stranger.get("/p/kp/?q=tomme+flettefelter").get_text()
    visitor.post(entry, {"act": "slet", "version": "3"}, expect=403)
    press(kombit, entry, "traek")
    stranger.get(entry, expect=404)
    assert visitor.get(entry) and rows(house, knowledge)[0].offered


def test_kombit_writes_for_all_and_others_change_it_not(house: Installation, sign_in: SignIn) -> None:
    kombit, reader = sign_in(Level.KOMBIT_EDITOR), sign_in()
    page = kombit.get("/p/kp/viden")
    kombit.submit(
        page, "/p/kp/viden", problem="Brøkpension kan ikke bevilges", loesning="Brug personligt tillæg"
    )
    entry = str(kombit.response.request.path)
    assert reader.get(entry).select("main form[method=post]") == []
    reader.post(entry, {"act": "gem", "version": "1", "problem": "x", "loesning": "y"}, expect=403)
    kombit.submit(kombit.get(entry), entry, loesning="Opret supplerende hjælp")
    stale = {"act": "gem", "version": "1", "problem": "Min udgave", "loesning": "y", "komponent": ""}
    page = kombit.post(entry, stale, expect=409)
    assert page.select_one("#problem")["value"] == "Min udgave"  # type: ignore[index]
    press(kombit, entry, "traek")
    assert rows(house, knowledge) == []


def test_the_ring_leads_step_by_step_into_a_case(sign_in: SignIn) -> None:
    visitor = sign_in()
    page = visitor.get("/p/kp/fejlsoegning")
    assert "trin 1 af 6" in page.get_text() and page.find("button", string="Forrige trin") is None
    page = visitor.get("/p/kp/fejlsoegning?fund=procesfejl&trin=2")
    assert page.find("input", attrs={"type": "hidden", "value": "procesfejl"}) is not None
    page = visitor.get("/p/kp/fejlsoegning?fund=procesfejl&fund=trin&trin=7")
    assert "Det ligner sagstypen Fejl" in page.get_text()
    link = page.find("a", string="Start en sag")
    page = visitor.get(str(link["href"]))  # type: ignore[index]
    assert page.select_one("#proevet").get_text().split("\n")[-2:] == [  # type: ignore[union-attr]
        "Der kom en fejlbesked op i en proces.",
        "Et trin tilbage i Gennemførte trin og frem igen hjalp ikke.",
    ]
    for odd in ("trin=0", "trin=-1", "trin=99999", "trin=to", "fund=%00", "trin=٣"):
        visitor.get(f"/p/kp/fejlsoegning?{odd}")


def test_the_systems_page_leads_to_the_desk_and_the_task_to_the_checklists(
    house: Installation, sign_in: SignIn
) -> None:
    visitor = sign_in()
    with house.writing(make.NOW) as work:
        make.has_system(work.session)
        task = make.municipal_task(work.session).id
    page = visitor.get("/systemer/kp")
    for address in ("/p/kp/", "/p/kp/fejlsoegning", "/p/kp/viden"):
        assert page.find("a", href=address) is not None
    page = visitor.get(f"/opgaver/{task}")
    assert page.find("a", href="/p/kp/sager") is not None and "Kan fejlen løses i kommunen" in page.get_text()


def test_the_demo_has_an_excellent_and_a_poor_case(house: Installation, sign_in: SignIn) -> None:
    with house.writing(make.NOW) as work:
        ali = make.person(work.session, "Ali Ahmadi", level=Level.USER)
        make.holding(work.session, demo.WRITER, holder=ali)
        demo.fill(for_plugins.context(work, "kp"))
    visitor = sign_in()
    shown = {row.title: visitor.get(f"/p/kp/sager/{row.id}").get_text() for row in rows(house)}
    assert "Sagen er klar" in shown[demo.EXCELLENT["title"]] and "11 af 13" in shown[demo.EXCELLENT["title"]]
    assert "Det mangler" in shown[demo.POOR["title"]]
    assert "1 sag skal følges op" in visitor.get("/p/kp/").get_text()
    assert "Integrationen til UDK" in shown[demo.CLOSED["title"]]
    assert all("Ali Ahmadi" in page for page in shown.values())


def test_known_errors_are_found_before_a_case_is_written(house: Installation, sign_in: SignIn) -> None:
    with house.writing(make.NOW) as work:
        drift.fill(for_plugins.context(work, "kp"))
    visitor = sign_in()
    for path in ("/p/kp/?q=Formue+kan+ikke+rettes", "/p/kp/sager?q=Formue+kan+ikke+rettes"):
        page = visitor.get(path)
        link = page.find("a", string="Formue kan ikke ændres")
        assert "Gå et trin tilbage i Gennemførte trin" in page.get_text()
        visitor.get(str(link["href"]))  # type: ignore[index]
    page = visitor.post("/p/kp/sager", {"act": "raad", "titel": "Kørekortet vises ikke"})
    assert "ligner" in page.select_one("#lignende").get_text() and "Formue" not in str(page)  # type: ignore[union-attr]
