"""A KSD leader on Monday morning in Chromium: the front page, the board, a report read in, and a task of a row."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
REPORT = (
    "Opgavetype;Antal uløste opgaver;Blokerende\n"
    "Økonomisk mellemværende;4;Ja\nGrænseværdi overskredet;2;Nej\nManglende kontrol;7;Ja\n"
)


@pytest.mark.parametrize(("javascript", "town"), [(True, "herning"), (False, "aarhus")])
def test_monday_morning(visit: Callable[..., Page], javascript: bool, town: str) -> None:
    page = visit(f"programleder@{town}.example", javascript=javascript)
    panel = page.locator("section", has=page.get_by_role("heading", name="KSD før udbetalingskørslen"))
    expect(panel).to_contain_text(re.compile(r"opgaver blokerer for udbetaling – .+ til mandag eftermiddag"))
    panel.get_by_role("link", name="Se blokeringstavlen").click()
    expect(page.locator("h1")).to_have_text("Blokeringstavle")
    expect(page.get_by_role("heading", name="Uge for uge")).to_be_visible()
    page.get_by_role("link", name="Indlæs rapport R23").click()
    file = {"name": "R23.csv", "mimeType": "text/csv", "buffer": REPORT.encode()}
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Prøv filen").click()
    expect(page.get_by_text("intet er ændret")).to_be_visible()
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Indlæs filen").click()
    expect(page.get_by_text("Filen er indlæst")).to_be_visible()
    page.get_by_role("link", name="Tilbage til systemet").click()
    page.get_by_role("link", name="Blokeringstavle", exact=True).click()
    expect(page.get_by_role("heading", name="Blokerer for udbetaling: 4")).to_be_visible()
    page.get_by_role("link", name="Opret lokal opgave om Økonomisk mellemværende").click()
    expect(page.get_by_label("Titel")).to_have_value("Løs opgaverne “Økonomisk mellemværende” i KSD")
    page.get_by_role("button", name="Opret opgaven").click()
    expect(page.get_by_text("Den lokale opgave er oprettet.")).to_be_visible()
    expect(page.get_by_role("region", name="Opgaven", exact=True)).to_contain_text("viser 4 uløste opgaver")
