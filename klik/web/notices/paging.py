"""Which page of notices is asked for, and which other pages there are."""

from __future__ import annotations

from flask import current_app, request

PAGE = 50


def page_asked() -> int:
    """The number in the address or the form; 1 for anything that is none."""
    given = request.values.get("side", "1")
    return max(1, int(given[:9])) if given.isascii() and given.isdigit() else 1


def address_of(path: str) -> str | None:
    """The path when klik has such a page, else None."""
    return path if current_app.url_map.bind("").test(path) else None
