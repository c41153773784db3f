"""The groups of the list, with what each holds in the whole selection and not only on the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import case, func, select

from klik.domain.deadlines import Colour
from klik.domain.status import Status
from klik.models import Municipality, MunicipalTask, Project
from klik.services import access, ordering
from klik.services.criteria import GROUPINGS, Criteria
from klik.services.filtering import Selection
from klik.services.filters import NOBODY, ROLE, has_colour
from klik.services.listing import TaskRow
from klik.services.ordering import Responsible
from klik.services.vocabulary import PEOPLE_KEYS
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Group:
    """A group and its totals. ``key`` is the value of the filter that names it, ``first`` the place of its first row.

    ``total`` counts tasks; ``red``, ``yellow`` and ``completed`` are among them.
    """

    key: str
    label: str
    first: int
    total: int
    red: int
    yellow: int
    completed: int

    @property
    def has_filter(self) -> bool:
        """Whether a filter of the language holds exactly this group."""
        return bool(self.key) and self.key != NOBODY


def offered(work: Work) -> dict[str, str]:
    """What the actor can group by: the municipality where there are several, people where they are shown."""
    several = work.actor is None or work.actor.municipality_id is None
    return {
        word: label
        for word, label in GROUPINGS.items()
        if (word != "kommune" or several) and (word not in PEOPLE_KEYS or access.sees_people(work))
    }


def groups(work: Work, selection: Selection) -> tuple[Group, ...]:
    """The groups in the order of the list; one statement, none for an ungrouped list."""
    word = selection.criteria.grouping
    if word not in offered(work):
        return ()
    columns = _columns(word)
    red, yellow = (has_colour(colour, work.today) for colour in (Colour.RED, Colour.YELLOW))
    completed = MunicipalTask.status == Status.COMPLETED.value
    statement = select(
        *columns,
        func.count(),
        *(func.sum(case((condition, 1), else_=0)) for condition in (red, yellow, completed)),
    ).select_from(MunicipalTask)
    rows = work.session.execute(
        ordering.with_names(statement, Criteria(grouped_by=word))
        .where(selection.where())
        .group_by(*columns)
        .order_by(*ordering.group_order(work, word, selection.words))
    )
    found: list[Group] = []
    first = 1
    for *cells, total, red_ones, yellow_ones, completed_ones in rows:
        key = _key(word, *cells)
        before = found.pop() if found and found[-1].key == key else Group(key, "", first, 0, 0, 0, 0)
        found.append(
            Group(
                key,
                before.label or _label(work, selection, word, key, cells),
                before.first,
                before.total + total,
                before.red + red_ones,
                before.yellow + yellow_ones,
                before.completed + completed_ones,
            )
        )
        first += total
    return tuple(found)


def key_of(word: str, row: TaskRow) -> str:
    """The key of the group a row stands in."""
    if word == "ansvarlig":
        return _key(word, row.responsible_id, row.responsible_role)
    cells = {
        "fase": row.phase,
        "tema": row.theme,
        "system": row.system_code,
        "projekt": row.project_slug,
        "kommune": row.municipality_id,
    }
    return _key(word, cells[word])


def _columns(word: str) -> tuple[Any, ...]:
    task = MunicipalTask
    columns: dict[str, tuple[Any, ...]] = {
        "fase": (task.phase,),
        "tema": (task.theme,),
        "system": (task.system_code,),
        "projekt": (Project.slug, Project.name),
        "kommune": (task.municipality_id, Municipality.name_key),
        "ansvarlig": (task.responsible_id, task.responsible_role, Responsible.name, Responsible.name_key),
    }
    return columns[word]


def _key(word: str, cell: Any, role: str | None = None, *_more: Any) -> str:
    if word != "ansvarlig":
        return "" if cell is None else str(cell)
    if cell is not None:
        return str(cell)
    return f"{ROLE}{role}" if role else NOBODY


def _label(work: Work, selection: Selection, word: str, key: str, cells: list[Any]) -> str:
    content = work.registry.content
    if word == "fase":
        return content.phase(key).name
    if word == "tema":
        return content.theme(key).name
    if word == "system":
        return selection.words.system.get(key, key) or "Intet system"
    if word == "projekt":
        return cells[1]
    if word == "kommune":
        return selection.words.kommune.get(key, key)
    if key == NOBODY:
        return "Ingen ansvarlig"
    return f"{content.role(key.removeprefix(ROLE)).name} (rolle)" if key.startswith(ROLE) else cells[2]
