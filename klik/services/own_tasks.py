"""Which tasks are somebody's own: by name, or by a role they hold where nobody is named."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true

from klik.models import MunicipalTask

Roles = frozenset[tuple[str, str | None]]


def of_person(field: str, person_id: int, held: Roles) -> ColumnElement[bool]:
    """The tasks whose ``responsible`` or ``executor`` is this person, who holds these roles (system None: across)."""
    person, role = getattr(MunicipalTask, f"{field}_id"), getattr(MunicipalTask, f"{field}_role")
    return or_(person == person_id, of_roles(person, role, held))


def of_roles(person: Any, role: Any, held: Roles) -> ColumnElement[bool]:
    """Nobody is named in the column ``person``, and one of these roles has the task."""
    return or_(
        false(),
        *(
            and_(
                person.is_(None),
                role == slug,
                true() if system is None else MunicipalTask.system_code == system,
            )
            for slug, system in sorted(held, key=lambda each: (each[0], each[1] or ""))
        ),
    )
