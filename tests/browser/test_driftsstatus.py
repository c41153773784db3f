"""An outage in Chromium: KOMBIT writes it, a municipality reads it and asks to be told; axe minds nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.test_accessibility import RULES

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
KOEGE, KOMBIT = "plusbruger@koege.example", "redaktoer@kombit.example"
HOME = "/p/driftsstatus/"
# The words of a table's first column that stand on more lines than one.
BROKEN_WORDS = """() => [...document.querySelectorAll(".klik-heat-place")].flatMap((cell) => {
  const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), broken = [], word = document.createRange();
  while (texts.nextNode())
    for (const found of texts.currentNode.data.matchAll(/[^\\s]+/g)) {
      word.setStart(texts.currentNode, found.index);
      word.setEnd(texts.currentNode, found.index + found[0].length);
      if (word.getClientRects().length > 1) broken.push(found[0]);
    }
  return broken;
})"""


def test_an_outage_is_written_read_and_told(visit: Callable[..., Page]) -> None:
    page = visit(KOMBIT)
    page.goto("/systemer/serviceplatformen")
    page.get_by_role("link", name="Se 12 måneder").click()
    page.get_by_role("link", name="Skriv en ny hændelse").click()
    page.get_by_label("Driftsområde").select_option(label="SP produktionsmiljø m1")
    page.get_by_label("Overskrift").fill("Opslag i CPR svarer ikke")
    page.get_by_label("Gul: systemet er tilgængeligt").check()
    page.get_by_label("Begyndte den").fill("02-11-2020")
    page.get_by_label("Begyndte kl.").fill("8.15")
    page.get_by_label("Hvad brugerne oplevede").fill("Opslag giver en fejl.")
    page.get_by_role("button", name="Gem hændelsen").click()
    expect(page.get_by_role("heading", name="Lige nu: Serviceplatformen")).to_be_visible()
    page = visit(KOEGE)
    page.goto("/systemer/serviceplatformen")
    expect(
        page.get_by_text("Lige nu (gul): SP produktionsmiljø m1, Opslag i CPR svarer ikke.")
    ).to_be_visible()
    page.get_by_role("link", name="Få besked, når der sker noget").click()
    page.get_by_label("Hændelser på den fælleskommunale infrastruktur").check()
    page.get_by_role("button", name="Gem", exact=True).click()
    page.goto("/varsler/emner")
    expect(page.get_by_label("Hændelser på den fælleskommunale infrastruktur")).to_be_checked()


def test_axe_minds_nothing_and_no_word_is_broken(visit: Callable[..., Page]) -> None:
    for mail, addresses in (
        (KOEGE, (HOME, f"{HOME}?system=stoettesystemer")),
        (KOMBIT, (f"{HOME}skriv?system=stoettesystemer", f"{HOME}skriv?haendelse=1")),
    ):
        page = visit(mail, width=PHONE)
        for address in addresses:
            page.goto(address)
            found = Axe().run(page, options=RULES).response["violations"]
            assert not found, (address, [(each["id"], each["nodes"][0]["html"]) for each in found])
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, address
            assert page.evaluate(BROKEN_WORDS) == [], address
