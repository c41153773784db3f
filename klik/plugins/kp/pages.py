"""The support desk's blueprint, and what its pages share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect

from klik.plugins import PluginContext

blueprint = Blueprint("kp", __name__, template_folder="templates")
HOME = "/p/kp/"


def see_other(address: str) -> Any:
    """303, after something was stored."""
    return redirect(address, 303)


def not_for_suppliers(context: PluginContext) -> None:
    """Suppliers are told that there is no such page."""
    if context.municipality is None and not context.kombit:
        abort(404)


def only_municipalities(context: PluginContext) -> None:
    """Cases are a municipality's own; KOMBIT and suppliers are told that there is no such page."""
    if context.municipality is None:
        abort(404)


def by_whom(context: PluginContext, person: int | None) -> str:
    """The name of a colleague."""
    if person is None or context.klik is None:
        return "klik"
    return context.klik.names([person]).get(person, "En tidligere kollega")
