"""A correction in Chromium: KOMBIT's four clicks, the municipality's one, and nothing for axe to find."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.test_accessibility import RULES
from tests.browser.test_editing import Clicks

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
EDITOR, KOEGE = "redaktoer@kombit.example", "plusbruger@koege.example"


def fine(page: Page) -> None:
    """Axe finds nothing, and nothing scrolls sideways, at the desk and on a phone."""
    for width in (1280, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        results = Axe().run(page, options=RULES).response
        assert results["passes"]
        assert results["violations"] == [], (page.url, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (page.url, width)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_correction_takes_three_clicks(visit: Callable[..., Page]) -> None:
    page = visit(EDITOR)
    page.goto("/udgivelser?projekt=kp")
    page.get_by_role("link", name=re.compile("Bestil")).first.click()
    click = Clicks()
    click(page.get_by_role("link", name="Ret", exact=True))
    fine(page)
    page.get_by_label("Note til kommunerne").fill("Titlen var uklar.")
    page.get_by_label("Titel").fill("Bestil abonnement i god tid")
    click(page.get_by_role("button", name="Se virkning"))
    expect(page.locator(".correcting-sum")).to_have_text(re.compile(r"\d+ følger, \d+ mærkes, \d+ uændret"))
    told = page.locator(".correcting-sum").inner_text()
    fine(page)
    click(page.get_by_role("button", name="Udgiv rettelse"))
    expect(page.get_by_text("Rettelsen er udgivet som version", exact=False)).to_contain_text(told)
    assert click.count <= 4
    expect(page.locator(".correcting-version").first).to_contain_text("Titlen var uklar.")
    fine(page)


def test_a_deviation_is_answered_with_one_click(visit: Callable[..., Page]) -> None:
    page = visit(KOEGE)
    page.goto("/opgaver?q=Bestil&projekt=kp&fuldfoerte=ja")
    addresses = page.eval_on_selector_all(
        "tbody th a", "links => links.map(link => link.getAttribute('href'))"
    )
    for address in addresses:
        page.goto(address)
        if page.locator(".correcting-deviation").count():
            break
    box = page.locator(".correcting-deviation")
    expect(box).to_contain_text("KOMBIT har flyttet fristen")
    expect(page.locator(".klik-task-text .task-new")).to_have_count(1)
    fine(page)
    click = Clicks()
    click(box.get_by_role("button", name="Behold jeres"))
    expect(page.get_by_text("Jeres eget valg er beholdt.")).to_be_visible()
    expect(page.locator(".correcting-deviation")).to_have_count(0)
    assert click.count == 1
    expect(page.locator("#historik")).to_contain_text("Eget valg beholdt")
