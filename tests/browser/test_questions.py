"""A question in Chromium: asked in one municipality, answered by KOMBIT, read in another; and no fault for axe."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.browser.test_accessibility import RULES

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
TEXT = "Må vi bruge den nye skabelon til brevene allerede nu?"


def _faultless(page: Page) -> None:
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_asked_answered_and_seen_elsewhere(visit: Callable[..., Page]) -> None:
    asker = visit("programleder@svendborg.example", javascript=False)
    asker.goto("/opgaver?fuldfoerte=nej")
    first = asker.locator("tr[id^=opgave-] th a").first
    title = first.inner_text()
    first.click()
    asker.get_by_label("Dit spørgsmål").fill(TEXT)
    asker.get_by_role("button", name="Send spørgsmålet").click()
    expect(asker.get_by_text("Spørgsmålet er sendt til KOMBIT.")).to_be_visible()

    editor = visit("redaktoer@kombit.example")
    editor.locator("a", has_text="spørgsmål venter").click()
    _faultless(editor)
    editor.get_by_role("link", name=TEXT).click()
    _faultless(editor)
    editor.locator("textarea[name=text]").fill("Ja, den er **godkendt**.")
    editor.get_by_role("button", name="Svar alle kommuner").click()
    expect(editor.get_by_text("Svaret står nu på opgaven hos alle kommuner.")).to_be_visible()
    editor.go_back()

    reader = visit("programleder@aabenraa.example", width=PHONE)
    reader.goto(f"/opgaver?q={title}&fuldfoerte=ja")
    links = reader.locator("tr[id^=opgave-] th a")
    answer = reader.locator(".question", has_text=TEXT)
    # Several projects have a task of this title: it is the one with the answer.
    for href in [link.get_attribute("href") for link in links.all()]:
        reader.goto(href or "/")
        if answer.count():
            break
    expect(answer).to_contain_text("En kommune")
    expect(answer.locator(".question-answer strong").last).to_have_text("godkendt")
    assert "Svendborg" not in answer.inner_text()
    _faultless(reader)


def test_the_preview_and_its_recipients(visit: Callable[..., Page]) -> None:
    page = visit("redaktoer@kombit.example")
    page.goto("/udgivelser/ny?projekt=ky")
    page.get_by_label("Titel").fill("Klargør brevene til konvertering")
    page.get_by_label("Ansvarlig rolle").select_option("supportberettiget-bruger")
    page.locator("[name=deadline_rule]").select_option("core.days-after-publication")
    page.locator("[name=deadline_parameter]").fill("30")
    page.get_by_label("Bestemte kommuner", exact=True).check()
    page.locator("summary", has_text="Bestemte kommuner eller undtagelser").click()
    page.get_by_label("Sæt en liste ind").fill("Århus Kommune; 259\tHøje Taastrup")
    page.get_by_label("Find en kommune").fill("læs")
    expect(page.locator(".recipients-list .form-group-checkbox:visible")).to_have_count(1)
    page.get_by_label("Læsø").check()
    _faultless(page)
    page.get_by_role("button", name="Forhåndsvis").click()
    expect(page.get_by_role("button", name="Udgiv til 4 kommuner")).to_be_in_viewport()
    expect(page.get_by_text("Listen er forstået som 3 kommuner.")).to_be_visible()
    _faultless(page)
    page.set_viewport_size({"width": PHONE, "height": 900})
    _faultless(page)
    # The way on is in sight from the top of the page to its end, and takes little of a phone.
    for place in (0, 800, 100_000):
        page.evaluate(f"window.scrollTo(0, {place})")
        expect(page.get_by_role("button", name="Udgiv til 4 kommuner")).to_be_in_viewport()
    assert page.locator(".preview-way").bounding_box()["height"] < 120
