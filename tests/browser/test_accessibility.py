"""axe-core on every page that can be reached from the front page, for four kinds of people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.hard, pytest.mark.xdist_group("browser")]

PEOPLE = {
    "programleder@koege.example": 14,
    "administrator@koege.example": 14,
    "redaktoer@kombit.example": 14,
    "leverandoer@netcompany.example": 8,
    None: 3,
}
WIDE = 1280
Fault = tuple[str, int, str, str]  # the page's shape, the width, the rule, the first place
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Of what passes axe then names one place instead of all, which is most of its work.
BRIEFLY = {"resultTypes": ["violations"]}
RULES = BRIEFLY | {"runOnly": [*STANDARDS, "best-practice"]}
# A mail has no landmarks: mail programs take them away.
MAIL_RULES = BRIEFLY | {"runOnly": STANDARDS}
DOWNLOAD = re.compile(r"\.(pdf|csv|xlsx|ics|zip|toml|vcf|txt)$|/filer/|/bilag/")
SIGN_IN_PAGES = ("/log-ind", "/hjaelp", "/was")


def _shape(path: str) -> str:
    """Pages that differ by an id only are one page: /opgaver/12 and /opgaver/13."""
    return re.sub(r"\d+(-[0-9a-f]+)?", "#", path)


def _links(page: Page) -> list[str]:
    hrefs = page.eval_on_selector_all("a[href^='/']", "links => links.map(link => link.getAttribute('href'))")
    return [href for href in hrefs if not DOWNLOAD.search(urlsplit(href).path)]


def _looked_at(page: Page, start: list[str]) -> tuple[dict[str, str], list[Fault]]:
    """One address for each shape of page, found by following links, and what is wrong with them; all answer 200.

    A page is opened once, wide, and made narrow afterwards. One that runs no script at all (a mail, sealed by its
    policy) is looked at as text at the end: axe would wait in it for ever.
    """
    waiting, found, sealed = list(start), {}, {}
    faults: list[Fault] = []
    while waiting:
        address = waiting.pop(0)
        shape = _shape(urlsplit(address).path)
        if shape in found or shape in sealed:
            continue
        page.set_viewport_size({"width": WIDE, "height": 900})
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, (address, answer.status)
        if "sandbox" in answer.headers.get("content-security-policy", ""):
            sealed[shape] = answer.text()
            continue
        found[shape] = address
        waiting += _links(page)
        faults += _faults(page, shape)
    page.goto("about:blank")
    for shape, text in sorted(sealed.items()):
        page.set_content(text)
        faults += _faults(page, shape, MAIL_RULES)
    return found, faults


@pytest.mark.parametrize("email", PEOPLE)
def test_no_violation_on_any_page(visit: Callable[..., Page], email: str | None) -> None:
    page = visit(email)
    pages, faults = _looked_at(page, ["/", *SIGN_IN_PAGES] if email else list(SIGN_IN_PAGES))
    assert len(pages) >= PEOPLE[email], sorted(pages)
    assert faults == []


def _faults(page: Page, shape: str, rules: Mapping[str, list[str]] = RULES) -> list[Fault]:
    faults: list[Fault] = []
    for width in (WIDE, PHONE):
        page.set_viewport_size({"width": width, "height": 900})
        results = Axe().run(page, options=dict(rules)).response
        assert results["passes"], "axe looked at nothing"
        faults += [
            (shape, width, violation["id"], violation["nodes"][0]["html"][:200])
            for violation in results["violations"]
        ]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            faults.append((shape, width, "scrolls sideways", ""))
    return faults


def test_axe_finds_a_planted_fault(visit: Callable[..., Page]) -> None:
    page = visit(None)
    page.goto("/was")
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/static/klik.svg\">')"
    )
    found = Axe().run(page, options=RULES).response["violations"]
    assert "image-alt" in {violation["id"] for violation in found}
