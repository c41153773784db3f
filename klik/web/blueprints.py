"""Every package of pages, in the order of the menu."""

from __future__ import annotations

from flask import Blueprint

from klik.web.accounts.views import blueprint as accounts


def all_blueprints() -> tuple[Blueprint, ...]:
    """The blueprints of the core."""
    return (accounts,)
