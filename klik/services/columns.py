"""The columns of the list: which there are, and which of them a person may see."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select

from klik.models import MunicipalTaskField
from klik.services import access
from klik.services.vocabulary import PEOPLE_KEYS
from klik.services.work import Work

TASK, DEADLINE = "titel", "deadline"
# These two cannot be taken away, and stand first.
FIXED = (TASK, DEADLINE)
COLUMNS: Mapping[str, str] = {
    TASK: "Opgave",
    DEADLINE: "Deadline",
    "status": "Status",
    "ansvarlig": "Ansvarlig",
    "udfoerer": "Udfører",
    "fase": "Fase",
    "tema": "Tema",
    "nummer": "Nummer",
    "projekt": "Projekt",
    "system": "System",
    "kommune": "Kommune",
    "prioritet": "Prioritet",
    "startdato": "Startdato",
    "slutdato": "Fuldført",
    "infrastruktur": "STS/Infrastruktur",
    "aendret": "Ændret",
}
_USUAL = (*FIXED, "status", "ansvarlig", "udfoerer", "fase")


def offered(work: Work) -> Mapping[str, str]:
    """Every column the actor may choose, with its label; the fields of plug-ins come last."""
    core = {
        word: label for word, label in COLUMNS.items() if word not in PEOPLE_KEYS or access.sees_people(work)
    }
    return core | {extra.key: extra.label for extra in work.registry.extra_fields.values()}


def usual(work: Work) -> tuple[str, ...]:
    """The columns of those who have chosen none; the municipality where there are several."""
    several = work.actor is None or work.actor.municipality_id is None
    return permitted(work, (*_USUAL, "kommune") if several else _USUAL)


def permitted(work: Work, words: Iterable[str]) -> tuple[str, ...]:
    """The words in their order, without what the actor may not see or nobody knows; the fixed two first."""
    known = offered(work)
    chosen = dict.fromkeys(word for word in words if word in known)
    return (*FIXED, *(word for word in chosen if word not in FIXED))


def extra_values(work: Work, shown: Iterable[str], task_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """What the shown fields of plug-ins hold for these tasks, in words; no statement when none is shown.

    The tasks must be ones the actor may see.
    """
    extras = {word: work.registry.extra_fields[word] for word in shown if word in work.registry.extra_fields}
    found: dict[int, dict[str, str]] = {}
    if not extras or not task_ids:
        return found
    labels = {
        word: {choice.value: choice.label for choice in extra.choices} for word, extra in extras.items()
    }
    rows = work.session.execute(
        select(
            MunicipalTaskField.municipal_task_id, MunicipalTaskField.field, MunicipalTaskField.value
        ).where(
            MunicipalTaskField.municipal_task_id.in_(task_ids), MunicipalTaskField.field.in_(sorted(extras))
        )
    )
    for task_id, word, value in rows:
        found.setdefault(task_id, {})[word] = labels[word].get(value, value)
    return found
