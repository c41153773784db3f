"""Every package of pages, in the order of the menu."""

from __future__ import annotations

from flask import Blueprint

from klik.web.accounts.views import blueprint as accounts
from klik.web.front.views import blueprint as front
from klik.web.operations.views import blueprint as operations
from klik.web.pages.views import blueprint as pages
from klik.web.systems.views import blueprint as systems


def all_blueprints() -> tuple[Blueprint, ...]:
    """The blueprints of the core."""
    return (
        front,
        accounts,
        operations,
        pages,
        systems,
    )
