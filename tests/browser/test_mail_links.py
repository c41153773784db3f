"""A link from a mail in Chromium, on a phone and signed out; and a notice put off in the inbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from klik.domain.status import Status
from klik.installation import Installation
from klik.models import MunicipalTask, Notice, Person
from klik.services.notices import actions, scanning
from klik.services.notices.mails import Sender
from tests.browser.conftest import PHONE
from tests.browser.test_accessibility import RULES
from tests.conftest import make_settings

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
WHO = "plusbruger@svendborg.example"


def _faultless(page: Page) -> None:
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def _reminder(folder: Path) -> tuple[str, int]:
    """The path of the link that a reminder's mail would carry, and its task."""
    house = Installation(make_settings(folder))
    with house.writing(datetime.now(UTC)) as work:
        scanning.scan_deadlines(work)
        row = work.session.execute(
            select(Notice, MunicipalTask)
            .join(MunicipalTask, MunicipalTask.id == Notice.municipal_task_id)
            .join(Person, Person.id == Notice.person_id)
            .where(
                Person.email == WHO,
                Notice.occasion.startswith("core."),
                MunicipalTask.status == Status.NOT_STARTED.value,
            )
        ).first()
        assert row, "the demo has no reminder of a task that nobody has begun"
        notice, task = row
        sender = Sender("klik@klik.example", "", house.settings.secret_key)
        links = dict(actions.links(work, sender, notice, task))
        found = links["Sæt i gang"], task.id
    house.close()
    return found


def test_set_in_progress_from_a_mail_and_put_a_notice_off(
    visit: Callable[..., Page], demo_folder: Path, demo_site: str
) -> None:
    assert demo_site
    link, task = _reminder(demo_folder)
    reader = visit(None, width=PHONE, javascript=False)
    reader.goto(link)
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
    first.get_by_role("button", name="I morgen").click()
    expect(person.get_by_text("Varslet kommer frem igen")).to_be_visible()
    assert int(person.locator(".klik-bell-count").inner_text().split()[0]) == count - 1
    expect(person.get_by_role("heading", name="Udsat til senere")).to_be_visible()
