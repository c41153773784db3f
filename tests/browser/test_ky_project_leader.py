"""A project leader in Chromium, in wave B2: how far is it to KY, what is late, who does what, and it all on paper."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pypdf
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESK, PHONE
from tests.browser.test_accessibility import RULES

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
METTE, KOMBIT = "programleder@koege.example", "redaktoer@kombit.example"


@pytest.mark.timeout(120)
def test_a_ky_project_leader_in_wave_b2(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit(METTE, width=PHONE)
    page.goto("/systemer/ky")
    page.get_by_role("link", name="Drejebog", exact=True).click()
    expect(page.get_by_text("80 dage til KY")).to_be_visible()
    expect(page.locator(".klik-facts")).to_contain_text("B2")
    expect(page.locator(".klik-facts")).to_contain_text(re.compile(r"\d+ af \d+ løst"))
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE
    assert not Axe().run(page, options=RULES).response["violations"]
    with page.expect_download() as started:
        page.get_by_role("link", name="Hent drejebogen som PDF").click()
    started.value.save_as(tmp_path / "drejebog.pdf")
    text = " ".join(each.extract_text() for each in pypdf.PdfReader(tmp_path / "drejebog.pdf").pages)
    assert "Drejebog for KY: Køge" in text and "90\u00a0dage\u00a0før" in text.replace(" ", "\u00a0")
    # From a task of the playbook to the task, and by the ØiR tasks to the list.
    page.get_by_role("link", name="Se dem i listen").click()
    expect(page).to_have_url(re.compile(r"/opgaver\?.*ky\.omraade=oeir"))
    expect(
        page.get_by_role("link", name=re.compile("Opsæt integrationer til økonomisystemet"))
    ).to_be_visible()


@pytest.mark.timeout(120)
def test_kombit_from_the_waves_to_the_day_of_a_municipality(visit: Callable[..., Page]) -> None:
    page = visit(KOMBIT, width=DESK)
    page.goto("/p/ky/drejebog")
    row = page.locator("tbody tr", has=page.get_by_role("link", name="B2", exact=True))
    expect(row).to_contain_text("80 dage til KY")
    assert not Axe().run(page, options=RULES).response["violations"]
    page.get_by_label("Kommune", exact=True).select_option("259")
    page.get_by_role("button", name="Vis drejebog").click()
    page.get_by_role("link", name=re.compile("^Flyt Køge")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Køge")
