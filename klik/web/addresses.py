"""Addresses without CPR numbers: browsers remember them, and the servers on the way write them down."""

from __future__ import annotations

from urllib.parse import unquote_plus, urlencode

from flask import Flask, flash, redirect, request
from werkzeug.wrappers import Response

from klik.domain import cpr
from klik.services.errors import RefusedError

SENTENCE = (
    "Søgningen så ud til at indeholde et CPR-nummer og blev taget ud: adresser kan blive skrevet ned undervejs. "
    "Søg efter noget andet."
)


def set_up(app: Flask) -> None:
    """Before anything looks at a request: its query without what looks like a CPR number."""
    app.before_request(without_cpr_numbers)


def without_cpr_numbers() -> Response | None:
    """Send the reader to the same page without that part of the query; refuse a form that is sent with one."""
    if not request.query_string or request.endpoint == "static":
        return None
    given = list(request.args.items(multi=True))
    kept = [(name, value) for name, value in given if not (_holds(name) or _holds(value))]
    if len(kept) == len(given):
        return None
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        raise RefusedError({"q": SENTENCE})
    flash(SENTENCE, "warning")
    query = urlencode(kept)
    return redirect(f"{request.script_root}{request.path}{'?' if query else ''}{query}", 303)


def _holds(text: str) -> bool:
    """An address within an address is written in its own signs."""
    return bool(cpr.find(text) or cpr.find(unquote_plus(text)))
