"""KOMBIT's pages for publishing, as a browser without JavaScript meets them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import AuditEntry, MunicipalTask, Task
from tests import make
from tests.client import Browser, filled

EDITOR = "redaktoer@kombit.example"
TYPED = {
    "title": "Udpeg systemansvarlig",
    "theme": "it-miljoe-og-infrastruktur",
    "phase": "forberedelse",
    "description": "Se **vejledningen**.",
    "responsible_role": "systemansvarlig",
    "deadline_rule": "core.days-after-publication",
    "deadline_parameter": "30",
}


@pytest.fixture
def editor(house: Installation, browser: Callable[..., Browser]) -> Browser:
    """A KOMBIT editor, signed in; the project KP has no municipality of its own, so all 98 are meant."""
    with house.database.writing() as session:
        make.person(session, "Ida Krog", level=Level.KOMBIT_EDITOR, email=EDITOR)
        make.project(session)
    return browser().sign_in(EDITOR)


def _previewed(editor: Browser, **typed: object) -> dict[str, object]:
    page = editor.get("/udgivelser/ny?projekt=kp")
    ahead = editor.submit(page, "/udgivelser", **(TYPED | {"trin": "forhaandsvis"} | typed))
    return filled(ahead.find("form", attrs={"action": "/udgivelser"}))


def test_from_nothing_to_98_copies(editor: Browser, house: Installation) -> None:
    page = editor.get("/udgivelser")
    assert "ingen udgivelser" in page.text
    assert editor.get("/udgivelser/ny").find("a", string="KP")["href"] == "/udgivelser/ny?projekt=kp"
    form = editor.get("/udgivelser/ny?projekt=kp")
    ahead = editor.submit(form, "/udgivelser", **TYPED, trin="forhaandsvis")
    assert "98 kommuner" in ahead.text and "MI 01" in ahead.text
    assert ahead.select_one("article strong").text == "vejledningen"
    done = editor.submit(ahead, "/udgivelser", trin="udgiv")
    assert editor.response.request.path == "/udgivelser/1"
    assert "Opgaven er udgivet til 98 kommuner" in done.text
    assert len(done.select("table tbody tr")) == 98
    assert re.search(r"0 af 98 fuldført \(0\s%\)\s+98 åbne", editor.get("/udgivelser?projekt=kp").text)
    assert "Der er ingen udgivelser" in editor.get("/udgivelser?projekt=findes-ikke").text


def test_pressing_twice_publishes_once(editor: Browser, house: Installation) -> None:
    sent = _previewed(editor)
    for _press in range(2):
        editor.post("/udgivelser", sent | {"trin": "udgiv"})
        assert editor.response.request.path == "/udgivelser/1"
    with house.database.reading() as session:
        assert session.scalar(select(func.count(MunicipalTask.id))) == 98
        assert session.scalar(select(func.count(AuditEntry.id)).where(AuditEntry.action == "publish")) == 1


def test_going_back_keeps_every_word(editor: Browser) -> None:
    sent = _previewed(editor, needs="", codes="101, 147", recipients="kommuner", start="1-12-2026")
    back = editor.post("/udgivelser", sent | {"trin": "ret"})
    kept = filled(back.find("form", attrs={"action": "/udgivelser"}))
    for name in ("title", "description", "deadline_parameter", "codes", "recipients", "start"):
        assert kept[name] == sent[name], name


WRONG = (
    ("title", "", "Titel skal udfyldes"),
    ("title", "Ring til 010190-1234", "Titel ser ud til at indeholde et CPR-nummer"),
    ("number", "SA 01", "begynder numrene med MI"),
    ("start", "31-02-2027", "Startdato"),
    ("deadline_parameter", "0", "Frist: skriv et helt antal dage"),
    ("deadline_rule", "x", "Vælg en af mulighederne"),
    ("recipients", "kommuner", "Modtagere: der er ingen kommuner tilbage"),
    ("needs", "MI 77", "projektet har ingen opgave med nummeret MI 77"),
    ("description", "ord" * 700, "Beskrivelse: et ord fylder"),
    ("description", "x " * 10_001, "Beskrivelse må højst fylde 20.000 tegn"),
    ("phase", "opfundet", "Vælg en af mulighederne"),
)


def test_bad_input_names_the_field_and_is_kept(editor: Browser) -> None:
    page = editor.get("/udgivelser/ny?projekt=kp")
    for field, value, sentence in WRONG:
        typed = TYPED | {"trin": "forhaandsvis", field: value}
        answer = editor.submit(page, "/udgivelser", expect=422, **typed)
        assert sentence in answer.select_one(".klik-error-summary").text
        kept = filled(answer.find("form", attrs={"action": "/udgivelser"}))
        for name in {"title", "description", field} - {"deadline_rule", "phase"}:
            assert kept[name] == typed[name], name


def test_codes_are_read_only_when_they_are_asked_for(editor: Browser) -> None:
    page = editor.get("/udgivelser/ny?projekt=kp")
    editor.submit(page, "/udgivelser", **TYPED, trin="forhaandsvis", codes="999")
    answer = editor.submit(
        page, "/udgivelser", expect=422, **TYPED, trin="forhaandsvis", codes="999", recipients="kommuner"
    )
    assert "der er ingen kommune med koden 999" in answer.text


def test_several_problems_are_told_at_once(editor: Browser) -> None:
    page = editor.get("/udgivelser/ny?projekt=kp")
    wrong = TYPED | {"number": "SA 01", "deadline_parameter": "0", "needs": "MI 77"}
    answer = editor.submit(page, "/udgivelser", expect=422, trin="forhaandsvis", **wrong)
    assert len(answer.select(".klik-error-summary li")) == 3


def test_a_draft_is_saved_changed_and_published(editor: Browser, house: Installation) -> None:
    page = editor.get("/udgivelser/ny?projekt=kp")
    saved = editor.submit(page, "/udgivelser", **TYPED, trin="kladde")
    assert "Kladden er gemt" in saved.text and "Kladde" in saved.text
    form = editor.get("/udgivelser/1/ret")
    editor.submit(form, "/udgivelser", title="Udpeg systemansvarlig for KP", trin="kladde")
    editor.submit(form, "/udgivelser", expect=409, title="En anden titel", trin="kladde")
    ahead = editor.submit(editor.get("/udgivelser/1/ret"), "/udgivelser", trin="forhaandsvis")
    editor.submit(ahead, "/udgivelser", trin="udgiv")
    assert editor.response.request.path == "/udgivelser/1"
    with house.database.reading() as session:
        assert session.scalars(select(Task.state)).all() == ["udgivet"]
        assert session.scalar(select(MunicipalTask.title).limit(1)) == "Udpeg systemansvarlig for KP"
    editor.get("/udgivelser/1/ret", expect=404)


def test_a_copy_starts_with_the_same_words_and_warns(editor: Browser) -> None:
    editor.post("/udgivelser", _previewed(editor) | {"trin": "udgiv"})
    form = editor.get("/udgivelser/ny?kopi=1")
    assert form.select_one("input[name=title]")["value"] == TYPED["title"]
    ahead = editor.submit(form, "/udgivelser", trin="forhaandsvis")
    assert "næsten samme titel" in ahead.text and "MI 02" in ahead.text


@pytest.mark.parametrize("path", ["/udgivelser", "/udgivelser/ny", "/udgivelser/1"])
def test_nobody_but_kombit(house: Installation, browser: Callable[..., Browser], path: str) -> None:
    with house.database.writing() as session:
        make.person(session, level=Level.ADMINISTRATOR, email="administrator@koege.example")
        make.person(session, level=Level.SUPPLIER, email="leverandoer@netcompany.example")
    for email in ("administrator@koege.example", "leverandoer@netcompany.example"):
        browser().sign_in(email).get(path, expect=403)


@pytest.mark.parametrize("query", ["?projekt=x", "?kopi=9", "?skabelon=x&projekt=x"])
def test_what_is_not_there(editor: Browser, query: str) -> None:
    editor.get(f"/udgivelser/ny{query}", expect=404)


def test_a_list_from_excel_is_understood_and_told(editor: Browser) -> None:
    page = editor.get("/udgivelser/ny?projekt=kp")
    typed = TYPED | {"trin": "forhaandsvis", "recipients": "kommuner", "municipalities": ["101"]}
    ahead = editor.submit(
        page, "/udgivelser", **typed, codes="259\tKøge\r\nÅrhus Kommune; Vesthimmerland\r\n259"
    )
    assert "4 kommuner" in ahead.text
    assert "Listen er forstået som 3 kommuner; 1 stod der mere end én gang." in ahead.text
    assert "København, Køge, Aarhus og Vesthimmerlands" in ahead.text
    wrong = editor.submit(page, "/udgivelser", expect=422, **typed, codes="Kjøge, Atlantis")
    assert "“Kjøge” kendes ikke. Mente du Køge? “Atlantis” kendes ikke." in wrong.text
    kept = filled(wrong.find("form", attrs={"action": "/udgivelser"}))
    assert kept["codes"] == "Kjøge, Atlantis" and kept["municipalities"] == "101"


def test_where_a_role_is_vacant_a_second_task_is_offered(editor: Browser, house: Installation) -> None:
    with house.database.writing() as session:
        make.holding(session, holder=make.person(session, "Mette Holm"))
    page = editor.get("/udgivelser/ny?projekt=kp")
    typed = TYPED | {"title": "Klargør data", "trin": "forhaandsvis", "recipients": "kommuner"}
    ahead = editor.submit(page, "/udgivelser", **typed, codes="Køge, Herning, Læsø")
    assert "Rollen Systemansvarlig er ubesat i 2 kommuner" in ahead.text
    box = ahead.select_one("input[name=udpeg]")
    assert box["form"] == ahead.select_one("form[action='/udgivelser'][method=post]")["id"]
    done = editor.submit(ahead, "/udgivelser", trin="udgiv", udpeg=box["value"])
    assert "Opgaven er udgivet til 3 kommuner." in done.text
    assert "“Udpeg systemansvarlig” er udgivet til 2 kommuner." in done.text
    again = editor.submit(
        editor.get("/udgivelser/ny?projekt=kp"),
        "/udgivelser",
        **(typed | {"title": "Noget helt andet"}),
        codes="Køge, Herning, Læsø, Aarhus",
    )
    assert "står allerede åben i 2 kommuner: Herning, Læsø" in again.text
    assert "hos de øvrige (1 kommune)" in again.text


def test_the_tick_stays_until_the_task_is_published(editor: Browser, house: Installation) -> None:
    page = editor.get("/udgivelser/ny?projekt=kp")
    typed = TYPED | {"title": "Klargør data", "trin": "forhaandsvis", "recipients": "kommuner"}
    ahead = editor.submit(page, "/udgivelser", **typed, codes="Køge, Herning")
    role = ahead.select_one("input[name=udpeg][type=checkbox]")["value"]
    # A moment that cannot be read keeps the tick; so does going back to the text.
    wrong = editor.submit(
        ahead, "/udgivelser", trin="planlaeg", tidspunkt="snart", udpeg=["", role], expect=422
    )
    assert wrong.select_one("input[name=udpeg][type=checkbox]").has_attr("checked")
    text = editor.submit(wrong, "/udgivelser", trin="ret")
    ahead = editor.submit(text, "/udgivelser", trin="forhaandsvis")
    assert ahead.select_one("input[name=udpeg][type=checkbox]").has_attr("checked")
    planned = editor.submit(ahead, "/udgivelser", trin="planlaeg", tidspunkt="24-12-2099 kl. 9")
    assert "Opgaver “Udpeg …”, hvor rollen er ubesat" in planned.text
    assert "Systemansvarlig" in planned.select_one(".klik-facts").text
    later = editor.get("/udgivelser/1/forhaandsvis")
    assert later.select_one("input[name=udpeg][type=checkbox]").has_attr("checked")
    done = editor.submit(later, "/udgivelser/1/skridt", trin="udgiv")
    assert "Opgaven er udgivet" in done.text
    with house.database.reading() as session:
        made = session.scalars(select(Task).where(Task.appoints_role == "systemansvarlig")).one()
        assert made.recipient_count == 2
