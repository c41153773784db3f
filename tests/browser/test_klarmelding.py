"""The infrastrukturansvarlig prepares a supplier meeting in Chromium: what is missing, what to ask, and the paper."""

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
KOEGE, KOMBIT = "plusbruger@koege.example", "redaktoer@kombit.example"


def test_a_supplier_meeting_is_prepared(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit(KOEGE)
    page.goto("/systemer/infrastruktur")
    page.get_by_role("link", name="Klarmelding af snitflader").click()
    expect(page.get_by_text("1 af 5 snitflader bekræftet")).to_be_visible()
    page.get_by_role("link", name=re.compile("Ret aftalen om Fjord EOJ")).click()
    page.get_by_label("Egne spørgsmål til leverandøren").fill("Hvornår kan I komme forbi?")
    page.get_by_role("button", name="Gem", exact=True).click()
    page.get_by_role("link", name="Klarmeldingsarket for Fjord EOJ, version 01.00").click()
    expect(page.get_by_text("Leverandør og kommune er uenige om")).to_be_visible()
    page.get_by_role("link", name=re.compile("SF0810")).click()
    page.get_by_role("group", name="Kriterium 2").get_by_label("Ja", exact=True).check()
    page.get_by_role("button", name="Gem", exact=True).click()
    expect(page.get_by_text("1 af 3 kriterier er ikke besvaret")).to_be_visible()
    page.goto("/p/klarmelding/moede")
    expect(page.get_by_text("vi har ikke kunnet bekræfte kriterium 3")).to_be_visible()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Hent som PDF").click()
    paper = tmp_path / "moede.pdf"
    taken.value.save_as(paper)
    text = " ".join(" ".join(each.extract_text() for each in pypdf.PdfReader(paper).pages).split())
    assert "Leverandørmøde med Fjord Omsorg" in text and "Hvornår kan I komme forbi?" in text


def test_axe_minds_nothing(visit: Callable[..., Page]) -> None:
    for mail, addresses in (
        (KOEGE, ("", "?aftale=1", "ark/1", "ark/1?snitflade=SF0810", "ark/1?vis=selvangivelse", "moede")),
        (KOMBIT, ("", "?snitflade=SF1470", "snitflader?snitflade=SF0810")),
    ):
        page = visit(mail, width=PHONE)
        for address in addresses:
            page.goto(f"/p/klarmelding/{address}")
            found = Axe().run(page, options=RULES).response["violations"]
            assert not found, (address, [(each["id"], each["nodes"][0]["html"]) for each in found])
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, address
