"""KOMBIT's redaktør within the agreed number of clicks, with and without JavaScript; axe on the pages of a task's life.

A click is a press on a control; typing is free; it begins on the front page (peers: job 2).
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.test_accessibility import RULES

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
EDITOR, METTE = "redaktoer@kombit.example", "programleder@koege.example"
NARROW = 320


class Clicks:
    """A page whose clicks are counted from the front page on."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0
        page.goto("/")

    def press(self, what: Locator) -> None:
        """One click, and the page it leads to."""
        what.click()
        self.page.wait_for_load_state()
        self.count += 1

    def link(self, name: str) -> None:
        """A link by its words."""
        self.press(self.page.get_by_role("link", name=name, exact=True).first)

    def button(self, name: str) -> None:
        """A button by the beginning of its words."""
        self.press(self.page.get_by_role("button", name=re.compile(f"^{name}")).first)


def _write(page: Page, title: str) -> None:
    page.locator("[name=title]").fill(title)
    page.locator("[name=phase]").select_option("forankring")
    page.locator("[name=theme]").select_option("it-miljoe-og-infrastruktur")
    page.locator("[name=purpose]").fill("Fordi det skal prøves.")
    page.locator("[name=deadline_rule]").select_option("core.days-after-publication")
    page.locator("[name=deadline_parameter]").fill("300")


def _new(clicks: Clicks, title: str) -> None:
    clicks.link("Ny KLIK-opgave")
    clicks.link("KP Basis")
    _write(clicks.page, title)
    clicks.button("Forhåndsvis")


@pytest.mark.parametrize("javascript", [True, False])
def test_new_from_scratch_in_five_and_withdrawn_in_three(
    visit: Callable[..., Page], javascript: bool
) -> None:
    title = f"Prøv fra bunden {'med' if javascript else 'uden'} script"
    clicks = Clicks(visit(EDITOR, javascript=javascript))
    _new(clicks, title)
    clicks.button("Udgiv til 98 kommuner")
    expect(clicks.page.get_by_text("Opgaven er udgivet til 98 kommuner.")).to_be_visible()
    assert clicks.count <= 5
    back = Clicks(clicks.page)
    back.link(title)
    back.link("Træk tilbage")
    back.page.get_by_label("Begrundelse").fill("Det var en prøve")
    back.button("Træk tilbage fra 98 kommuner")
    expect(back.page.get_by_text("Opgaven er trukket tilbage.")).to_be_visible()
    assert back.count <= 3


def test_from_a_template_or_a_copy_in_four(visit: Callable[..., Page]) -> None:
    page = visit(EDITOR)
    clicks = Clicks(page)
    clicks.link("Ny fra skabelon")
    clicks.press(page.locator("details[open] a").first)
    clicks.button("Forhåndsvis")
    clicks.button("Udgiv til")
    expect(page.get_by_text(re.compile("Opgaven er udgivet til"))).to_be_visible()
    assert clicks.count <= 4
    copy = Clicks(page)
    copy.press(page.locator("section[aria-labelledby=nyt] a").first)
    copy.link("Ny opgave med samme tekst")
    copy.button("Forhåndsvis")
    copy.button("Udgiv til")
    expect(page.get_by_text(re.compile("Opgaven er udgivet til"))).to_be_visible()
    assert copy.count <= 4


@pytest.mark.parametrize("javascript", [True, False])
def test_planned_with_at_most_one_more(visit: Callable[..., Page], javascript: bool) -> None:
    clicks = Clicks(visit(EDITOR, javascript=javascript))
    _new(clicks, f"Planlæg {'med' if javascript else 'uden'} script")
    clicks.button("Udgiv mandag")
    expect(clicks.page.get_by_role("heading", name="Udgives af sig selv")).to_be_visible()
    assert clicks.count <= 6
    again = Clicks(clicks.page)
    _new(again, f"Planlæg i ord {'med' if javascript else 'uden'} script")
    moment = again.page.get_by_label("Udgiv på et andet tidspunkt")
    moment.fill("i morgen kl. 9.30")
    # Enter in the field plans; it never publishes at once.
    again.count += 1
    moment.press("Enter")
    expect(again.page.get_by_role("heading", name="Udgives af sig selv")).to_be_visible()
    assert again.count <= 6


def test_the_pages_of_a_life_have_no_violation_and_fit_a_phone(visit: Callable[..., Page]) -> None:
    page = visit(EDITOR, width=NARROW)
    addresses = ["/udgivelser", "/udgivelser?tilstand=planlagt"]
    for state in ("til-godkendelse", "kommende", "planlagt", "tilbagetrukket", "udgivet"):
        page.goto(f"/udgivelser?tilstand={state}")
        shown = page.locator("tbody a").first.get_attribute("href")
        assert shown, state
        addresses.append(shown)
        if state in ("til-godkendelse", "kommende", "planlagt"):
            addresses.append(f"{shown}/forhaandsvis")
        if state == "udgivet":
            addresses.append(f"{shown}/traek-tilbage")
    _flawless(page, addresses)
    mette = visit(METTE, width=NARROW)
    mette.goto("/opgaver?fuldfoerte=ja&q=manuelle+sager")
    tomb = mette.locator("tr[id^=opgave-] th a").first.get_attribute("href")
    assert tomb
    _flawless(mette, ["/opgaver/kommende", "/", tomb])
    mette.goto(tomb)
    expect(mette.get_by_text("KOMBIT har trukket opgaven tilbage").first).to_be_visible()


def _flawless(page: Page, addresses: list[str]) -> None:
    axe, faults = Axe(), []
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None and answer.status == 200, address
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > NARROW:
            faults.append((address, f"{wide} px"))
        faults += [(address, each["id"]) for each in axe.run(page, options=RULES).response["violations"]]
    assert faults == []
