"""Every error has a Danish page of its own with the reference number."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from klik.app import create_app
from klik.settings import Settings
from klik.web import errors
from tests.web.page import check_page

TEMPLATES = Path(errors.__file__).parent.parent / "templates" / "errors"


@pytest.fixture
def app(sqlite_settings: Settings) -> Flask:
    return create_app(sqlite_settings)


def test_every_page_there_is_is_used_and_the_reverse() -> None:
    there = {int(file.stem) for file in TEMPLATES.glob("[0-9]*.html")}
    assert len(there) > 9
    assert there == errors.PAGES


@pytest.mark.parametrize("code", sorted(errors.PAGES))
def test_a_page_is_flawless_and_names_its_reference(app: Flask, code: int) -> None:
    with app.test_request_context("/x"):
        app.preprocess_request()
        text, status = errors.page(code)[:2]
    assert status == code
    page = check_page(text.encode(), url=f"error {code}")
    assert page.select_one(".klik-reference .klik-code").text.strip()


@pytest.mark.parametrize(("code", "answered"), [(418, 400), (502, 500)])
def test_a_status_without_a_page_gets_the_nearest(app: Flask, code: int, answered: int) -> None:
    with app.test_request_context("/x"):
        app.preprocess_request()
        text, status = errors.page(code)[:2]
    assert status == code
    with app.test_request_context("/x"):
        app.preprocess_request()
        assert (
            check_page(text.encode(), url="x").h1.text
            == check_page(errors.page(answered)[0].encode(), url="y").h1.text
        )


def test_what_was_typed_is_shown_when_it_could_not_be_stored(app: Flask) -> None:
    with app.test_request_context("/x"):
        app.preprocess_request()
        text = errors.page(503, typed={"text": "en lang <b>kommentar</b>"})[0]
    page = check_page(text.encode(), url="503")
    assert "en lang <b>kommentar</b>" in page.text
    assert page.main.select("b") == []
