"""A kept page is the page that would be drawn now, and nobody else's."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask, g
from sqlalchemy import event, text

from klik.domain.rights import Level
from klik.domain.status import Status
from klik.installation import Installation
from klik.web import kept
from tests import make
from tests.client import Browser

LIST = "/opgaver?fuldfoerte=nej"
CHANGE = """
import sys
from sqlalchemy import create_engine, text
with create_engine(sys.argv[1]).begin() as connection:
    connection.execute(text(sys.argv[2]))
"""


@pytest.fixture(autouse=True)
def _the_day_is_fixed() -> Iterator[time_machine.Coordinates]:
    with time_machine.travel(make.NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def filled(house: Installation) -> Installation:
    """Køge and Herning have two tasks each, one of them the municipality's own."""
    with house.writing(make.NOW) as work:
        for place, name in ((make.KOEGE, "Køges"), (make.HERNING, "Hernings")):
            make.municipal_task(work.session, title=f"{name} fælles", municipality=place)
            make.municipal_task(work.session, title=f"{name} egen", municipality=place, local=True)
    return house


@pytest.fixture
def visitor(filled: Installation, browser: Callable[..., Browser]) -> Callable[..., Browser]:
    """Call it for a signed-in browser of a new person."""

    def visit(name: str = "Mette Holm", **facts: object) -> Browser:
        with filled.writing(make.NOW) as work:
            email = make.person(work.session, name, **facts).email  # type: ignore[arg-type]
        return browser().sign_in(email)

    return visit


def statements(mette: Browser, path: str = LIST) -> int:
    """How many statements a look takes, without the transaction's frame."""
    seen: list[str] = []
    engine = mette.app.extensions["klik"].database.engine

    def note(*facts: object) -> None:
        seen.append(str(facts[2]))

    event.listen(engine, "before_cursor_execute", note)
    try:
        mette.get(path)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sum(not each.startswith(("BEGIN", "ROLLBACK", "COMMIT")) for each in seen)


def titles(mette: Browser, path: str = LIST) -> set[str]:
    return {link.get_text(strip=True) for link in mette.get(path).select(".klik-task-table tbody th a")}


def test_the_list_is_drawn_once_and_then_takes_one_statement(visitor: Callable[..., Browser]) -> None:
    mette = visitor()
    cold = statements(mette)
    assert 1 < cold <= 15
    assert statements(mette) == 1
    assert statements(mette, "/opgaver?fase=forberedelse") > 1


def test_a_change_by_another_process_is_seen_at_once(
    filled: Installation, visitor: Callable[..., Browser]
) -> None:
    mette = visitor()
    assert titles(mette) == titles(mette) == {"Køges fælles", "Køges egen"}
    for change, seen in (
        (
            "update municipal_tasks set title = 'Rettet' where title = 'Køges egen'",
            {"Køges fælles", "Rettet"},
        ),
        (
            f"update municipal_tasks set status = '{Status.COMPLETED.value}' where title = 'Rettet'",
            {"Køges fælles"},
        ),
    ):
        url = filled.database.url.render_as_string(hide_password=False)
        subprocess.run([sys.executable, "-c", CHANGE, url, change], check=True)
        assert titles(mette) == seen
        assert statements(mette) == 1


def test_a_colleagues_new_name_is_seen_at_once(filled: Installation, visitor: Callable[..., Browser]) -> None:
    with filled.writing(make.NOW) as work:
        lars = make.person(work.session, "Lars Lund")
        make.municipal_task(work.session, title="Larses", responsible=lars)
    mette = visitor()
    assert "Lars Lund" in mette.get(LIST).text
    with filled.writing(make.NOW) as work:
        work.session.execute(text("update people set name = 'Lars Ny' where id = :id"), {"id": lars.id})
    page = mette.get(LIST).text
    assert "Lars Ny" in page and "Lars Lund" not in page


def test_ones_own_change_is_seen_in_the_very_next_answer(
    filled: Installation, visitor: Callable[..., Browser]
) -> None:
    mette = visitor(level=Level.ADMINISTRATOR)
    mette.get(LIST)
    page = mette.get("/opgaver/ny")
    mette.submit(page, "/opgaver/ny", title="Helt ny")
    assert "Helt ny" in titles(mette)


