"""The list in an address: what it asks for, and on the task's page the list somebody came from and goes back to."""

from __future__ import annotations

from flask import abort, request

from klik.services import filtering
from klik.services.criteria import Criteria, QueryTooLongError
from klik.services.work import Work


def asked(work: Work, query: str | None = None) -> Criteria:
    """What a query asks of the list, without one the address's own; too long a query is answered with 414."""
    try:
        return filtering.read(work.registry, address_query() if query is None else query)
    except QueryTooLongError:
        abort(414)


def address_query() -> str:
    """The query of the address as text, whatever bytes it holds."""
    return request.query_string.decode("utf-8", "replace")


def criteria(work: Work) -> Criteria | None:
    """What the list asked for, or None without a list."""
    query = address_query()
    try:
        return filtering.read(work.registry, query) if query else None
    except QueryTooLongError:
        return None


def way(work: Work) -> str:
    """The list's filter as the end of an address, or nothing."""
    found = criteria(work)
    return f"?{found.link_query()}" if found else ""
