"""Saving a view within its click budget, and the star that is pressed where it stands, in Chromium."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
METTE = "programleder@koege.example"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_view_is_saved_with_a_star_in_three_clicks(visit: Callable[..., Page], javascript: bool) -> None:
    name = f"Gult i gang {javascript}"
    page = visit(METTE, javascript=javascript)
    page.goto(f"/opgaver?deadline=gul&status=i-gang&q={'o' if javascript else 'e'}")
    page.locator("summary", has_text="Gem filter").click()  # 1
    page.get_by_label("Navn på filteret").fill(name)
    page.get_by_label("Hold det øverst").check()  # 2
    page.get_by_label("Navn på filteret").press("Enter")  # 3
    expect(page.get_by_text(f"Filteret “{name}” er gemt.")).to_be_visible()
    star = page.get_by_role("button", name=f"Hold “{name}” øverst")
    expect(star).to_have_attribute("aria-pressed", "true")
    # One press, and one is back at the same star on the same list.
    before = page.url.partition("#")[0]
    star.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    assert page.url.partition("#")[0] == before
    assert page.evaluate("document.activeElement.id") == star.get_attribute("id")


def test_the_filter_of_somebody_who_left_is_mended_in_one_form(visit: Callable[..., Page]) -> None:
    page = visit(METTE, width=390)
    page.goto("/opgaver")
    page.locator("summary", has_text="Gemte filtre").click()
    page.get_by_role("link", name="Jens Hansens opgaver").click()
    expect(page.get_by_text("Filteret peger på Jens Hansen, som er fratrådt.")).to_be_visible()
    page.get_by_role("link", name="Ret filteret").click()
    expect(page.get_by_label("Filteret peger på Jens Hansen, som er fratrådt.")).to_have_value(
        page.locator("option", has_text="Brug Ali Ahmadi i stedet").first.get_attribute("value") or ""
    )
    page.get_by_role("button", name="Ret filteret").click()
    expect(page.get_by_text("Filteret “Jens Hansens opgaver” er rettet.")).to_be_visible()
    expect(page.get_by_text("Ansvarlig: Ali Ahmadi")).to_be_visible()