def test_nobody_gets_anothers_page(visitor: Callable[..., Browser]) -> None:
    readers = [
        (visitor("Mette Holm"), {"Køges fælles", "Køges egen"}),
        (visitor("Lars Lund"), {"Køges fælles", "Køges egen"}),
        (visitor("Ole Fri", municipality=make.HERNING), {"Hernings fælles", "Hernings egen"}),
        (visitor("Ida Kom", level=Level.KOMBIT_EDITOR), {"Køges fælles", "Hernings fælles"}),
        (visitor("Sø Lev", level=Level.SUPPLIER, systems=("ky",)), set()),
    ]
    for _again in range(2):
        for browser, seen in readers:
            assert titles(browser) == seen
            name = browser.get(LIST).select_one(".klik-user-text strong")
            assert name is not None
            assert [name.text for _one in range(2)] == [name.text] * 2
    names = {browser.get(LIST).select_one(".klik-user-text strong").text for browser, _seen in readers}  # type: ignore[union-attr]
    assert len(names) == len(readers)


def test_other_rights_are_another_page(filled: Installation, visitor: Callable[..., Browser]) -> None:
    mette = visitor(level=Level.ADMINISTRATOR)
    assert mette.get(LIST).select_one('a[href="/opgaver/ny"]') is not None
    with filled.writing(make.NOW) as work:
        work.session.execute(text("update memberships set level = :level"), {"level": Level.READER.value})
    assert mette.get(LIST).select_one('a[href="/opgaver/ny"]') is None


def test_a_kept_page_has_its_own_reference_and_forms_that_work(visitor: Callable[..., Browser]) -> None:
    mette = visitor()
    references = {mette.get(LIST).select_one(".klik-footer-reference .klik-code").text for _each in range(3)}  # type: ignore[union-attr]
    assert len(references) == 3
    page = mette.get(LIST)
    assert statements(mette) == 1
    mette.submit(page, "/log-ud")
    assert mette.get(LIST).select_one("form[action='/log-ind']") is not None


def test_what_is_said_once_is_said_once(visitor: Callable[..., Browser]) -> None:
    mette = visitor()
    mette.get(LIST)
    mette.post("/filtre", {"navn": "Mit", "filter": "fase=forberedelse"}, follow=False, expect=303)
    said = [bool(mette.get(LIST).select(".alert-success, .klik-flash")) for _each in range(3)]
    assert said[1:] == [False, False]


def test_tomorrow_another_page_is_drawn(
    visitor: Callable[..., Browser], _the_day_is_fixed: time_machine.Coordinates
) -> None:
    mette = visitor()
    _the_day_is_fixed.move_to(make.NOW.replace(hour=22, minute=50))
    mette = visitor("Nat Ugle")
    today = mette.get(LIST).select_one(".klik-cell-deadline").get_text(" ", strip=True)  # type: ignore[union-attr]
    _the_day_is_fixed.move_to(make.NOW.replace(hour=23, minute=10) + timedelta(0))
    tomorrow = mette.get(LIST).select_one(".klik-cell-deadline").get_text(" ", strip=True)  # type: ignore[union-attr]
    assert today != tomorrow


def test_a_list_as_of_a_past_day_is_kept_too_and_is_another_page(
    filled: Installation, visitor: Callable[..., Browser]
) -> None:
    mette = visitor()
    with filled.writing(make.NOW) as work:
        work.session.execute(
            text("update municipal_tasks set created_at = :then, changed_at = :then"), {"then": "2026-10-01"}
        )
        work.session.execute(
            text(
                "update municipal_tasks set status = 'fuldfoert', changed_at = '2026-11-20' where title = 'Køges egen'"
            )
        )
    past = "/opgaver?vis_som=2026-11-01"
    for _again in range(2):
        assert titles(mette) == {"Køges fælles"}
        assert titles(mette, past) == {"Køges fælles", "Køges egen"}


@pytest.fixture
def asked(house: Installation, browser: Callable[..., Browser]) -> Flask:
    """The application, to draw in."""
    return browser().app


def test_the_key_of_a_form_is_new_each_time(asked: Flask) -> None:
    form = b'<input type="hidden" name="idempotency_key" value="%s">'
    old = b"01234567-89ab-cdef-0123-456789abcdef"
    with asked.test_request_context("/"):
        g.request_id = "0123456789ab"
        worn = kept._worn(form % old + b" 0123456789ab " + form % old)
        assert worn is not None and old not in worn
        first, second = kept._fresh(worn), kept._fresh(worn)
    keys = [set(re.findall(rb'value="([0-9a-f-]{36})"', page)) for page in (first, second)]
    assert [len(each) for each in keys] == [1, 1]
    assert keys[0] != keys[1]
    assert first.count(b"0123456789ab ") == 1


def test_a_form_whose_key_cannot_be_renewed_is_not_kept(asked: Flask) -> None:
    with asked.test_request_context("/"):
        g.request_id = "0123456789ab"
        assert kept._worn(b"<input value='01234567' name='idempotency_key'>") is None
