"""The list in Chromium: own columns, three keys, groups, and the way to a task and back to its row."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]
HIDDEN = """() => [...document.querySelectorAll('tr[id^=opgave-] th a')].filter((link) => {
  link.focus();
  const box = link.getBoundingClientRect();
  const above = document.elementFromPoint(box.left + 2, box.top + box.height / 2);
  return !(above === link || link.contains(above) || (above && above.contains(link)));
}).map((link) => link.textContent)"""


@pytest.mark.parametrize("javascript", [True, False])
def test_own_columns_three_keys_and_groups(visit: Callable[..., Page], javascript: bool) -> None:
    page = visit(f"programleder@{'aarhus' if javascript else 'herning'}.example", javascript=javascript)
    page.goto("/opgaver?fuldfoerte=ja")
    page.get_by_role("link", name="Kolonner", exact=True).click()
    page.get_by_label("Prioritet", exact=True).check()
    page.get_by_label("Plads for Prioritet").fill("1")
    page.get_by_label("Udfører", exact=True).uncheck()
    page.get_by_label("Opgaver pr. side").select_option("200")
    page.get_by_role("button", name="Gem", exact=True).click()
    heads = page.locator(".klik-task-table thead th:not(.klik-tick-cell)")
    expect(heads.nth(2)).to_contain_text("Prioritet")
    expect(page.locator(".klik-task-table thead")).not_to_contain_text("Udfører")
    page.goto("/opgaver?fuldfoerte=ja")
    expect(heads.nth(2)).to_contain_text("Prioritet")  # remembered
    # Three keys and groups through the form, then each group's totals against its rows.
    page.locator("summary", has_text="Sortér og gruppér").click()
    page.get_by_label("Sortér efter", exact=True).select_option("status")
    page.get_by_label("derefter efter").select_option("-deadline")
    page.get_by_label("og til sidst efter").select_option("titel")
    page.get_by_label("Gruppér efter").select_option("fase")
    page.get_by_role("button", name="Vis", exact=True).click()
    assert "sorter=status&sorter=-deadline&sorter=titel&grupper=fase" in page.url
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Status")
    expect(heads.nth(1)).to_contain_text("nummer 2 i sorteringen, faldende")
    groups = page.locator("tbody.klik-group")
    assert groups.count() > 1
    for group in groups.all():
        said = group.locator(".klik-group-totals span").first.inner_text()
        assert int(said.split()[0]) == group.locator("tr[id^=opgave-]").count()
        red = group.locator(".klik-group-red")
        assert (int(red.inner_text().strip("· ").split()[0]) if red.count() else 0) == group.locator(
            "tr .klik-chip--roed"
        ).count()
    # A click on the foremost key turns it round and keeps the rest.
    page.locator("th[aria-sort] a").click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Status")
    expect(heads.nth(1)).to_contain_text("nummer 2 i sorteringen, faldende")
    if javascript:
        assert page.evaluate(HIDDEN) == []  # nothing that is stuck covers what has the focus
        fold = groups.first.get_by_role("button")
        fold.click()
        expect(fold).to_have_attribute("aria-expanded", "false")
        expect(groups.first.locator("tr[id^=opgave-]").first).to_be_hidden()
    # To a task, on to the next, and back to its row in the same list.
    groups.nth(1).locator("tr[id^=opgave-] th a").first.click()
    page.get_by_role("link", name="Næste i listen").click()
    wanted = page.url.split("?")[0].rpartition("/")[2]
    page.get_by_role("link", name="Tilbage til opgaverne").click()
    row = page.locator(f"#opgave-{wanted}")
    expect(row).to_be_in_viewport()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Status")
    assert page.url.endswith(f"#opgave-{wanted}") and page.locator("tbody.klik-group").count() > 1
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    # Back to what is usual, for whoever looks next.
    page.get_by_role("link", name="Kolonner", exact=True).click()
    expect(page.get_by_role("button", name="Nulstil")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.get_by_role("button", name="Nulstil").click()
    expect(page.locator(".klik-task-table thead")).to_contain_text("Udfører")
