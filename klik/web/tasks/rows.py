"""The list's columns and rows as its templates take them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from flask import render_template
from markupsafe import Markup

from klik.domain.calendar import DENMARK, long_date, relative
from klik.domain.status import Status
from klik.services import access
from klik.services import columns as list_columns
from klik.services.criteria import SORTS, Criteria
from klik.services.filters import PRIORITIES, YES_NO
from klik.services.listing import TaskRow
from klik.services.work import Work
from klik.web.tasks.panel import list_address


def columns(work: Work, criteria: Criteria, shown: Sequence[str]) -> list[dict[str, Any]]:
    """The heads of the shown columns, each sorting by itself; the one sorted by turns its order round."""
    labels = _labels(work, shown)
    heads = []
    for word in shown:
        current = criteria.sort == word
        turned = current and not criteria.descending
        heads.append(
            {
                "key": word,
                "label": labels[word],
                "sort_href": list_address(criteria.sorted_by(word, turned)) if word in SORTS else None,
                "sorted": ("descending" if criteria.descending else "ascending") if current else None,
            }
        )
    return heads


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row in words. ``people`` holds name and vacant role of responsible and executor by their column.

    ``number``, ``project`` and ``theme`` are empty where a column of their own holds them; ``texts`` are the
    other shown columns by their word.
    """

    id: int
    href: str
    number: str
    title: str
    local: bool
    withdrawn: bool
    no_longer_fits: bool
    project: str
    deadline_iso: str
    deadline_text: str
    deadline_relative: str
    colour: str | None
    explanation: str
    status: str
    people: Mapping[str, tuple[str | None, str | None]]
    phase: str
    theme: str
    texts: Mapping[str, str]


def drawing(
    work: Work,
    criteria: Criteria,
    shown: Sequence[str],
    found: Sequence[TaskRow],
    fields: Mapping[int, Mapping[str, str]] = MappingProxyType({}),
    *,
    no_longer_fits: bool = False,
) -> dict[str, Any]:
    """What tasks/rows.html draws from; each address carries the filter, so that a task knows its neighbours.

    ``shown`` are the words of the columns, ``fields`` the plug-ins' values by task.
    """
    query = criteria.link_query()
    with_people = access.sees_people(work)
    labels = _labels(work, shown)
    own = [word for word in shown if word in _TEXTS]
    extra = [word for word in shown if "." in word]
    nothing: Mapping[str, str] = {}
    rows = []
    for row in found:
        texts = {word: _TEXTS[word](work, row) for word in own}
        for word in extra:
            texts[word] = fields.get(row.id, nothing).get(word, "")
        rows.append(_row(work, row, query, shown, texts, with_people, no_longer_fits))
    return {
        "rows": rows,
        "cells": [(word, labels[word]) for word in shown if word != list_columns.TASK],
        "statuses": list(Status),
    }


def row_html(work: Work, criteria: Criteria, row: TaskRow, *, no_longer_fits: bool = False) -> Markup:
    """One row of the list alone, ``<tr id="opgave-N">``, in the columns of the actor; for an answer that swaps it.

    ``criteria`` are those of the list it stands in; ``row`` comes from ``listing.row``.
    """
    shown = list_columns.usual(work)
    fields = list_columns.extra_values(work, shown, [row.id])
    context = drawing(work, criteria, shown, [row], fields, no_longer_fits=no_longer_fits)
    return Markup(render_template("tasks/rows.html", **context).strip())


def _row(
    work: Work,
    row: TaskRow,
    query: str,
    shown: Sequence[str],
    texts: Mapping[str, str],
    with_people: bool,
    no_longer_fits: bool,
) -> ShownRow:
    content = work.registry.content
    day = row.deadline
    return ShownRow(
        id=row.id,
        href=f"/opgaver/{row.id}?{query}",
        number="" if "nummer" in shown else row.number or "",
        title=row.title,
        local=row.local,
        withdrawn=row.withdrawn,
        no_longer_fits=no_longer_fits,
        project="" if "projekt" in shown else row.project,
        deadline_iso=day.isoformat() if day else "",
        deadline_text=long_date(day) if day else "",
        deadline_relative=relative(day, work.today) if day and row.colour else "",
        colour=row.colour.value if row.colour else None,
        explanation=row.explanation,
        status=row.status.value,
        people=_people(work, row) if with_people else {},
        phase=content.phase(row.phase).name,
        theme="" if "tema" in shown else content.theme(row.theme).name,
        texts=texts,
    )


_TEXTS: Mapping[str, Callable[[Work, TaskRow], str]] = {
    "nummer": lambda _work, row: row.number or "",
    "projekt": lambda _work, row: row.project,
    "system": lambda _work, row: row.system or "",
    "kommune": lambda _work, row: row.municipality,
    "fase": lambda work, row: work.registry.content.phase(row.phase).name,
    "tema": lambda work, row: work.registry.content.theme(row.theme).name,
    "prioritet": lambda _work, row: PRIORITIES.get(row.priority, row.priority),
    "startdato": lambda _work, row: long_date(row.start) if row.start else "",
    "slutdato": lambda _work, row: long_date(row.completed_on) if row.completed_on else "",
    "infrastruktur": lambda _work, row: YES_NO["ja" if row.infrastructure else "nej"],
    "aendret": lambda _work, row: long_date(row.changed_at.astimezone(DENMARK).date()),
}


def _labels(work: Work, shown: Sequence[str]) -> Mapping[str, str]:
    """The phase's column holds the theme too, where the theme has none of its own."""
    labels = dict(list_columns.offered(work))
    if "tema" not in shown:
        labels["fase"] = "Fase og tema"
    return labels


def _people(work: Work, row: TaskRow) -> Mapping[str, tuple[str | None, str | None]]:
    return {
        "ansvarlig": _person(work, row.responsible, row.responsible_role, row.responsible_vacant),
        "udfoerer": _person(work, row.executor, row.executor_role, row.executor_vacant),
    }


def _person(work: Work, name: str | None, slug: str | None, vacant: bool) -> tuple[str | None, str | None]:
    """A name, or the role that is held; or nobody and the role that is vacant."""
    if name or slug is None:
        return name, None
    role = work.registry.content.role(slug).name
    return (None, role) if vacant else (f"{role} (rolle)", None)
