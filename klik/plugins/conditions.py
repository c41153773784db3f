"""Which conditions of a plug-in's filter klik puts into its own statements: none that could reach other rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, select
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import ColumnClause, TextClause
from sqlalchemy.sql.operators import custom_op
from sqlalchemy.sql.selectable import AliasedReturnsRows, TableClause, TextualSelect, Values


def is_harmless(condition: Any, plugin: str, tasks: Table, fields: Collection[Any]) -> bool:
    """Whether a condition is about the row at hand: klik's columns of it, ``fields`` and the plug-in's own tables.

    ``tasks`` is the table of the row, ``fields`` the subqueries on extra fields that klik handed out. Literal SQL and
    operators of one's own could end the condition and begin another; a subquery on klik's tables would see what the
    reader may not; a second table beside the first would multiply the rows.
    """
    if not isinstance(condition, ColumnElement):
        return False
    handed = {id(field) for field in fields}
    if not all(_is_allowed(element, f"{plugin}_", tasks) for element in _parts(condition, handed)):
        return False
    return set(select(tasks.c.id).where(condition).get_final_froms()) == {tasks}


def _parts(element: Any, handed: Collection[int]) -> list[Any]:
    """The element and everything in it, but for the inside of what klik handed out."""
    if id(element) in handed:
        return []
    inside = [part for child in element.get_children() for part in _parts(child, handed)]
    return [element, *inside]


def _is_allowed(element: Any, prefix: str, tasks: Table) -> bool:
    operators = (getattr(element, name, None) for name in ("operator", "modifier", "negate"))
    if any(isinstance(each, custom_op) for each in operators):
        return False
    if isinstance(element, TextClause | TextualSelect | Values):
        return False
    if isinstance(element, ColumnClause):
        return not element.is_literal and element.table is not None
    if isinstance(element, TableClause):
        return element is tasks or element.name.startswith(prefix)
    if isinstance(element, AliasedReturnsRows):
        beneath = [each for each in visitors.iterate(element) if isinstance(each, TableClause)]
        return bool(beneath) and all(each.name.startswith(prefix) for each in beneath)
    # A subquery is about the row at hand; one that says it is not would look through everybody's.
    return not isinstance(element, Select) or bool(element._auto_correlate or tasks in element._correlate)
