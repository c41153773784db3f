"""In which order the list stands: the words of the language as columns, and the tables they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Select, case, func
from sqlalchemy.orm import aliased

from klik.domain.status import Status
from klik.models import Municipality, MunicipalTask, Person, Project
from klik.services import access
from klik.services.criteria import Criteria
from klik.services.filters import PRIORITIES
from klik.services.vocabulary import PEOPLE_KEYS
from klik.services.work import Work

Responsible = aliased(Person, name="responsible")
Executor = aliased(Person, name="executor")


def with_names(
    statement: Select[Any], criteria: Criteria, *, but: frozenset[str] = frozenset()
) -> Select[Any]:
    """Join the table whose names the rows are sorted by, but for the sorts in ``but``: theirs is there."""
    if criteria.sort in but:
        return statement
    if criteria.sort == "ansvarlig":
        return statement.outerjoin(Responsible, Responsible.id == MunicipalTask.responsible_id)
    if criteria.sort == "udfoerer":
        return statement.outerjoin(Executor, Executor.id == MunicipalTask.executor_id)
    if criteria.sort == "projekt":
        return statement.join(Project, Project.id == MunicipalTask.project_id)
    if criteria.sort == "kommune":
        return statement.join(Municipality, Municipality.id == MunicipalTask.municipality_id)
    return statement


def order(work: Work, criteria: Criteria) -> tuple[Any, ...]:
    """The order that was asked for; nothing is last in both directions, and every order is total."""
    task = MunicipalTask
    chosen = _sorted_by(work, criteria.sort)
    first = chosen.desc() if criteria.descending else chosen.asc()
    rest = () if criteria.sort == "deadline" else (task.deadline.asc().nulls_last(),)
    return (first.nulls_last(), *rest, task.number_key, task.id)


def _sorted_by(work: Work, word: str) -> Any:
    """What a word of the language sorts by; a word of people's names says nothing where none are shown."""
    task, content = MunicipalTask, work.registry.content
    if word in PEOPLE_KEYS and not access.sees_people(work):
        return task.id
    orders: Mapping[str, Callable[[], Any]] = {
        "deadline": lambda: task.deadline,
        "nummer": lambda: func.nullif(task.number_key, ""),
        "titel": lambda: task.title_key,
        "status": lambda: _place(task.status, [status.value for status in Status]),
        "ansvarlig": lambda: Responsible.name_key,
        "udfoerer": lambda: Executor.name_key,
        "fase": lambda: _place(task.phase, [phase.slug for phase in content.phases]),
        "tema": lambda: _place(task.theme, [theme.slug for theme in content.themes]),
        "prioritet": lambda: _place(task.priority, list(PRIORITIES)),
        "projekt": lambda: Project.name,
        "kommune": lambda: Municipality.name_key,
        "startdato": lambda: task.start_date,
        "slutdato": lambda: task.completed_on,
        "aendret": lambda: task.changed_at,
    }
    return orders[word]()


def _place(column: Any, words: list[str]) -> Any:
    """The place of a word among words; a word that is not there comes after them."""
    return case({word: place for place, word in enumerate(words)}, value=column, else_=len(words))
