"""Changing tasks from the list in Chromium: the click budgets, the keys, many at once, and all of it without script."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
# Towns of their own: what is changed here stands in nobody's way.
CLICKS, KEYS, PLAIN = "odense", "vejle", "randers"


class Clicks:
    """Counts what a person presses; typing is free."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, target: Locator, **options: object) -> None:
        target.click(**options)  # type: ignore[arg-type]
        self.count += 1


def opened(visit: Callable[..., Page], town: str, **options: object) -> Page:
    page = visit(f"programleder@{town}.example", **options)
    page.goto("/opgaver?status=ikke-paabegyndt")
    return page


def row(page: Page, place: int) -> Locator:
    """The row that stands at this place now, by its id, so that it is the same one after a swap."""
    return page.locator(f"#{page.locator('tr[id^=opgave-]').nth(place).get_attribute('id')}")


def test_the_click_budgets(visit: Callable[..., Page]) -> None:
    page = opened(visit, CLICKS)
    first, total = row(page, 0), page.locator("#antal").inner_text()
    click = Clicks()
    click(first.locator("a[href*='/celle/status']"))
    click(first.get_by_role("button", name="I gang"))
    expect(first).to_contain_text("Passer ikke længere på filteret")
    assert click.count == 2
    expect(first.locator("a[href*='/celle/status']")).to_be_focused()
    expect(page.locator("#antal")).not_to_have_text(total)
    expect(page.locator("#klik-besked")).to_contain_text("Status er nu I gang.")

    second = row(page, 1)
    click = Clicks()
    click(second.locator("a[href*='/celle/ansvarlig']"))
    choices = second.locator(".klik-cell-choices button")
    expect(choices.first).to_be_focused()
    name = choices.first.inner_text().removesuffix(" ✓")
    click(choices.first)
    expect(second.locator("td[data-label=Ansvarlig]")).to_contain_text(name)
    expect(second.locator(".klik-cell-form")).to_have_count(0)
    assert click.count == 2
    expect(second.locator("a[href*='/celle/ansvarlig']")).to_be_focused()

    click = Clicks()
    ticks = page.locator("tbody .klik-tick-cell input")
    click(ticks.nth(2))
    click(ticks.nth(5), modifiers=["Shift"])
    click(page.get_by_role("button", name="Ret valgte (4)"))
    click(page.locator("label", has_text="Status").first)
    click(page.locator("label", has_text="Fuldført"))
    expect(page.locator("#virkning")).to_be_visible()
    expect(page.get_by_text("4 rettes, ingen springes over.")).to_be_visible()
    click(page.get_by_role("button", name="Gem (4)"))
    expect(page.locator("#fortryd")).to_contain_text("4 opgaver er rettet.")
    assert click.count == 6
    page.get_by_role("button", name="Fortryd").click()
    expect(page.get_by_text("4 opgaver er sat tilbage.")).to_be_visible()


def test_by_keys_alone(visit: Callable[..., Page]) -> None:
    page = opened(visit, KEYS)
    first, second = row(page, 0), row(page, 1)
    first.locator("th a").focus()
    page.keyboard.press("j")
    expect(second.locator("th a")).to_be_focused()
    page.keyboard.press("s")
    expect(second.locator("button[aria-current]")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(second.locator("td[data-label=Status]")).to_contain_text("I gang")
    expect(second.locator("a[href*='/celle/status']")).to_be_focused()
    # "Ikke relevant" asks for its reason in place; Escape leaves it, and the focus stays in the row.
    page.keyboard.press("s")
    expect(second.locator("button[aria-current]")).to_be_focused()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(second.locator("textarea")).to_be_focused()
    page.keyboard.type("Vi har ikke systemet")
    page.keyboard.press("Escape")
    expect(second.locator("a[href*='/celle/status']")).to_be_focused()
    page.keyboard.press("x")
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.get_by_role("button", name="Ret valgte (2)")).to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(first.locator("th a")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("input[name=q]")).to_be_focused()
    # Letters written into a field are letters.
    page.keyboard.type("sau?")
    expect(page.locator("input[name=q]")).to_have_value("sau?")
    expect(page.locator("dialog")).not_to_be_visible()
    first.locator("th a").focus()
    page.keyboard.press("r")
    expect(page.locator("h1")).to_have_text("Ret 2 opgaver")


def test_without_javascript(visit: Callable[..., Page]) -> None:
    page = opened(visit, PLAIN, javascript=False)
    first = row(page, 0)
    first.locator("a[href*='/celle/status']").click()
    page.get_by_role("button", name="Ikke relevant").click()
    page.get_by_label("Hvorfor er opgaven ikke relevant for jer?").fill("Vi har ikke systemet")
    page.get_by_role("button", name="Gem").click()
    expect(page.get_by_text("Status er nu Ikke relevant.")).to_be_visible()
    ticks = page.locator("tbody .klik-tick-cell input")
    ticks.nth(0).check()
    ticks.nth(1).check()
    page.get_by_role("button", name="Ret valgte").click()
    page.get_by_label("Deadline", exact=True).check()
    page.get_by_role("button", name="Fortsæt").click()
    page.get_by_label("Eller flyt med (dage)").fill("14")
    page.get_by_role("button", name="Vis, hvad der rettes").click()
    expect(page.get_by_text("2 rettes, ingen springes over.")).to_be_visible()
    page.get_by_role("button", name="Gem (2)").click()
    expect(page.locator("#fortryd")).to_contain_text("2 opgaver er rettet.")
    page.get_by_role("link", name="Mine rettelser").click()
    page.get_by_role("button", name="Fortryd").first.click()
    expect(page.get_by_text("2 opgaver er sat tilbage.")).to_be_visible()
    page.goto("/hjaelp#taster")
    expect(page.locator("#taster")).to_be_visible()


def test_the_open_cell_on_a_phone(visit: Callable[..., Page]) -> None:
    page = opened(visit, CLICKS, width=320)
    cell = row(page, 0).locator("a[href*='/celle/udfoerer']")
    cell.click()
    expect(row(page, 0).locator(".klik-cell-choices button").first).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
