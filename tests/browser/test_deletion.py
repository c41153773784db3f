"""An announced deletion in Chromium: the click budgets of taking home, and no page that is too wide or inaccessible."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_accessibility import RULES

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
KOEGE, KOMBIT = "administrator@koege.example", "administrator@kombit.example"


class Clicks:
    """Presses as a person would, and counts."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def press(self, role: str, name: str) -> None:
        self.page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]
        self.count += 1

    def may_order(self) -> None:
        """The next press orders everything: counted, and left to the tests of the package."""
        button = self.page.get_by_role("button", name="Hent alt")
        expect(button).to_be_enabled()
        form = self.page.locator("form#hent")
        assert form.get_attribute("action") == "/eksport"
        assert form.locator("input[name=kind]").get_attribute("value") == "zip"
        assert form.locator("input[name=sletning]").count() == 1
        self.count += 1


def _faultless(page: Page) -> None:
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_everything_is_two_clicks_away_and_keeping_one_is_three(visit: Callable[..., Page]) -> None:
    page = visit(KOEGE, width=PHONE, javascript=False)
    bar = Clicks(page)
    bar.press("link", "Hent alt")
    bar.may_order()
    assert bar.count == 2

    mail = Clicks(page)
    page.goto("/sletning/1")
    mail.count += 1  # the link in the mail leads to this very page
    mail.may_order()
    assert mail.count == 2

    page.locator(".klik-deletion tbody th a").first.click()
    keep = Clicks(page)
    keep.press("link", "Bed om at beholde")
    page.get_by_label("Begrundelse").fill("Opgaven indgår i en klagesag")
    keep.press("button", "Spørg KOMBIT")
    expect(page.get_by_text("KOMBIT er spurgt om at beholde den").first).to_be_visible()
    assert keep.count <= 3
    print(  # noqa: T201 - the figure is what the run is for
        f"clicks: bar {bar.count} of 2, mail {mail.count} of 2, keep {keep.count} of 3"
    )


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_the_pages_are_faultless_for_kombit_and_for_a_municipality(
    visit: Callable[..., Page], width: int
) -> None:
    kombit = visit(KOMBIT, width=width)
    for path in (
        "/sletning",
        "/sletning/1",
        "/sletning/1/rykker?vis=tavs",
        "/sletning/1/kommuner/563",
        "/sletning/varsl?filter=projekt%3Dkp%26fase%3Dopstart",
    ):
        kombit.goto(path)
        _faultless(kombit)
    koege = visit(KOEGE, width=width)
    koege.goto("/sletning/1")
    _faultless(koege)
    koege.locator(".klik-deletion tbody th a").first.click()
    _faultless(koege)
