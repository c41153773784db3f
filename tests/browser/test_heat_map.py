"""The redaktør follows up in Chromium: few clicks, a real table, paper in black and white, and nothing axe minds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.test_accessibility import RULES

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
KOMBIT = "redaktoer@kombit.example"


def test_from_the_system_to_a_list_in_two_clicks(visit: Callable[..., Page]) -> None:
    page = visit(KOMBIT)
    page.goto("/systemer/kp")
    page.get_by_role("link", name=re.compile("fase for fase")).click()
    row = page.locator("tbody tr", has=page.get_by_role("link", name="Køge", exact=True))
    cell = row.locator("td.klik-heat a").nth(2)
    number = int(re.findall(r"\d+", cell.inner_text())[-1])
    cell.click()
    expect(page).to_have_url(re.compile(r"/opgaver\?.*kommune=259"))
    expect(page.locator(".klik-showing")).to_contain_text(re.compile(rf"\b{number}\b"))


@pytest.mark.parametrize("javascript", [True, False])
def test_the_silent_are_written_to_in_four_clicks(visit: Callable[..., Page], javascript: bool) -> None:
    page = visit(KOMBIT, javascript=javascript)
    # One without script writes about another project, so that the two do not stand in each other's way.
    page.goto(f"/overblik?projekt={'kp' if javascript else 'ksd'}")
    page.get_by_role("link", name=re.compile(r"^Stille \(")).click()
    page.get_by_role("button", name=re.compile(r"^Skriv til \(")).click()
    page.get_by_role("button", name=re.compile(r"^Send til \d+ modtager")).click()
    expect(page.get_by_text(re.compile(r"Beskeden er skrevet til \d+ modtager"))).to_be_visible()
    expect(page.locator("tbody th").first).to_contain_text("skrevet til")


@pytest.mark.parametrize("width", [1280, PHONE])
def test_axe_minds_nothing(visit: Callable[..., Page], width: int) -> None:
    page = visit(KOMBIT, width=width)
    for address in (
        "/overblik?projekt=ky&grupper=bolge&tempo=ja",
        "/overblik/kommuner/482",
        "/overblik/skriv?projekt=kp&kun=stille&alle=ja",
    ):
        page.goto(address)
        found = Axe().run(page, options=RULES).response["violations"]
        assert not found, (address, [(each["id"], each["nodes"][0]["html"]) for each in found])
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints_with_words_and_heads_on_every_page(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit(KOMBIT)
    page.goto("/overblik?projekt=kp")
    paper = tmp_path / "overblik.pdf"
    page.pdf(path=paper, prefer_css_page_size=True)
    pages = [each.extract_text() for each in pypdf.PdfReader(paper).pages]
    assert 2 <= len(pages) <= 8
    for each in pages[:-1]:
        assert "Forberedelse" in each and "Kommune" in each
    whole = " ".join(pages)
    assert "Aabenraa" in whole and "røde" in whole and "Skriv til" not in whole
