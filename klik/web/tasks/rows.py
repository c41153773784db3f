"""The list's columns and rows as its templates take them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from flask import current_app, render_template
from markupsafe import Markup, escape

from klik.domain.calendar import DENMARK, long_date, relative
from klik.models.stamps import Part
from klik.services import access, grouping, list_settings
from klik.services import columns as list_columns
from klik.services.criteria import SORTS, Criteria, Sort
from klik.services.deleting import countdown
from klik.services.filters import PRIORITIES, YES_NO
from klik.services.grouping import Group
from klik.services.listing import TaskRow
from klik.services.tasks import checklist, read_marks
from klik.services.work import Work
from klik.web.tasks.panel import list_address

# Where tasks/row.html leaves room for the list's query: a character that no text has and no database takes.
_QUERY = "\x00"
FOR_INFORMATION = "Til orientering"
_ROW = 8_000  # bytes, about: a drawn row and what its key holds


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column. ``place`` is its place among the keys sorted by, 0 for none; ``direction`` in words."""

    key: str
    label: str
    sort_href: str | None
    place: int
    descending: bool

    @property
    def direction(self) -> str:
        """The direction as aria-sort calls it."""
        return "descending" if self.descending else "ascending"


def columns(work: Work, criteria: Criteria, shown: Sequence[str]) -> list[Head]:
    """The heads of the shown columns: each sorts by itself alone, the foremost key turns round and keeps the rest."""
    labels = _labels(work, shown)
    places = {sort.word: (place, sort.descending) for place, sort in enumerate(criteria.sorts, start=1)}
    heads = []
    for word in shown:
        place, descending = places.get(word, (0, False))
        wanted = (Sort(word, not descending), *criteria.sorts[1:]) if place == 1 else (Sort(word),)
        href = list_address(criteria.sorted_by(*wanted)) if word in SORTS else None
        heads.append(Head(word, labels[word], href, place, descending))
    return heads


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """The head above the first row of a group on a page. ``href`` shows only this group; ``opens`` the table."""

    group: Group
    anchor: str
    href: str | None
    opens: bool
    continued: bool


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row in words. ``people`` holds name and vacant role of responsible and executor by their column.

    ``number`` and ``theme`` are empty where a column of their own holds them; ``texts`` are the
    other shown columns by their word. ``under`` stands below the title: the project, how far its checklist is
    ("tjekliste 3 af 7"), and when it is deleted ("slettes 15-12"). Of the tasks that the filter aendret=ja counts,
    those never seen say "ny" there, and the others are ``changed``.
    """

    id: int
    number: str
    title: str
    local: bool
    withdrawn: bool
    no_longer_fits: bool
    deadline_iso: str
    deadline_text: str
    deadline_relative: str
    no_deadline: str
    colour: str | None
    explanation: str
    status: str
    people: Mapping[str, tuple[str | None, str | None]]
    phase: str
    theme: str
    texts: Mapping[str, str]
    editable: bool
    under: tuple[str, ...]
    changed: bool


def drawing(
    work: Work,
    criteria: Criteria,
    shown: Sequence[str],
    found: Sequence[TaskRow],
    fields: Mapping[int, Mapping[str, str]] = MappingProxyType({}),
    groups: Sequence[Group] = (),
    *,
    no_longer_fits: bool = False,
) -> dict[str, Any]:
    """What tasks/rows.html draws from; each address carries the filter, so that a task knows its neighbours.

    ``shown`` are the words of the columns, ``fields`` the plug-ins' values by task, ``groups`` all of the list. A
    drawn row is kept: the key holds all that it shows, and the query of its addresses is put in afterwards.
    """
    query = criteria.link_query()
    with_people = access.sees_people(work)
    labels = _labels(work, shown)
    own = [word for word in shown if word in _TEXTS]
    extra = [word for word in shown if "." in word]
    nothing: Mapping[str, str] = {}
    # The past is looked at and not changed.
    may_change = (lambda _row: False) if criteria.as_of else access.changeable(work)
    headings = _headings(criteria, found, groups)
    shown_ids = [row.id for row in found]
    ticked = checklist.progress(work, shown_ids)
    # What was new on a day in the past is no question of today's marks.
    news = {} if criteria.as_of else read_marks.news(work, shown_ids)
    announced = {} if criteria.as_of else countdown.tasks(work)
    cells = [(word, labels[word]) for word in shown if word != list_columns.TASK]
    ticks = access.is_changer(work) and not criteria.as_of
    same = (tuple(shown), with_people, no_longer_fits, ticks, work.today)
    keys: dict[TaskRow, Hashable] = {}
    for row in found:
        values = tuple(fields.get(row.id, nothing).get(word, "") for word in extra)
        keys[row] = ("row", row, values, may_change(row), ticked.get(row.id), news.get(row.id), same)
        keys[row] = (keys[row], announced.get(row.id))

    def draw(missing: Sequence[TaskRow]) -> Mapping[TaskRow, Markup]:
        html = current_app.jinja_env.get_template("tasks/row.html").module.row  # type: ignore[attr-defined]
        drawn = {}
        for row in missing:
            texts = {word: _TEXTS[word](work, row) for word in own}
            for word in extra:
                texts[word] = fields.get(row.id, nothing).get(word, "")
            shown_row = _row(work, row, shown, texts, with_people, no_longer_fits, may_change(row))
            project = "" if "projekt" in shown else row.project
            unseen = "ny" if news.get(row.id) is False else ""
            lines = f"tjekliste {ticked[row.id]}" if row.id in ticked else ""
            last = announced.get(row.id)
            goes = f"slettes {last.day}-{last.month}" if last else ""
            under = tuple(filter(None, (project, lines, goes, unseen)))
            shown_row = replace(shown_row, under=under, changed=news.get(row.id, False))
            drawn[row] = html(shown_row, cells, ticks)
        return drawn

    written = escape(query)
    drawn = work.kept.each(keys, draw, part=Part.FRAME, size=_ROW)
    return {
        "rows": [(headings.get(row.id), drawn[row].replace(_QUERY, written)) for row in found],
        "cells": cells,
        "ticks": ticks,
        "query": query,
        "grouped": bool(groups),
    }


def row_html(work: Work, criteria: Criteria, row: TaskRow, *, no_longer_fits: bool = False) -> Markup:
    """One row of the list alone, ``<tr id="opgave-N">``, in the columns of the actor; for an answer that swaps it.

    ``criteria`` are those of the list it stands in; ``row`` comes from ``listing.row``.
    """
    shown = list_settings.read(work).columns
    fields = list_columns.extra_values(work, shown, [row.id])
    context = drawing(work, criteria, shown, [row], fields, no_longer_fits=no_longer_fits)
    return Markup(render_template("tasks/rows.html", **context).strip())


def _row(
    work: Work,
    row: TaskRow,
    shown: Sequence[str],
    texts: Mapping[str, str],
    with_people: bool,
    no_longer_fits: bool,
    editable: bool,
) -> ShownRow:
    content = work.registry.content
    day = row.deadline
    return ShownRow(
        id=row.id,
        number="" if "nummer" in shown else row.number or "",
        title=row.title,
        local=row.local,
        withdrawn=row.withdrawn,
        no_longer_fits=no_longer_fits,
        deadline_iso=day.isoformat() if day else "",
        deadline_text=long_date(day) if day else "",
        no_deadline=FOR_INFORMATION if row.for_information else "Ingen deadline",
        deadline_relative=relative(day, work.today) if day and row.colour else "",
        colour=row.colour.value if row.colour else None,
        explanation=row.explanation,
        status=row.status.value,
        people=_people(work, row) if with_people else {},
        phase=content.phase(row.phase).name,
        theme="" if "tema" in shown else content.theme(row.theme).name,
        texts=texts,
        editable=editable,
        under=(),
        changed=False,
    )


def _headings(
    criteria: Criteria, found: Sequence[TaskRow], groups: Sequence[Group]
) -> Mapping[int, ShownGroup]:
    """The heads by the row they stand above; a group that began on an earlier page is continued."""
    if not groups:
        return {}
    word = criteria.grouping
    by_key = {group.key: (place, group) for place, group in enumerate(groups, start=1)}
    at = (criteria.page - 1) * criteria.page_size + 1
    heads: dict[int, ShownGroup] = {}
    before = None
    for row in found:
        key = grouping.key_of(word, row)
        if key != before and key in by_key:
            place, group = by_key[key]
            href = list_address(criteria.with_values(word, [key])) if group.has_filter else None
            heads[row.id] = ShownGroup(group, f"gruppe-{place}", href, before is None, group.first < at)
        before = key
    return heads


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
        "ansvarlig": _person(work, row.responsible, row.responsible_role, row.responsible_holder),
        "udfoerer": _person(work, row.executor, row.executor_role, row.executor_holder),
    }


def _person(
    work: Work, name: str | None, slug: str | None, holder: str | None
) -> tuple[str | None, str | None]:
    """A name, or the role and who holds it; or nobody and the role that is vacant."""
    if name or slug is None:
        return name, None
    role = work.registry.content.role(slug).name
    return (f"{role}: {holder}", None) if holder else (None, role)
