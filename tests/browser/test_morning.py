"""A programleder's morning in Chromium: with and without JavaScript, by keyboard, on a phone, among payloads."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
METTE = "programleder@koege.example"
NARROW = 320
PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><svg/onload=alert(1)>",
    "[klik](javascript:alert(1))",
)
NARROW_PAGES = (
    *("/", "/opgaver", "/opgaver?fuldfoerte=ja", "/filtre", "/varsler", "/sletning", "/roller", "/personer"),
    *("/systemer", "/min-side", "/p/ksd/", "/p/ksd/opgavetyper", "/hjaelp", "/was", "/log-ud", "/demo/post"),
)
MORNING = {
    # Every task is changed once, so that the two do not stand in each other's way.
    True: ("Min morgen", "aarhus"),
    False: ("Min morgen uden script", "herning"),
}


def shown(page: Page) -> int:
    """How many tasks the heading above the list counts."""
    found = re.match(r"[\d.]+", page.locator(".klik-showing").inner_text().replace("Ingen", "0"))
    assert found
    return int(found[0].replace(".", ""))


def red(page: Page) -> str:
    return page.locator(".klik-pulse li").first.inner_text()


@pytest.mark.parametrize("javascript", [True, False])
def test_the_morning(visit: Callable[..., Page], javascript: bool) -> None:
    name, town = MORNING[javascript]
    page = visit(f"programleder@{town}.example", javascript=javascript)
    page.get_by_role("navigation", name="Hovedmenu").get_by_role("link", name="Opgaver", exact=True).click()
    expect(page.get_by_text("Åbnet med dit filter “Rød/gul ej påbegyndt”")).to_be_visible()
    before, reds = shown(page), red(page)
    assert before > 0
    first = page.locator("tr[id^=opgave-] th a").first
    title = first.inner_text()
    first.click()
    expect(page.locator("h1")).to_contain_text(title)
    page.get_by_label("Status", exact=True).select_option(label="I gang")
    page.locator("#ret").get_by_role("button", name="Gem").click()
    expect(page.get_by_text("Ændringen er gemt")).to_be_visible()
    expect(page.locator("#historik")).to_contain_text("Ikke påbegyndt → I gang")
    page.get_by_role("link", name="Tilbage til opgaverne").click()
    assert shown(page) == before - 1
    assert red(page) == reds  # in progress and late is red all the same
    # The same list as an address, saved under a name, opens the same tasks.
    page.goto("/opgaver?deadline=roed&deadline=gul&status=i-gang")
    page.locator("summary", has_text="Gem filter").click()
    page.get_by_label("Navn på filteret").fill(name)
    page.get_by_role("button", name="Gem", exact=True).click()
    expect(page.get_by_text(f"Filteret “{name}” er gemt.")).to_be_visible()
    page.goto("/opgaver")
    page.locator(".klik-saved-link", has_text=name).first.click()
    assert page.get_by_role("link", name=title, exact=True).count() >= 1


def test_by_keyboard_alone(visit: Callable[..., Page]) -> None:
    page = visit(METTE)
    page.goto("/opgaver")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Gå til sidens indhold"
    page.keyboard.press("Enter")
    first = page.locator("tr[id^=opgave-] th a").first
    wanted = first.get_attribute("href")
    for _ in range(120):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => { const focus = document.activeElement;
                 const seen = focus.type === "radio" ? focus.labels[0] : focus;
                 const box = seen.getBoundingClientRect();
                 return [focus.getAttribute("href"), box.width * box.height > 0]; }"""
        )
        assert at[1], f"the focus is somewhere nobody sees: {at[0]}"
        if at[0] == wanted:
            break
    else:
        pytest.fail("120 steps did not lead to the first task")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{wanted}")
    # Back to the list, with the very same filter.
    page.get_by_role("link", name="Tilbage til opgaverne").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/opgaver?*")
    assert page.locator("tr[id^=opgave-] th a").first.get_attribute("href") == wanted


@pytest.mark.parametrize("javascript", [True, False])
def test_nothing_scrolls_sideways_on_the_narrowest_phone(
    visit: Callable[..., Page], javascript: bool
) -> None:
    page = visit(METTE, width=NARROW, javascript=javascript)
    page.goto("/opgaver")
    task = urlsplit(page.locator("tr[id^=opgave-] th a").first.get_attribute("href") or "").path
    for address in (*NARROW_PAGES, task):
        page.goto(address)
        widest = page.evaluate("document.documentElement.scrollWidth")
        assert widest <= NARROW, f"{address} is {widest} wide"


def test_payloads_are_shown_and_do_nothing(visit: Callable[..., Page]) -> None:
    """Dialogs and violations of the content security policy fail in the fixture."""
    page = visit("administrator@laesoe.example")
    mean = " ".join(PAYLOADS)
    page.goto("/opgaver/ny")
    page.get_by_label("Titel").fill(mean)
    page.locator("textarea").first.fill("\n\n".join(PAYLOADS))
    page.locator("select[name=project_id]").select_option(index=1)
    page.get_by_role("button", name="Opret opgaven").click()
    expect(page.locator("h1")).to_contain_text(PAYLOADS[0])
    page.locator("#kommentarer textarea").first.fill("\n\n".join(PAYLOADS))
    page.locator("#kommentarer").get_by_role("button").first.click()
    expect(page.locator("#kommentarer")).to_contain_text(PAYLOADS[0])
    assert (
        page.locator("main script, main [onerror], main [onload], main a[href^='javascript:']").count() == 0
    )
    page.goto("/min-side")
    page.locator("input[name=name]").fill(PAYLOADS[0])
    page.get_by_role("button", name="Gem").first.click()
    expect(page.locator(".klik-user")).to_contain_text(PAYLOADS[0])
    for address in ("/", "/opgaver?q=script", "/personer", f"/opgaver?q={PAYLOADS[1]}"):
        page.goto(address)
        assert page.locator("main img[onerror], main script, main svg[onload]").count() == 0
    page.goto("/opgaver?q=script")
    expect(page.locator("tbody")).to_contain_text(PAYLOADS[0])
