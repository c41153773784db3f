"""A supportberettiget writes a good case to MinSupport in Chromium, with the clicks counted; no fault for axe."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PHONE
from tests.browser.test_accessibility import RULES

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
TITLE = "Flettefelter udfyldes ikke automatisk i “Helbredstillægskort”-brev i Svendborg"


def _faultless(page: Page) -> None:
    for width in (PHONE, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(page, options=RULES)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_supportberettiget_writes_a_good_case(visit: Callable[..., Page]) -> None:
    page = visit("bruger@koege.example")
    page.goto("/systemer/kp")
    clicks = 0

    def click(what: Locator) -> None:
        nonlocal clicks
        what.click()
        clicks += 1

    click(page.get_by_role("link", name="Support til KP"))
    click(page.get_by_role("link", name="Skriv en ny sag").first)
    title, advice = page.get_by_label("Titel (skal udfyldes)"), page.locator("#titelraad")
    title.press_sequentially("HASTER!! Flettefelter i brev")
    expect(advice).to_contain_text("Fjern udråbstegnene")
    # The demo's case on the same matter is seen before this one is written.
    expect(page.locator("#lignende")).to_contain_text("MS-20418")
    title.fill(TITLE)
    expect(advice).to_contain_text("Titlen ser god ud.")
    page.get_by_label("Komponent").select_option("Breve")
    click(page.get_by_label("C Medium", exact=False))
    page.get_by_label("Sags-ID").fill("HK-GMFVV8")
    page.get_by_label("Hvilken handling medførte fejlen?").fill("Jeg åbnede opgaven\nJeg valgte brevet")
    page.get_by_label("Hvad forventede du, der skete?").fill("At navn og dato står i brevet")
    page.get_by_label("Opleves fejlen på andre sager?").fill("Nej")
    _faultless(page)
    click(page.get_by_role("button", name="Gem kladden"))
    expect(page.get_by_text("Kladden er gemt.")).to_be_visible()
    _faultless(page)
    with page.expect_download() as download:
        click(page.get_by_role("link", name="Hent som tekst"))
    assert f"Titel: {TITLE}\n" in download.value.path().read_text("utf-8")
    page.get_by_label("Sagens nummer i MinSupport").fill("MS-20500")
    click(page.get_by_role("button", name="Sæt som oprettet"))
    expect(page.get_by_text("Sagen står nu som oprettet i MinSupport.")).to_be_visible()
    _faultless(page)
    assert clicks == 6


def test_the_ring_without_javascript(visit: Callable[..., Page]) -> None:
    page = visit("bruger@koege.example", width=PHONE, javascript=False)
    page.goto("/p/kp/fejlsoegning")
    page.get_by_label("Der kom en fejlbesked op").check()
    for _ in range(5):
        page.get_by_role("button", name="Næste trin").click()
    page.get_by_label("Gentaget, og den samme fejl kom igen").check()
    page.get_by_role("button", name="Se, hvad du fandt").click()
    page.get_by_role("link", name="Start en sag").click()
    expect(page.get_by_label("Hvad er prøvet for at løse den?")).to_have_value(
        "Der kom en fejlbesked op i en proces.\nHele proceduren er gentaget med samme fejl."
    )
