"""KOMBIT moves a municipality from B1 to B2 with a look ahead; on a desk and a phone, without a fault for axe."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_accessibility import RULES

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
EDITOR = "redaktoer@kombit.example"


def _fine(page: Page) -> None:
    found = Axe().run(page, options=RULES).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize(("width", "javascript"), [(DESK, True), (PHONE, False)])
def test_a_municipality_moves_from_b1_to_b2(visit: Callable[..., Page], width: int, javascript: bool) -> None:
    page = visit(EDITOR, width=width, javascript=javascript)
    page.goto("/systemer/ky")
    page.get_by_role("link", name="Flyt bølger og kommuner").click()
    page.locator("summary", has_text="Kommuner i B1").click()
    links = page.locator("details[open] li a")
    towns = [(link.get_attribute("href") or "/", link.inner_text()) for link in links.all()]
    if javascript:
        _fine(page)
    links.first.click()
    if javascript:
        _fine(page)
    effect, name = "", ""
    # The first of them with an open task that counts from go-live; some have finished theirs.
    for address, town in towns:
        page.goto(address)
        page.get_by_label("Bølge", exact=True).select_option(index=3)
        page.get_by_role("button", name="Se, hvad der sker").click()
        expect(page.locator("h1")).to_have_text("Hvad der sker")
        effect = page.locator(".klik-effects li").first.inner_text()
        if not effect.startswith("Ingen"):
            name = town
            break
    assert re.match(r"[1-9]\d* frister flyttes .*\d+ dage frem\.", effect), effect
    if javascript:
        _fine(page)
    page.get_by_role("button", name="Gennemfør").click()
    expect(page.locator(".klik-flashes")).to_contain_text(effect.rstrip("."))
    page.locator("summary", has_text="Kommuner i B2").click()
    expect(page.locator("details[open] li a", has_text=name).first).to_be_visible()
    if not javascript:
        page.goto("/boelger/ky")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_proposal_waits_on_the_front_page_of_koege(visit: Callable[..., Page]) -> None:
    page = visit("administrator@koege.example")
    expect(page.get_by_text("Gør Ali Ahmadi (systemansvarlig) til plusbruger")).to_be_visible()
    _fine(page)
    page.get_by_role("button", name="Gør Ali Ahmadi til plusbruger").click()
    expect(page.get_by_text("Ali Ahmadi er nu plusbruger")).to_be_visible()
