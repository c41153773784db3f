"""In which order the list stands: the words of the language as columns, and the tables they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Select, case, func
from sqlalchemy.orm import aliased

from klik.domain.status import Status
from klik.domain.texts import sort_key
from klik.models import Municipality, MunicipalTask, Person, Project
from klik.services import access
from klik.services.criteria import Criteria
from klik.services.filters import PRIORITIES
from klik.services.vocabulary import PEOPLE_KEYS, Vocabulary
from klik.services.work import Work

Responsible = aliased(Person, name="responsible")
Executor = aliased(Person, name="executor")


def with_names(
    statement: Select[Any], criteria: Criteria, *, but: frozenset[str] = frozenset()
) -> Select[Any]:
    """Join the tables whose names the rows are sorted or grouped by, but for the words in ``but``."""
    words = {criteria.grouping, *(sort.word for sort in criteria.sorts)} - but
    if "ansvarlig" in words:
        statement = statement.outerjoin(Responsible, Responsible.id == MunicipalTask.responsible_id)
    if "udfoerer" in words:
        statement = statement.outerjoin(Executor, Executor.id == MunicipalTask.executor_id)
    if "projekt" in words:
        statement = statement.join(Project, Project.id == MunicipalTask.project_id)
    if "kommune" in words:
        statement = statement.join(Municipality, Municipality.id == MunicipalTask.municipality_id)
    return statement


def order(work: Work, criteria: Criteria, words: Vocabulary) -> tuple[Any, ...]:
    """The order that was asked for, groups foremost; nothing is last in both directions, every order total.

    Keys of people's names say nothing where none are shown.
    """
    task = MunicipalTask
    chosen = []
    sorts = [sort for sort in criteria.sorts if sort.word not in PEOPLE_KEYS or access.sees_people(work)]
    for sort in sorts:
        column = _sorted_by(work, sort.word, words)
        chosen.append((column.desc() if sort.descending else column.asc()).nulls_last())
    if all(sort.word != "deadline" for sort in sorts):
        chosen.append(task.deadline.asc().nulls_last())
    return (*group_order(work, criteria.grouping, words), *chosen, task.number_key, task.id)


def group_order(work: Work, grouping: str, words: Vocabulary) -> tuple[Any, ...]:
    """The order of the groups: that of the content files, of names, and those without last.

    A word that no content file knows any more comes after those that are known, each as a group of its own.
    """
    task = MunicipalTask
    if grouping == "ansvarlig" and access.sees_people(work):
        roles = _place(task.responsible_role, [role.slug for role in work.registry.content.roles])
        nobody = case((task.responsible_role.is_(None), 1), else_=0)
        by_role = (nobody, roles, task.responsible_role)
        # Where a person is named, the role beside it is no group.
        only_role = tuple(case((task.responsible_id.is_(None), each)) for each in by_role)
        return (
            Responsible.name_key.asc().nulls_last(),
            task.responsible_id.asc().nulls_last(),
            *(each.asc().nulls_last() for each in only_role),
        )
    columns: Mapping[str, Any] = {
        "fase": task.phase,
        "tema": task.theme,
        "system": task.system_code,
        "projekt": Project.slug,
        "kommune": task.municipality_id,
    }
    if grouping not in columns:
        return ()
    return (_sorted_by(work, grouping, words).asc().nulls_last(), columns[grouping].asc().nulls_last())


def _sorted_by(work: Work, word: str, words: Vocabulary) -> Any:
    """What a word of the language sorts by."""
    task, content = MunicipalTask, work.registry.content
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
        "projekt": lambda: _place(Project.slug, by_name(words.projekt)),
        "kommune": lambda: Municipality.name_key,
        "startdato": lambda: task.start_date,
        "slutdato": lambda: task.completed_on,
        "aendret": lambda: task.changed_at,
        "system": lambda: _place(task.system_code, by_name(words.system)),
        "infrastruktur": lambda: case((task.infrastructure, 0), else_=1),
    }
    return orders[word]()


def by_name(words: Mapping[str, str]) -> list[str]:
    """The words in the Danish order of their labels: no database need know the order of æ, ø and å."""
    return sorted(words, key=lambda word: (sort_key(words[word]), word))


def _place(column: Any, words: list[str]) -> Any:
    """The place of a word among words; one that is not there comes after them, and nothing stays nothing."""
    place = case({word: place for place, word in enumerate(words)}, value=column, else_=len(words))
    return case((column.is_not(None), place)) if words else column
