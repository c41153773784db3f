"""Tasks are taken home with a mouse: tick, choose, and the file comes by itself, whole by its own manifest."""

from __future__ import annotations

import hashlib
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from klik.installation import Installation
from klik.models import Deletion, DeletionItem
from klik.services import exports
from tests.conftest import make_settings

METTE = "plusbruger@koege.example"
SECONDS = 90_000.0  # of Chromium's patience, on a machine with other work


@pytest.fixture
def packer(demo_folder: Path) -> Iterator[Installation]:
    """The worker's part: what is ordered is made beside the site that is looked at."""
    house = Installation(make_settings(demo_folder))
    over = threading.Event()
    folder = exports.folder_in(demo_folder)

    def work() -> None:
        while not over.wait(0.2):
            exports.run_waiting(house, folder, lambda: datetime.now(UTC), 5, over.is_set)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield house
    over.set()
    thread.join(60)
    house.close()


def whole(path: Path) -> int:
    """Check each member against the manifest with nothing but hashlib; how many tasks."""
    with zipfile.ZipFile(path) as package:
        manifest = json.loads(package.read("manifest.json"))
        for line in manifest["files"]:
            assert hashlib.sha256(package.read(line["path"])).hexdigest() == line["sha256"]
    return len(manifest["tasks"])


def test_ticked_tasks_come_as_a_zip_in_four_clicks(
    visit: Callable[..., Page], packer: Installation, tmp_path: Path
) -> None:
    page = visit(METTE)
    page.goto("/opgaver?fuldfoerte=nej")
    page.locator("tbody .klik-tick-cell input").nth(0).check()
    page.get_by_role("button", name="Eksportér").click()
    with page.expect_download(timeout=SECONDS) as coming:
        page.get_by_role("button", name="Lav ZIP").click()
    coming.value.save_as(tmp_path / "pakke.zip")
    assert whole(tmp_path / "pakke.zip") == 1
    expect(page.locator("#udtraek")).to_contain_text("Intet mangler i pakken")
    page.reload()
    expect(page.locator(".export-fetched")).to_contain_text("af ")


def test_hent_alt_works_without_javascript_and_counts(
    visit: Callable[..., Page], packer: Installation, tmp_path: Path
) -> None:
    with packer.database.reading() as session:
        deletion = session.scalars(
            select(Deletion.id)
            .join(DeletionItem, DeletionItem.deletion_id == Deletion.id)
            .where(Deletion.state == "varslet", DeletionItem.municipality_id == 657)
        ).first()
    page = visit("plusbruger@herning.example", javascript=False)
    page.goto(f"/sletning/{deletion}")
    page.get_by_role("button", name="Hent alt").first.click()
    link = page.get_by_role("link", name="Hent Opgaver til sletning")
    again = page.get_by_role("link", name="Opdatér")
    for _ in range(90):
        link.or_(again).wait_for()  # a page that has only begun to arrive has neither
        if link.count():
            break
        page.wait_for_timeout(1000)
        again.click()
    with page.expect_download(timeout=SECONDS) as coming:
        link.click()
    coming.value.save_as(tmp_path / "alt.zip")
    tasks = whole(tmp_path / "alt.zip")
    with packer.database.reading() as session:
        states = session.scalars(
            select(DeletionItem.state).where(
                DeletionItem.deletion_id == deletion, DeletionItem.municipality_id == 657
            )
        ).all()
    assert len(states) == tasks and "varslet" not in states
