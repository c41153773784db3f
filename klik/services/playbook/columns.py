"""The columns of a drejebog: the words of the form as headings, and what may stand below each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from klik.content.keys import nearest
from klik.domain.calendar import parse_date
from klik.domain.errors import InputError
from klik.models import Project
from klik.services.errors import RefusedError
from klik.services.filters import YES_NO
from klik.services.publishing.audience import RecipientChoice
from klik.services.publishing.text import PARTS, PRIORITY_LABELS, ROLES, WORKING_DAY_LABELS
from klik.services.work import Work

FIELD = "fields."
EXAMPLE = "EKSEMPEL:"
REQUIRED = ("project", "title", "phase", "theme")


class CellError(InputError):
    """What is wrong with one cell, said in Danish."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, the draft's field, and the words to choose from by the value they stand for.

    ``empty`` is what an empty cell means; ``plain`` reads a cell that is no choice.
    """

    heading: str
    name: str
    choices: Mapping[str, str] = field(default_factory=dict)
    empty: Any = ""
    plain: Callable[[str], Any] = str

    def value(self, cell: str) -> Any:
        """What the cell says; raises CellError."""
        typed = cell.strip()
        if not typed:
            return self.empty
        if not self.choices:
            try:
                return self.plain(cell)
            except InputError as error:
                raise CellError(f"{self.heading}: {error}") from error
        for value, label in self.choices.items():
            if typed.casefold() in (label.casefold(), value.casefold()):
                return self.plain(value)
        raise CellError(
            f"{self.heading}: “{typed[:60]}” kan ikke vælges. {nearest(typed, self.choices.values())}"
        )


def columns(work: Work) -> tuple[Column, ...]:
    """Every column there is, in the order of the form; the plug-ins' fields come last."""
    content = work.registry.content
    projects = work.session.execute(
        select(Project.slug, Project.name).where(Project.active.is_(True)).order_by(Project.name)
    ).all()
    roles = {role.slug: role.name for role in content.roles}
    fixed = (
        Column("Projekt", "project", dict(projects)),
        Column("Nummer", "number", empty=None),
        Column("Titel", "title", plain=_title),
        Column("Fase", "phase", {phase.slug: phase.name for phase in content.phases}),
        Column("Tema", "theme", {theme.slug: theme.name for theme in content.themes}),
        Column("Prioritet", "priority", PRIORITY_LABELS, "normal"),
        Column("STS/Infrastruktur", "infrastructure", YES_NO, False, lambda value: value == "ja"),
        *(Column(label, part) for part, label in PARTS.items()),
        Column("Forudsætter", "needs", empty=(), plain=_needs),
        *(Column(label, name, roles, None) for name, label in ROLES.items()),
        Column("Startdato", "start", empty=None, plain=parse_date),
        Column(
            "Fristen bestemmes af",
            "deadline_rule",
            {rule.key: rule.label for rule in work.registry.deadline_rules.values()},
            "core.months-after-publication",
        ),
        Column("Dato eller antal", "deadline_parameter", empty="1"),
        Column("Når fristen falder på en fridag", "working_day", WORKING_DAY_LABELS, "uaendret"),
        Column("Modtagere", "recipients", empty=None, plain=_recipients),
        Column("Skabelon", "template", _templates(work), None),
    )
    return (*fixed, *_extra(work, {column.heading.casefold() for column in fixed}))


def _extra(work: Work, taken: set[str]) -> list[Column]:
    found = []
    for extra in work.registry.extra_fields.values():
        if extra.municipal:
            continue
        heading = extra.label if extra.label.casefold() not in taken else f"{extra.label} ({extra.system})"
        taken.add(heading.casefold())
        found.append(
            Column(heading, FIELD + extra.key, {choice.value: choice.label for choice in extra.choices})
        )
    return found


def _templates(work: Work) -> dict[str, str]:
    """The plug-ins' templates as they are chosen: "Udpeg superbrugere (KY)"."""
    return {
        template.key: f"{template.title} ({template.system.upper()})" if template.system else template.title
        for template in work.registry.task_types.values()
    }


def _title(cell: str) -> str:
    if cell.strip().casefold().startswith(EXAMPLE.casefold()):
        raise InputError("rækken er skabelonens eksempel. Slet den, før drejebogen indlæses.")
    return cell


def _recipients(cell: str) -> RecipientChoice:
    try:
        return RecipientChoice.parse(cell)
    except RefusedError as error:
        raise InputError(" ".join(error.problems.values()).removeprefix("Modtagere: ")) from error


def _needs(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.replace(";", ",").split(",") if part.strip())
