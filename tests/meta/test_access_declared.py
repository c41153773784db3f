"""klik does not start with an endpoint that says nothing of who may use it, in the core or in a plug-in."""

from __future__ import annotations

import re

import pytest
from flask import Blueprint

from klik.app import AccessMissingError, create_app
from klik.domain.rights import Right
from klik.settings import Settings
from klik.web.base import access, undeclared


def planted(*, declared: bool) -> Blueprint:
    """A page that does, or does not, say who may see it."""
    blueprint = Blueprint("planted", __name__)

    def show(*_work: object) -> str:
        return "x"

    blueprint.add_url_rule("/plantet", "show", access(Right.SIGNED_IN)(show) if declared else show)
    return blueprint


def test_every_endpoint_declares_access(sqlite_settings: Settings) -> None:
    app = create_app(sqlite_settings)
    try:
        assert len(list(app.url_map.iter_rules())) > 50
        assert undeclared(app) == []
        values = {getattr(view, "klik_access", None) for view in app.view_functions.values()}
        assert values <= {"open", *(right.value for right in Right)} and len(values) > 8
    finally:
        app.extensions["klik"].close()


def test_an_endpoint_without_access_stops_the_start(sqlite_settings: Settings) -> None:
    with pytest.raises(AccessMissingError, match=r"planted\.show \(/plantet\): sæt @access\(Right"):
        create_app(sqlite_settings, pages=[planted(declared=False)])
    create_app(sqlite_settings, pages=[planted(declared=True)]).extensions["klik"].close()


def test_every_id_in_an_address_is_typed(sqlite_settings: Settings) -> None:
    app = create_app(sqlite_settings)
    try:
        assert untyped([str(rule) for rule in app.url_map.iter_rules()]) == []
        assert untyped(["/x/<thing_id>", "/x/<int:thing_id>", "/x/<id:thing_id>", "/x/<slug>"]) == [
            "/x/<thing_id>",
            "/x/<int:thing_id>",
        ]
    finally:
        app.extensions["klik"].close()


def untyped(addresses: list[str]) -> list[str]:
    """Addresses whose id is not ``<id:…>``, so that any text or number would reach the view."""
    return [each for each in addresses if re.search(r"<(?!id:)[^<>]*_id>", each)]
