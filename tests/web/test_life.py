"""KOMBIT's pages of a task's life, and what the municipalities see of it, without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from klik import jobs
from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.models import MunicipalTask, Notice, Task
from tests import make
from tests.client import Browser

IDA, PER, METTE = "ida@kombit.example", "per@kombit.example", "mette@koege.example"
TYPED = {
    "title": "Udpeg systemansvarlig",
    "theme": "it-miljoe-og-infrastruktur",
    "phase": "forberedelse",
    "purpose": "Fordi nogen skal følge **idriftsættelsen**.",
    "deadline_rule": "core.days-after-publication",
    "deadline_parameter": "30",
    "recipients": "kommuner",
    "codes": "101, 259",
}
TAKE = "/udgivelser"


@pytest.fixture
def people(house: Installation) -> Installation:
    """Two redaktører, and a plusbruger in Køge."""
    with house.database.writing() as session:
        make.project(session)
        make.person(session, "Ida Krog", level=Level.KOMBIT_EDITOR, email=IDA)
        make.person(session, "Per Dahl", level=Level.KOMBIT_EDITOR, email=PER)
        make.person(session, "Mette Holm", level=Level.PLUS_USER, email=METTE)
    return house


def _previewed(editor: Browser, **typed: object) -> object:
    page = editor.get("/udgivelser/ny?projekt=kp")
    return editor.submit(page, TAKE, **(TYPED | {"trin": "forhaandsvis"} | typed))


def _here(browser: Browser) -> str:
    return urlsplit(browser.response.request.path).path


def test_from_draft_through_approval_to_the_municipality(
    people: Installation, browser: Callable[..., Browser]
) -> None:
    ida, per = browser().sign_in(IDA), browser().sign_in(PER)
    done = ida.submit(_previewed(ida), TAKE, trin="send-til-godkendelse")
    assert _here(ida) == "/udgivelser/1"
    assert "Venter på en anden redaktør" in done.text
    assert not done.find("a", string="Forhåndsvis og godkend")
    index = per.get("/udgivelser")
    assert "Til godkendelse (1)" in index.text and "Venter på din godkendelse" in index.text
    page = per.get("/udgivelser/1")
    back = per.submit(page, "/udgivelser/1/skridt", begrundelse="", expect=422)
    assert "Begrundelse skal udfyldes" in back.text
    ahead = per.get(page.find("a", string="Forhåndsvis og godkend")["href"])
    assert "idriftsættelsen" in ahead.text
    published = per.submit(ahead, "/udgivelser/1/skridt", trin="udgiv")
    assert "Opgaven er udgivet" in published.text and "Sendt til godkendelse" in published.text
    with people.database.reading() as session:
        assert session.scalar(select(func.count(MunicipalTask.id))) == 2


def test_planned_in_words_and_by_one_press(people: Installation, browser: Callable[..., Browser]) -> None:
    ida = browser().sign_in(IDA)
    ahead = _previewed(ida)
    button = ahead.find("button", attrs={"name": "udgives"})
    assert button.text.startswith("Udgiv mandag") and button.text.endswith("kl. 08.00")
    wrong = ida.submit(ahead, TAKE, trin="planlaeg", tidspunkt="snart", expect=422)
    assert "“snart” mangler klokkeslæt" in wrong.text
    assert wrong.find("input", id="tidspunkt")["value"] == "snart"
    ida.submit(ahead, TAKE, udgives=button["value"])
    with people.database.reading() as session:
        task = session.scalars(select(Task)).one()
        assert (task.state, task.recipients) == ("planlagt", "101,259")
        assert task.publish_at is not None and task.publish_at.weekday() == 0
    assert "Udgives af sig selv" in ida.get("/udgivelser/1").text
    assert "Planlagt (1)" in ida.get("/udgivelser?tilstand=planlagt").text
    # A task that is planned is changed, moved and stopped; the form knows whom it was for.
    form = ida.get("/udgivelser/1/ret")
    ticked = form.find_all("input", attrs={"name": "municipalities", "checked": True})
    assert [each["value"] for each in ticked] == ["101", "259"]
    assert form.find("input", attrs={"value": "kommuner"}).has_attr("checked")
    ahead = ida.get("/udgivelser/1/forhaandsvis")
    ida.submit(ahead, "/udgivelser/1/skridt", udgives="", trin="planlaeg", tidspunkt="24-12-2099 kl. 9")
    assert "24. december 2099 kl. 09.00" in ida.get("/udgivelser/1").text
    stopped = ida.submit(ida.get("/udgivelser/1"), "/udgivelser/1/skridt")
    assert "Planen er standset" in stopped.text and "Kladde" in stopped.text


def test_what_could_not_be_published_is_said_on_the_page(
    people: Installation, browser: Callable[..., Browser]
) -> None:
    ida = browser().sign_in(IDA)
    ahead = _previewed(ida)
    ida.submit(ahead, TAKE, udgives=ahead.find("button", attrs={"name": "udgives"})["value"])
    with people.database.writing() as session:
        make.project(session).active = False
    jobs.publish_planned(people, datetime.now(UTC) + timedelta(days=9))
    assert "Blev ikke udgivet: Projekt: “KP” er afsluttet" in ida.get("/udgivelser").text
    assert "Opgaven blev ikke udgivet" in ida.get("/udgivelser/1").text
    with people.database.reading() as session:
        assert session.scalars(select(Notice.heading)).one() == "Ikke udgivet: MI 01 Udpeg systemansvarlig"


def test_the_municipality_sees_what_is_coming(people: Installation, browser: Callable[..., Browser]) -> None:
    ida, mette = browser().sign_in(IDA), browser().sign_in(METTE)
    assert "Ingen kommende opgaver" in mette.get("/opgaver/kommende").text
    ida.submit(_previewed(ida, start="1-12-2099"), TAKE, trin="annoncer")
    front = mette.get("/")
    assert "Kommende opgaver" in front.text and "ventes at begynde 1. december 2099" in front.text
    page = mette.get("/opgaver/kommende")
    assert page.select_one("section strong").text == "idriftsættelsen"
    assert "Udpeg systemansvarlig" in page.text and "30 dage" in page.text
    assert "Kommende opgave: MI 01" in mette.get("/varsler/mine").text
    ida.submit(ida.get("/udgivelser/1/forhaandsvis"), "/udgivelser/1/skridt", trin="udgiv")
    assert "Kommende opgaver" not in mette.get("/").text


def test_withdrawn_with_98_copies_every_page_still_answers(
    people: Installation, browser: Callable[..., Browser]
) -> None:
    ida, mette = browser().sign_in(IDA), browser().sign_in(METTE)
    ahead = _previewed(ida, recipients="alle")
    ida.submit(ahead, TAKE, trin="udgiv")
    with people.database.writing() as session:
        copy = session.scalars(select(MunicipalTask).where(MunicipalTask.municipality_id == make.KOEGE)).one()
        author = session.scalars(select(make.Person).where(make.Person.email == METTE)).one()
        make.comment(session, copy, author, "Vores egen kommentar")
        copy.status = Status.IN_PROGRESS.value
        own = copy.id
    here = f"/opgaver/{own}"
    mette.post("/filtre", {"navn": "Mine", "filter": "q=systemansvarlig"})
    page = ida.get("/udgivelser/1")
    form = ida.get(page.find("a", string="Træk tilbage")["href"])
    assert "98 kommuner" in form.text and "Køge" in form.text
    wrong = ida.submit(form, "/udgivelser/1/traek-tilbage", begrundelse="", expect=422)
    assert "Begrundelse skal udfyldes" in wrong.text
    done = ida.submit(form, "/udgivelser/1/traek-tilbage", begrundelse="Erstattet af MI 18")
    assert "Opgaven er trukket tilbage" in done.text
    tomb = mette.get(here)
    for said in ("Erstattet af MI 18", "Vores egen kommentar", "Trukket tilbage", "kan ikke længere ændres"):
        assert said in tomb.text, said
    mette.post(f"{here}/ret", {"version": "2", "status": "fuldfoert"}, expect=403)
    assert "Udpeg systemansvarlig" not in mette.get("/opgaver?fuldfoerte=nej").text
    asked = mette.get("/opgaver?fuldfoerte=ja")
    assert "Udpeg systemansvarlig" in asked.text and "Trukket tilbage af KOMBIT" in asked.text
    for address in (
        "/",
        "/overblik",
        "/opgaver",
        "/filtre",
        "/varsler/mine",
        "/sletning",
        f"{here}#historik",
    ):
        mette.get(address)
    for address in ("/opgaver.csv?fuldfoerte=ja", "/opgaver.xlsx?fuldfoerte=ja", "/opgaver.ics"):
        mette.download(address)
    assert mette.download(f"{here}.pdf").startswith(b"%PDF")
    for address in (
        "/",
        "/overblik",
        "/udgivelser",
        "/udgivelser?tilstand=tilbagetrukket",
        "/udgivelser/1",
        here,
    ):
        ida.get(address)
    # Nothing leads on from here, and the address of an act that is over says so.
    ida.get("/udgivelser/1/traek-tilbage", expect=422)
    ida.get("/udgivelser/1/forhaandsvis", expect=422)


def test_the_loser_of_a_race_sees_both(people: Installation, browser: Callable[..., Browser]) -> None:
    ida, per = browser().sign_in(IDA), browser().sign_in(PER)
    page = ida.get("/udgivelser/ny?projekt=kp")
    ida.submit(page, TAKE, **TYPED, trin="kladde")
    hers, his = ida.get("/udgivelser/1/ret"), per.get("/udgivelser/1/ret")
    per.submit(his, TAKE, title="Pers titel", trin="kladde")
    lost = ida.submit(hers, TAKE, title="Idas titel", trin="kladde", expect=409)
    assert "Per Dahl har gemt opgaven imens" in lost.text
    assert lost.find("td", string="Idas titel") and lost.find("td", string="Pers titel")
    assert lost.find("input", id="title")["value"] == "Idas titel"
    # Sent again, knowing, it is hers that stands.
    ida.submit(lost, TAKE, trin="kladde")
    assert "Idas titel" in ida.get("/udgivelser/1").text
    old = per.get("/udgivelser/1/forhaandsvis")
    ida.submit(ida.get("/udgivelser/1/forhaandsvis"), "/udgivelser/1/skridt", trin="annoncer")
    late = per.submit(old, "/udgivelser/1/skridt", trin="send-til-godkendelse", expect=409)
    assert "Ida Krog var først" in late.text and "Annonceret som kommende" in late.text


def test_search_states_and_projects(people: Installation, browser: Callable[..., Browser]) -> None:
    ida = browser().sign_in(IDA)
    with people.database.writing() as session:
        make.task(session, "Bestil certifikater", number="MI 07")
        make.task(session, "Oplær superbrugere", number="MI 08", state="kladde")
    assert "Bestil certifikater" in ida.get("/udgivelser?q=certif").text
    found = ida.get("/udgivelser?q=mi+08")
    assert "Oplær superbrugere" in found.text and "Bestil certifikater" not in found.text
    only = ida.get("/udgivelser?tilstand=kladde&projekt=kp")
    assert "Oplær superbrugere" in only.text and "Bestil certifikater" not in only.text
    assert "Der er ingen udgivelser, der passer" in ida.get("/udgivelser?q=findes-ikke").text


def test_who_sent_it_for_approval_is_told_when_the_words_are_approved(
    people: Installation, browser: Callable[..., Browser]
) -> None:
    ida, per = browser().sign_in(IDA), browser().sign_in(PER)
    ida.submit(_previewed(ida), TAKE, trin="send-til-godkendelse")
    form = per.get("/udgivelser/1/forhaandsvis")
    per.submit(form, "/udgivelser/1/skridt", trin="annoncer")
    assert per.get("/udgivelser/1").find("a", string="Ret teksten")
    assert not ida.get("/udgivelser/1").find("a", string="Ret teksten")
    refused = ida.get("/udgivelser/1/ret", expect=422)
    assert "Bed en anden redaktør om at rette den." in refused.text
