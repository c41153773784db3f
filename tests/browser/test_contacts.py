"""Contacts in Chromium: how many clicks, what is copied, and that everybody can use the pages."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import DESK
from tests.browser.test_accessibility import RULES

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]

EDITOR, LEADER = "redaktoer@kombit.example", "programleder@koege.example"


def test_kombit_copies_the_systemansvarlige_of_a_wave_in_five_clicks(
    visit: Callable[..., Page], capsys: pytest.CaptureFixture[str]
) -> None:
    page = visit(EDITOR)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    clicks = 0
    for link in ("Systemer", "Kommunernes Ydelsessystem", "Mailliste til de systemansvarlige", "B2"):
        page.get_by_role("link", name=link, exact=True).first.click()
        clicks += 1
    page.get_by_role("button", name="Kopiér").click()
    clicks += 1
    page.get_by_text("Kopieret").first.wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator("textarea").input_value()
    assert copied.count("@") > 10
    assert copied.count("; ") == copied.count("@") - 1
    assert clicks <= 5
    with capsys.disabled():
        sys.stdout.write(f"\ncopied mailing list: {clicks} clicks, {copied.count('@')} recipients\n")


def test_the_programleder_has_the_card_in_two_clicks(visit: Callable[..., Page]) -> None:
    page = visit(LEADER)
    page.get_by_role("link", name="Roller", exact=True).first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF på én side").click()
    assert download.value.suggested_filename.startswith("Roller Køge")


def test_the_list_is_there_without_javascript(visit: Callable[..., Page]) -> None:
    page = visit(EDITOR, javascript=False)
    page.goto("/kontakter/mailliste?rolle=systemansvarlig&system=ky")
    assert page.locator("textarea").input_value().count("@") > 10
    assert page.get_by_role("button", name="Kopiér").count() == 0


@pytest.mark.parametrize(
    ("email", "paths"),
    [
        (EDITOR, ("/kontakter?system=ky", "/kontakter/mailliste?rolle=systemansvarlig", "/roller/kort")),
        (LEADER, ("/kontakter", "/roller/kort", "/kontakter/mailliste?hvem=alle")),
    ],
)
def test_no_page_has_a_fault(visit: Callable[..., Page], email: str, paths: tuple[str, ...]) -> None:
    page = visit(email)
    for width in (DESK, 320):
        page.set_viewport_size({"width": width, "height": 900})
        for path in paths:
            page.goto(path)
            found = Axe().run(page, options=RULES).response
            assert found["passes"]
            assert [each["id"] for each in found["violations"]] == [], (path, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)
