"""A newsletter in Chromium: written, seen, tried, sent, read in the archive and left by the mail's own link."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from klik.services.newsletters.links import Links
from tests.browser.conftest import DESK, PHONE
from tests.browser.test_accessibility import RULES
from tests.conftest import SECRET

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
EDITOR = "redaktoer@kombit.example"


def test_from_the_first_word_to_leaving(visit: Callable[..., Page]) -> None:
    page = visit(EDITOR)
    page.goto("/nyhedsbreve")
    page.get_by_role("link", name="Nyt nyhedsbrev").click()
    page.get_by_label("Emne").fill("Nyt fra prøven")
    page.get_by_role("textbox", name="Tekst").fill("## Husk\n\n- **roller**\n- frister")
    pane = page.locator(".klik-writing-pane")
    expect(pane.locator("strong")).to_have_text("roller")
    page.get_by_role("textbox", name="Tekst").fill("Ring til 010190-1234")
    expect(pane).to_contain_text("indeholde et CPR-nummer")
    page.get_by_role("textbox", name="Tekst").fill("## Husk\n\n- **roller**\n- frister")
    page.get_by_label("Plusbruger", exact=True).uncheck()
    page.get_by_role("button", name="Gem og forhåndsvis").click()
    expect(page.locator("main")).to_contain_text(
        re.compile(r"modtagere i 96 kommuner og 1 uden for kommunerne")
    )
    page.get_by_text("Mailen som ren tekst").click()
    expect(page.locator("pre")).to_contain_text("- roller")
    page.get_by_role("button", name="Send en prøve til mig").click()
    expect(page.locator("main")).to_contain_text(f"En prøve er på vej til {EDITOR}.")
    page.get_by_label("Ja, send nyhedsbrevet nu").check()
    page.get_by_role("button", name="Send nu").click()
    expect(page.locator("h1")).to_have_text("Nyt fra prøven")
    expect(page.locator("main")).to_contain_text("gøres klar")
    page.get_by_role("link", name="Se modtagerne").click()
    page.get_by_label("Navn, adresse eller kommune").fill("Køge")
    page.get_by_role("button", name="Vis", exact=True).click()
    expect(page.locator("tbody tr").first).to_contain_text("Køge")

    reader = visit("laeser@koege.example")
    reader.goto("/nyhedsbreve")
    reader.get_by_role("link", name="Nyt fra prøven").click()
    expect(reader.locator("article strong")).to_have_text("roller")
    expect(reader.locator("main")).not_to_contain_text("@")

    stranger = visit(None)
    stranger.goto(leave_link("laeser@koege.example"))
    expect(stranger.locator("main")).to_contain_text(
        "Varsler om dine opgaver, frister og roller får du stadig"
    )
    assert Axe().run(stranger, options=RULES).response["violations"] == []
    stranger.get_by_role("button", name="Frameld").click()
    expect(stranger.locator("h1")).to_have_text("Du er frameldt")
    stranger.get_by_role("button", name="Tilmeld igen").click()
    expect(stranger.locator("h1")).to_have_text("Du er tilmeldt igen")


def leave_link(address: str) -> str:
    """As it stands in the mail; that it does is shown where mails are made (tests/web/test_newsletters.py)."""
    return urlsplit(Links("http://klik", SECRET).leave(address)).path


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_pages_are_open_to_all(visit: Callable[..., Page], width: int) -> None:
    page, stranger = visit(EDITOR, width=width), visit(None, width=width)
    page.goto("/nyhedsbreve")
    draft = page.locator("table a").first.get_attribute("href")
    sent = page.locator(".newsletters a").last.get_attribute("href")
    assert draft and sent
    for where, looks in (
        ("/nyhedsbreve", page),
        ("/nyhedsbreve/ny", page),
        (draft, page),
        (sent, page),
        (f"{sent}/modtagere", page),
        ("/nyhedsbreve", stranger),
        (sent, stranger),
        ("/nyhedsbreve/tilmeld", stranger),
    ):
        looks.goto(where)
        results = Axe().run(looks, options=RULES).response
        assert results["passes"], where
        assert results["violations"] == [], where
        assert looks.evaluate("document.documentElement.scrollWidth") <= width, where
