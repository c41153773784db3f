"""Writing a KLIK-opgave in Chromium: the pane beside the text, the number, unsaved words, and axe on the form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_accessibility import RULES

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
EDITOR = "redaktoer@kombit.example"
# What the browser would ask before the page is left; asked for without leaving it.
ASKS = "() => !window.dispatchEvent(new Event('beforeunload', {cancelable: true}))"


def test_the_text_is_shown_while_it_is_written(visit: Callable[..., Page]) -> None:
    page = visit(EDITOR)
    page.goto("/udgivelser/ny?projekt=kp")
    pane = page.locator(".klik-writing-pane")
    expect(pane).to_be_visible()
    assert page.evaluate(ASKS) is False
    description = page.get_by_label("Beskrivelse")
    description.fill("Se **vejledningen** og\n\n- ring\n- skriv")
    expect(pane.locator("strong")).to_have_text("vejledningen")
    expect(pane.locator("li")).to_have_count(2)
    expect(page.locator("#description-limit")).to_contain_text("tegn tilbage")
    page.get_by_label("Resultat").fill("Ring til 010190-1234")
    expect(pane).to_contain_text("indeholde et CPR-nummer")
    assert page.evaluate(ASKS) is True
    before = page.locator("#nummer-forslag").inner_text()
    page.get_by_label("Tema").select_option(index=3)
    expect(page.locator("#nummer-forslag")).not_to_have_text(before)
    expect(page.locator("#nummer-forslag")).to_contain_text("Næste ledige nummer i temaet er")
    page.evaluate(
        "document.querySelector('[data-writing] form').addEventListener('submit', (e) => e.preventDefault())"
    )
    page.get_by_role("button", name="Gem som kladde").click()
    assert page.evaluate(ASKS) is False


def test_without_javascript_the_preview_step_shows_the_text(visit: Callable[..., Page]) -> None:
    page = visit(EDITOR, javascript=False)
    page.goto("/udgivelser/ny?projekt=kp")
    expect(page.locator(".klik-writing-pane")).to_be_hidden()
    page.locator("#title").fill("Skriv uden script")
    page.locator("#description").fill("Se **her**")
    page.locator("#deadline_rule").select_option("core.days-after-publication")
    page.locator("#deadline_parameter").fill("30")
    page.get_by_role("button", name="Forhåndsvis").click()
    expect(page.locator("article strong")).to_have_text("her")


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("path", ["/udgivelser/ny?projekt=ksd", "/udgivelser/ny", "/udgivelser/drejebog"])
def test_the_pages_of_writing_are_open_to_all(visit: Callable[..., Page], path: str, width: int) -> None:
    page = visit(EDITOR, width=width)
    page.goto(path)
    if "projekt" in path:
        page.get_by_label("Beskrivelse").fill("| a | b |\n|---|---|\n| " + "langt" * 60 + " | 2 |")
        expect(page.locator(".klik-writing-pane table")).to_be_visible()
    results = Axe().run(page, options=RULES).response
    assert results["passes"] and results["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
