"""The list's columns and rows as the table macro takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from klik.domain.calendar import long_date, relative
from klik.services import access
from klik.services.criteria import Criteria
from klik.services.listing import TaskRow
from klik.services.tasks import checklist
from klik.services.work import Work
from klik.web.tasks.panel import list_address, sees_several

_COLUMNS = (
    ("task", "Opgave", "titel"),
    ("deadline", "Deadline", "deadline"),
    ("status", "Status", "status"),
    ("responsible", "Ansvarlig", "ansvarlig"),
    ("executor", "Udfører", "udfoerer"),
    ("phase", "Fase og tema", "fase"),
    ("municipality", "Kommune", "kommune"),
)


def columns(work: Work, criteria: Criteria) -> list[dict[str, Any]]:
    """The columns the actor sees, each sorting by itself; the one sorted by turns its order round."""
    left_out = set() if sees_several(work) else {"municipality"}
    if not access.sees_people(work):
        left_out |= {"responsible", "executor"}
    shown = []
    for key, label, sort in _COLUMNS:
        if key in left_out:
            continue
        current = criteria.sort == sort
        turned = current and not criteria.descending
        shown.append(
            {
                "key": key,
                "label": label,
                "sort_href": list_address(criteria.sorted_by(sort, turned)),
                "sorted": ("descending" if criteria.descending else "ascending") if current else None,
            }
        )
    return shown


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row in words. ``people`` holds label, name and vacant role of responsible and executor, or nothing.

    ``municipality`` is empty where there is only one, ``checklist`` ("3 af 7") where there is none.
    """

    id: int
    href: str
    number: str
    title: str
    local: bool
    withdrawn: bool
    project: str
    deadline_iso: str
    deadline_text: str
    deadline_relative: str
    colour: str | None
    explanation: str
    status: str
    people: tuple[tuple[str, str | None, str | None], ...]
    phase: str
    theme: str
    municipality: str
    checklist: str


def rows(work: Work, criteria: Criteria, found: tuple[TaskRow, ...]) -> list[ShownRow]:
    """The rows; each address carries the filter, so that the task's page knows its neighbours."""
    query = criteria.on_page(1).link_query()
    with_people, several = access.sees_people(work), sees_several(work)
    ticked = checklist.progress(work, [row.id for row in found])
    return [_row(work, row, query, with_people, several, ticked.get(row.id, "")) for row in found]


def _row(work: Work, row: TaskRow, query: str, with_people: bool, several: bool, ticked: str) -> ShownRow:
    content = work.registry.content
    day = row.deadline
    return ShownRow(
        id=row.id,
        href=f"/opgaver/{row.id}?{query}",
        number=row.number or "",
        title=row.title,
        local=row.local,
        withdrawn=row.withdrawn,
        project=row.project,
        deadline_iso=day.isoformat() if day else "",
        deadline_text=long_date(day) if day else "",
        deadline_relative=relative(day, work.today) if day and row.colour else "",
        colour=row.colour.value if row.colour else None,
        explanation=row.explanation,
        status=row.status.value,
        people=_people(work, row) if with_people else (),
        phase=content.phase(row.phase).name,
        theme=content.theme(row.theme).name,
        municipality=row.municipality if several else "",
        checklist=ticked,
    )


def _people(work: Work, row: TaskRow) -> tuple[tuple[str, str | None, str | None], ...]:
    return (
        ("Ansvarlig", *_person(work, row.responsible, row.responsible_role, row.responsible_vacant)),
        ("Udfører", *_person(work, row.executor, row.executor_role, row.executor_vacant)),
    )


def _person(work: Work, name: str | None, slug: str | None, vacant: bool) -> tuple[str | None, str | None]:
    """A name, or the role that is held; or nobody and the role that is vacant."""
    if name or slug is None:
        return name, None
    role = work.registry.content.role(slug).name
    return (None, role) if vacant else (f"{role} (rolle)", None)
