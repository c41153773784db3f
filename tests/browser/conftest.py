"""A real Chromium on the real demo: filled, served by waitress, and looked at as people would."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import waitress
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from sqlalchemy import update

from klik.app import create_app
from klik.demo import story
from klik.demo.people import PASSWORD
from klik.installation import Installation
from klik.models import Person
from klik.web.demo.views import blueprint as demo_pages
from tests import make
from tests.conftest import make_settings

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESK = 390, 1280
expect.set_options(timeout=30_000)  # the five seconds it has are too few beside other work


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """Where the demo keeps its data; filled once for each worker."""
    folder = tmp_path_factory.mktemp("demo-site")
    (folder / "klik.sqlite").write_bytes(sqlite_template.read_bytes())
    return folder


@pytest.fixture(scope="session")
def demo_site(demo_folder: Path) -> Iterator[str]:
    """The demo's address."""
    folder = demo_folder
    settings = make_settings(folder)
    house = Installation(settings)
    with house.writing(datetime.now(UTC)) as work:
        story.fill(work, house.files)
        # Everybody has the same word, and each visit signs in with it.
        work.session.execute(update(Person).values(password_hash=make.cheap_hash(PASSWORD)))
    house.close()
    app = create_app(settings, pages=[demo_pages])
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.close()
    thread.join(10)
    app.extensions["klik"].close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The Chromium that bin/test found; without one these tests fail rather than pass unseen."""
    program = os.environ.get("KLIK_TEST_CHROMIUM", "/usr/bin/chromium")
    if not program or not Path(program).exists():
        pytest.fail("Der er ingen Chromium: kør bin/test, som henter den, eller sæt KLIK_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, demo_site: str) -> Iterator[Callable[..., Page]]:
    """Call it with a mail address (or None) for a page of a fresh browser, signed in through the form.

    Anything the console complains of, any dialog and any request to another place fails the test.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(email: str | None, *, width: int = DESK, javascript: bool = True) -> Page:
        context = chromium.new_context(
            base_url=demo_site,
            viewport={"width": width, "height": 900},
            locale="da-DK",
            java_script_enabled=javascript,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: faults.append(_complaint(line)) if line.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on("request", lambda request: _stay(request.url, demo_site, faults))
        if email:
            page.goto("/log-ind")
            page.fill("input[name=email]", email)
            page.fill("input[name=password]", PASSWORD)
            page.click("main button[type=submit]")
            page.wait_for_url(f"{demo_site}/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def _complaint(line: ConsoleMessage) -> str:
    return f"{line.text} {line.location['url']}"


def _stay(url: str, site: str, faults: list[str]) -> None:
    if not url.startswith((site, "data:")):
        faults.append(f"asked {url}")
