"""The list a person came from: it stands in the address of the task's page, so that the way goes on from there."""

from __future__ import annotations

from flask import request

from klik.services import filtering
from klik.services.criteria import Criteria, QueryTooLongError
from klik.services.work import Work


def criteria(work: Work) -> Criteria | None:
    """What the list asked for, or None without a list."""
    query = request.query_string.decode("utf-8", "replace")
    try:
        return filtering.read(work.registry, query) if query else None
    except QueryTooLongError:
        return None


def way(work: Work) -> str:
    """The list's filter as the end of an address, or nothing."""
    found = criteria(work)
    return f"?{found.link_query()}" if found else ""
