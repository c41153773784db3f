"""A link may bring words to the forms of new tasks; they are shown, never obeyed."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from klik.domain.rights import Level
from klik.installation import Installation
from tests import make
from tests.client import Browser

WORDS = {
    "titel": "Løs opgaverne “Økonomisk mellemværende”",
    "beskrivelse": "Der ligger 12.\n\n- Begynd med de ældste",
    "system": "ksd",
    "fase": "ibrugtagning",
    "tema": "organisering-og-arbejdsgange",
    "deadline": "2026-11-23",
    "tjekliste": "Find dem\n\nLøs dem",
}


def signed_in(house: Installation, browser: Callable[..., Browser], level: Level) -> Browser:
    with house.writing(make.NOW) as work:
        make.project(work.session)
        make.project(work.session, "ksd", system_code="ksd")
        email = make.person(work.session, level=level).email
    return browser().sign_in(email)


def test_a_local_task_begins_with_the_links_words(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    page = signed_in(house, browser, Level.PLUS_USER)
    form = page.get(f"/opgaver/ny?{urlencode(WORDS)}")
    assert form.select_one("#title")["value"] == WORDS["titel"]
    assert form.select_one("#local_text").get_text().strip() == WORDS["beskrivelse"]
    assert form.select_one("#deadline")["value"] == "23-11-2026"
    chosen = {each.parent["name"]: each["value"] for each in form.select("option[selected]")}
    assert chosen["phase"] == WORDS["fase"] and chosen["theme"] == WORDS["tema"]
    assert form.select_one("#project_id option[selected]").get_text() == "KSD"
    made = page.submit(form, "/opgaver/ny")
    assert [each.get_text().strip() for each in made.select(".task-line-text")] == ["Find dem", "Løs dem"]
    assert "23. november 2026" in made.get_text(" ")


def test_a_klik_opgave_begins_with_the_links_words(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    page = signed_in(house, browser, Level.KOMBIT_EDITOR)
    form = page.get(f"/udgivelser/ny?{urlencode(WORDS)}")
    assert form.select_one("#title")["value"] == WORDS["titel"]
    assert form.select_one("#description").get_text().strip() == WORDS["beskrivelse"]
    assert form.select_one("#deadline_rule option[selected]")["value"] == "core.date"
    assert form.select_one("#deadline_parameter")["value"] == "23-11-2026"
    assert form.select_one("#phase option[selected]")["value"] == WORDS["fase"]
    # Without a project to go to, the page asks for one first.
    assert "Vælg det projekt" in page.get("/udgivelser/ny?system=ukendt&titel=x").get_text(" ")


@pytest.mark.parametrize(
    "odd",
    [
        {"fase": "findes-ikke", "tema": "heller-ikke", "deadline": "i overmorgen", "system": "sapa"},
        {"titel": "<script>alert(1)</script>\x00\u202e", "beskrivelse": "x" * 50_000},
        {"titel": "Ring til 150785-1234"},
        {"deadline": "9999999999999999999999", "fase": "\x00", "tjekliste": "\n\n"},
    ],
)
def test_odd_words_are_shown_or_left_out_and_never_break(
    house: Installation, browser: Callable[..., Browser], odd: dict[str, str]
) -> None:
    local = signed_in(house, browser, Level.PLUS_USER)
    form = local.get(f"/opgaver/ny?{urlencode(odd)}")
    assert not form.select("#deadline[value='i overmorgen']")
    # An address with a CPR number loses its words before any page sees them.
    assert "150785" not in str(form)
    signed_in(house, browser, Level.KOMBIT_EDITOR).get(f"/udgivelser/ny?projekt=ksd&{urlencode(odd)}")


def test_a_line_that_is_too_long_or_one_too_many_is_named_and_nothing_is_made(
    house: Installation, browser: Callable[..., Browser]
) -> None:
    page = signed_in(house, browser, Level.PLUS_USER)
    for lines, words in (("kort\n" + "x" * 301, "Tjekliste, linje 2"), ("y\n" * 101, "højst være 100")):
        form = page.get(f"/opgaver/ny?{urlencode({'titel': 'Prøve', 'tjekliste': lines})}")
        again = page.submit(form, "/opgaver/ny", expect=422)
        assert words in again.get_text(" ")
        assert again.select_one("#checklist").get_text().strip() == lines.strip()
    assert "Prøve" not in page.get("/opgaver").get_text(" ")
