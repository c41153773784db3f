"""Every package of pages, in the order of the menu."""

from __future__ import annotations

from flask import Blueprint

from klik.web.accounts.views import blueprint as accounts
from klik.web.deleting.views import blueprint as deleting
from klik.web.front.views import blueprint as front
from klik.web.operations.views import blueprint as operations
from klik.web.pages.views import blueprint as pages


def all_blueprints() -> tuple[Blueprint, ...]:
    """The blueprints of the core."""
    return (
        front,
        accounts,
        deleting,
        operations,
        pages,
    )
