"""A link from a mail in Chromium, on a phone and signed out; and a notice put off in the inbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from klik import jobs
from klik.demo.mailbox import Catcher
from klik.installation import Installation
from klik.services.notices import scanning
from klik.web.demo.views import folder as post_folder
from tests.browser.conftest import PHONE
from tests.browser.test_accessibility import RULES
from tests.conftest import make_settings

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
WHO = "plusbruger@svendborg.example"
COLOUR = re.compile("rød|gul|frist", re.IGNORECASE)


def _faultless(page: Page) -> None:
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def _deliver(folder: Path, site: str) -> None:
    """Send what waits to the demo's catcher, as the worker of the demo does."""
    catcher = Catcher(post_folder(folder))
    catcher.start()
    house = Installation(make_settings(folder, KLIK_BASE_URL=site, KLIK_SMTP_URL=catcher.url))
    try:
        now = datetime.now(UTC)
        with house.writing(now) as work:
            scanning.scan_deadlines(work)
        jobs.deliver(house, now)
    finally:
        house.close()
        catcher.stop()


def test_set_in_progress_from_a_mail_and_put_a_notice_off(
    visit: Callable[..., Page], demo_folder: Path, demo_site: str
) -> None:
    _deliver(demo_folder, demo_site)
    reader = visit(None, width=PHONE, javascript=False)
    reader.goto("/demo/post")
    reader.get_by_label("Modtager").fill(WHO)
    reader.get_by_role("button", name="Vis mails").click()
    reader.locator("main table a").filter(has_text=COLOUR).first.click()
    reader.get_by_role("link", name="Se mailen").click()
    line = reader.locator("td, div").filter(has=reader.get_by_role("link", name="Sæt i gang")).last
    task = str(line.locator("a").first.get_attribute("href")).rpartition("/")[2]
    link = str(line.get_by_role("link", name="Sæt i gang").get_attribute("href"))
    line.get_by_role("link", name="Sæt i gang").click()
    expect(reader.get_by_text("Du handler som")).to_be_visible()
    reader.get_by_role("button", name="Sæt opgaven i gang").click()
    expect(reader.get_by_text("Opgaven er sat i gang.")).to_be_visible()
    reader.goto(link)
    expect(reader.get_by_text("Det er allerede gjort. Opgaven er i gang.")).to_be_visible()

    person = visit(WHO, width=PHONE)
    person.goto(link)
    _faultless(person)
    person.goto(f"/opgaver/{task}")
    expect(person.locator("#historik")).to_contain_text("Status ændret via mail-link")
    _faultless(person)

    person.locator(".klik-bell").click()
    _faultless(person)
    count = int(person.locator(".klik-bell-count").inner_text().split()[0])
    first = person.locator(".notices-inbox > li").first
    first.locator("summary").focus()
    person.keyboard.press("Enter")
    _faultless(person)
    first.get_by_role("button", name="I morgen", exact=True).click()
    expect(person.get_by_text("Varslet kommer frem igen")).to_be_visible()
    assert int(person.locator(".klik-bell-count").inner_text().split()[0]) == count - 1
    expect(person.get_by_role("heading", name="Udsat til senere")).to_be_visible()
