"""The list's columns and rows as the table macro takes them."""

from __future__ import annotations

from typing import Any

from klik.domain.calendar import long_date, relative
from klik.services import access
from klik.services.criteria import Criteria
from klik.services.listing import TaskRow
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


def rows(work: Work, criteria: Criteria, found: tuple[TaskRow, ...]) -> list[dict[str, Any]]:
    """The rows; each address carries the filter, so that the task's page knows its neighbours."""
    query = criteria.on_page(1).link_query()
    return [_row(work, row, query) for row in found]


def _row(work: Work, row: TaskRow, query: str) -> dict[str, Any]:
    content = work.registry.content
    return {
        "id": row.id,
        "href": f"/opgaver/{row.id}?{query}",
        "number": row.number or "",
        "title": row.title,
        "local": row.local,
        "withdrawn": row.withdrawn,
        "deadline_iso": row.deadline.isoformat() if row.deadline else "",
        "deadline_text": long_date(row.deadline) if row.deadline else "",
        "deadline_relative": relative(row.deadline, work.today) if row.deadline and row.colour else "",
        "colour": row.colour.value if row.colour else None,
        "colour_explanation": row.explanation,
        "status": row.status.value,
        "responsible": row.responsible or _held_role(work, row.responsible_role, row.responsible_vacant),
        "responsible_vacant": row.responsible_vacant,
        "responsible_role": _role_name(work, row.responsible_role),
        "executor": row.executor or _held_role(work, row.executor_role, row.executor_vacant),
        "executor_vacant": row.executor_vacant,
        "executor_role": _role_name(work, row.executor_role),
        "phase": content.phase(row.phase).name,
        "theme": content.theme(row.theme).name,
        "project": row.project,
        "municipality": row.municipality,
    }


def _role_name(work: Work, slug: str | None) -> str | None:
    return work.registry.content.role(slug).name if slug else None


def _held_role(work: Work, slug: str | None, vacant: bool) -> str | None:
    return None if vacant or slug is None else f"{_role_name(work, slug)} (rolle)"
