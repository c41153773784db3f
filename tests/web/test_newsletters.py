"""The pages of newsletters: written, previewed, sent, read, left and asked for, in a browser without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from klik import jobs
from klik.domain.rights import Level
from klik.installation import Installation
from klik.models import Mail, Newsletter, NewsletterAddress
from klik.services.newsletters.links import Links
from tests import make
from tests.client import Browser
from tests.make import HERNING
from tests.web.page import check_fragment

EDITOR = "ellen@kombit.example"
READER = "mette@koege.example"


@pytest.fixture
def people(house: Installation) -> None:
    with house.database.writing() as session:
        make.person(session, "Ellen Editor", level=Level.KOMBIT_EDITOR, email=EDITOR)
        make.person(session, "Mette Holm", level=Level.ADMINISTRATOR, email=READER)
        make.person(
            session, "Hans Berg", level=Level.PLUS_USER, municipality=HERNING, email="hans@herning.example"
        )
        make.person(session, "Læser Lund", level=Level.READER, email="laeser@koege.example")


@pytest.fixture
def editor(people: None, browser: Callable[..., Browser]) -> Browser:
    return browser().sign_in(EDITOR)


def write(editor: Browser, **changes: Any) -> int:
    page = editor.get("/nyhedsbreve/ny")
    words = {"subject": "Nyt fra KP", "body": "Læs [vejledningen](https://kombit.dk/kp)."}
    editor.submit(page, "/nyhedsbreve/ny", **(words | changes))
    found = re.fullmatch(r"/nyhedsbreve/(\d+)/forhaandsvis", editor.response.request.path)
    assert found, editor.response.request.path
    return int(found[1])


def send(editor: Browser, letter: int, **changes: Any) -> Any:
    page = editor.get(f"/nyhedsbreve/{letter}/forhaandsvis")
    return editor.submit(page, f"/nyhedsbreve/{letter}/send", **({"sure": "y"} | changes))


def now() -> datetime:
    return datetime.now(UTC)


def test_the_whole_journey(house: Installation, editor: Browser, browser: Callable[..., Browser]) -> None:
    letter = write(editor)
    page = editor.get(f"/nyhedsbreve/{letter}/forhaandsvis")
    assert "2 modtagere i 2 kommuner." in page.text
    assert "vejledningen (https://kombit.dk/kp)" in page.select_one("pre").text
    assert [each.text.split()[0] for each in page.select(".newsletter-readers li")] == ["Hans", "Mette"]
    shown = editor.download(f"/nyhedsbreve/{letter}/mail").decode()
    assert "sandbox" in editor.response.headers["Content-Security-Policy"]
    assert "Frameld" in shown
    page = editor.submit(page, f"/nyhedsbreve/{letter}/proeve")
    assert f"En prøve er på vej til {EDITOR}." in page.text
    page = send(editor, letter)
    assert "Nyhedsbrevet er sendt til 2 modtagere." in page.text
    assert "2 sendt: 2 gøres klar" in page.text
    jobs.run(house, "send-newsletters", now(), "x")
    assert "2 sendt: 2 venter" in editor.get(f"/nyhedsbreve/{letter}").text
    page = editor.get(f"/nyhedsbreve/{letter}/modtagere?tilstand=venter&q=herning")
    assert [row.select_one("th").text for row in page.select("tbody tr")] == ["Hans Berghans@herning.example"]
    with house.reading(now()) as work:
        mails = dict(work.session.execute(select(Mail.address, Mail.content)).all())
    assert set(mails) == {EDITOR, READER, "hans@herning.example"}
    header = mails[READER].partition(b"List-Unsubscribe: <")[2].partition(b">")[0]
    leave = header.decode().partition("5000")[2]

    # The mail's link, by somebody who is not signed in.
    stranger = browser()
    page = stranger.get(leave)
    assert "Varsler om dine opgaver, frister og roller får du stadig." in page.text
    assert READER in page.text
    with house.reading(now()) as work:
        assert not work.session.scalars(select(NewsletterAddress)).all(), "looking changed something"
    page = stranger.submit(page, leave)
    assert "Du er frameldt" in page.text
    page = stranger.submit(page, f"{leave}/fortryd")
    assert "Du er tilmeldt igen" in page.text

    # A mail program, with no cookie and no form of ours (RFC 8058).
    program = browser().app.test_client()
    answer = program.post(leave, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "1 holdt tilbage" in editor.get(f"/nyhedsbreve/{letter}").text
    page = editor.get(f"/nyhedsbreve/{write(editor)}/forhaandsvis")
    assert "1 modtager i 1 kommune; 1 har frameldt sig." in page.text

    # The archive.
    reader = browser().sign_in("laeser@koege.example")
    page = reader.get("/nyhedsbreve")
    assert [link.text for link in page.select(".newsletters a")] == ["Nyt fra KP"]
    page = reader.get(f"/nyhedsbreve/{letter}")
    assert "@" not in page.select_one("main").text
    assert "For KOMBIT" not in page.text
    reader.get(f"/nyhedsbreve/{letter}/modtagere", expect=403)
    assert stranger.get(f"/nyhedsbreve/{letter}").select_one("form[action^='/log-ind']")
    assert not stranger.get("/nyhedsbreve").select(".newsletters a")
    page = editor.get(f"/nyhedsbreve/{letter}")
    editor.submit(page, f"/nyhedsbreve/{letter}/offentlig")
    assert stranger.get(f"/nyhedsbreve/{letter}").select_one("article a")["href"] == "https://kombit.dk/kp"
    assert stranger.get("/nyhedsbreve").select(".newsletters a")


def test_only_the_one_press_is_let_in_without_our_form(people: None, browser: Callable[..., Browser]) -> None:
    links = Links("", "a-secret-key-for-tests-only-0123456789")
    leave, confirm = links.leave(READER), links.confirm(READER, now())
    client = browser().app.test_client()
    for path in (f"{leave}/fortryd", confirm, "/nyhedsbreve/tilmeld"):
        assert client.post(path, data={"email": "x@y.dk"}).status_code == 400, path
    for token in ("x", "x" * 3_000, leave.rpartition("/")[2][:-2], "a.b.c", "ø"):
        assert client.get(f"/nyhedsbreve/frameld/{token}").status_code == 404
        assert client.post(f"/nyhedsbreve/frameld/{token}").status_code == 404


def test_planned_withdrawn_and_refused(editor: Browser, house: Installation) -> None:
    letter = write(editor)
    for typed, sentence in (
        ("1. januar 2020 kl. 8", "allerede passeret"),
        ("på et tidspunkt", "mangler klokkeslæt"),
        ("31-02-2027 kl. 8", "findes ikke"),
        ("x" * 100, "højst fylde 60 tegn"),
    ):
        page = editor.get(f"/nyhedsbreve/{letter}/forhaandsvis")
        assert page.select_one("[name=at]")["value"]
        token = page.select("[name=idempotency_key]")[0]["value"]
        form = {"version": "1", "when": "planlagt", "at": typed, "idempotency_key": token}
        page = editor.post(f"/nyhedsbreve/{letter}/send", form, expect=422)
        assert sentence in page.select_one(".klik-error-summary").text
        assert page.select_one("[name=at]")["value"] == typed
    page = editor.post(
        f"/nyhedsbreve/{letter}/send", {"version": "1", "when": "planlagt", "at": "mandag kl. 8"}
    )
    assert re.search(r"Nyhedsbrevet bliver sendt .+ kl\. 08\.00\.", page.text)
    editor.get(f"/nyhedsbreve/{letter}/ret")
    assert editor.response.request.path == f"/nyhedsbreve/{letter}"
    page = editor.submit(editor.get(f"/nyhedsbreve/{letter}"), f"/nyhedsbreve/{letter}/stop")
    assert "en kladde igen" in page.text
    jobs.run(house, "send-newsletters", now() + timedelta(days=9), "x")
    with house.reading(now()) as work:
        assert work.session.scalars(select(Mail)).all() == []


def test_sending_needs_a_tick_a_text_and_happens_once(editor: Browser, house: Installation) -> None:
    empty = write(editor, body="")
    assert "skriv teksten, før nyhedsbrevet sendes" in editor.get(f"/nyhedsbreve/{empty}/forhaandsvis").text
    letter = write(editor)
    page = editor.get(f"/nyhedsbreve/{letter}/forhaandsvis")
    refused = editor.submit(page, f"/nyhedsbreve/{letter}/send", expect=422)
    assert "Sæt kryds" in refused.select_one(".klik-error-summary").text
    for _press in range(2):
        editor.submit(page, f"/nyhedsbreve/{letter}/send", sure="y")
        assert editor.response.request.path == f"/nyhedsbreve/{letter}"
    stale = write(editor)
    page = editor.get(f"/nyhedsbreve/{stale}/forhaandsvis")
    editor.submit(editor.get(f"/nyhedsbreve/{stale}/ret"), f"/nyhedsbreve/{stale}/ret", subject="Andet")
    page = editor.submit(page, f"/nyhedsbreve/{stale}/send", sure="y", expect=409)
    assert "rettet imens" in page.text
    with house.reading(now()) as work:
        assert list(work.session.scalars(select(Newsletter.state).order_by(Newsletter.id))) == [
            "kladde",
            "sendt",
            "kladde",
        ]


def test_hostile_words_are_named_and_kept(editor: Browser) -> None:
    page = editor.get("/nyhedsbreve/ny")
    for changes, sentence in (
        ({"subject": "Nyt\r\nBcc: alle@kommune.dk"}, "Emne må kun fylde én linje."),
        (
            {"subject": "Om 010190-1234"},
            "Emne ser ud til at indeholde et CPR-nummer",
        ),
        ({"subject": "x", "body": "Se ![kort](https://x.dk/kort.png)"}, "billeder kan ikke være"),
        ({"subject": "x", "levels": ["konge"]}, "Vælg en af mulighederne på listen."),
        ({"subject": "x", "roles": ["x" * 40] * 100}, "Vælg en af mulighederne på listen."),
        ({"subject": "x", "levels": [], "subscribers": ""}, "vælg mindst ét niveau"),
    ):
        again = editor.submit(page, "/nyhedsbreve/ny", expect=422, **({"body": "Ordene bliver"} | changes))
        assert sentence in again.select_one(".klik-error-summary").text
        assert again.select_one("textarea[name=body]").text.strip() == changes.get("body", "Ordene bliver")
    words = {"subject": "Nyt", "body": "010190-1234 <script>alert(1)</script>", "csrf_token": editor.token()}
    answer = check_fragment(
        editor._client.post("/nyhedsbreve/laes", data=words).data, url="/nyhedsbreve/laes"
    )
    assert "CPR-nummer" in answer.text
    assert not answer.select("script")


def test_two_editors_see_each_other(editor: Browser) -> None:
    letter = write(editor)
    page = editor.get(f"/nyhedsbreve/{letter}/ret")
    editor.submit(page, f"/nyhedsbreve/{letter}/ret", subject="Den ene")
    page = editor.submit(page, f"/nyhedsbreve/{letter}/ret", subject="Den anden", expect=409)
    assert "Den ene" in page.select_one(".klik-conflict").text
    assert page.select_one("[name=subject]")["value"] == "Den anden"
    editor.submit(page, f"/nyhedsbreve/{letter}/ret")
    page = editor.submit(editor.get(f"/nyhedsbreve/{letter}/forhaandsvis"), f"/nyhedsbreve/{letter}/kopi")
    assert page.select_one("[name=subject]")["value"] == "Kopi af Den anden"


def test_signing_up_answers_alike_and_waits_for_the_link(
    house: Installation, people: None, browser: Callable[..., Browser]
) -> None:
    stranger = browser()
    texts = set()
    for address in (READER, "ukendt@firma.example"):
        page = stranger.submit(stranger.get("/nyhedsbreve/tilmeld"), "/nyhedsbreve/tilmeld", email=address)
        texts.add(page.select_one("main").text.replace(address, "…"))
    assert len(texts) == 1
    for typed in ("", "ikke en adresse", "a@b\r\nBcc: c@d.dk", "x" * 300):
        page = stranger.submit(
            stranger.get("/nyhedsbreve/tilmeld"), "/nyhedsbreve/tilmeld", email=typed, expect=422
        )
        assert page.select_one(".klik-error-summary")
    with house.reading(now()) as work:
        content = work.session.scalar(select(Mail.content).where(Mail.address == "ukendt@firma.example"))
    token = re.search(r"/nyhedsbreve/bekraeft/[\w.-]+", content.decode().replace("=\r\n", ""))
    assert token
    page = stranger.get(token[0])
    with house.reading(now()) as work:
        assert not work.session.scalars(select(NewsletterAddress.confirmed_at)).first()
    page = stranger.submit(page, token[0])
    assert "Du er tilmeldt" in page.text
    with house.reading(now()) as work:
        confirmed = work.session.scalars(
            select(NewsletterAddress.address_key).where(NewsletterAddress.confirmed_at.is_not(None))
        ).all()
    assert confirmed == ["ukendt@firma.example"]
    stranger.get("/nyhedsbreve/bekraeft/forkert", expect=404)
