"""The form for changing many tasks: which field, and then the control that belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import request
from wtforms import HiddenField, RadioField, SelectField, StringField, TextAreaField, ValidationError

from klik.domain.status import REASON_LIMIT, Status
from klik.models import MunicipalTask
from klik.services.filters import PRIORITIES
from klik.services.tasks import assigning
from klik.services.tasks.bulk.wanted import MOST_DAYS, ROLE_INSTEAD, Wanted, editable_fields
from klik.services.tasks.steps import FIELD_LIMIT
from klik.services.work import Work
from klik.web.forms import CleanText, OnceForm
from klik.web.tasks.forms import DayField, People

VALUE = "vaerdi"
_LIST_LENGTH = 12


class DaysField(StringField):
    """A number of days to move by; ``days`` is the number or None, the typed text is kept when it is wrong."""

    days: int | None = None

    def pre_validate(self, _form: Any) -> None:
        """Read the text; empty is no number."""
        typed = (self.data or "").strip().replace("−", "-")
        self.days = None
        if not typed:
            return
        digits = typed.removeprefix("-").removeprefix("+")
        if not (digits.isascii() and digits.isdigit()) or not 0 < int(digits[:9]) <= MOST_DAYS:
            raise ValidationError(
                f"{self.label.text}: skriv et helt antal dage fra 1 til {MOST_DAYS}, fx 14 eller -7."
            )
        self.days = int(digits) * (-1 if typed.startswith("-") else 1)


class BulkForm(OnceForm):
    """Which tasks (id and version of each), which field, and the list to go back to."""

    tasks = HiddenField(name="opgaver")
    query = HiddenField(name="filter")
    field = RadioField("Hvad vil du rette?", name="felt")

    def ready(self) -> bool:
        """Whether a value has been chosen; a form that was just opened is not wrong, only unfinished."""
        if self.field.data == "deadline":
            return bool(self["day"].data or self["days"].data)
        if self.field.data == "start_date":
            return bool(self["day"].data)
        if VALUE not in request.form:
            return False
        return request.form[VALUE] != Status.NOT_RELEVANT.value or bool(self["reason"].data)

    def validate(self, extra_validators: Any = None) -> bool:
        """Each field of its own kind, and a deadline either as a day or as a number of days."""
        valid = super().validate(extra_validators)
        if "days" in self and self["day"].data and self["days"].data:
            self["days"].errors = [
                *self["days"].errors,
                "Vælg enten en ny dato eller et antal dage, ikke begge.",
            ]
            return False
        return valid

    def wanted(self) -> Wanted:
        """What was chosen."""
        return Wanted(
            field=self.field.data,
            value=(self["value"].data or "") if "value" in self else "",
            reason=(self["reason"].data or "") if "reason" in self else "",
            day=self["day"].day if "day" in self else None,
            days=self["days"].days if "days" in self else None,
        )

    @property
    def controls(self) -> list[Any]:
        """The fields of the value, in their order."""
        return [self[name] for name in ("value", "reason", "day", "days") if name in self]


def bulk_form(work: Work, tasks: Iterable[MunicipalTask]) -> BulkForm:
    """The form as it was sent, with the control of the field that was chosen."""
    tasks = list(tasks)
    fields = dict(editable_fields(work))
    if all(task.task_id is not None for task in tasks):
        fields = {key: label for key, label in fields.items() if not label.endswith("(kun lokale opgaver)")}
    systems = {task.system_code for task in tasks}
    for key, extra in work.registry.extra_fields.items():
        if extra.system not in systems:
            fields.pop(key, None)
    kind = type("BoundBulkForm", (BulkForm,), {})
    chosen = request.form.get("felt", "")
    if chosen in fields:
        for name, control in _controls(work, chosen, tasks).items():
            setattr(kind, name, control)
    form: BulkForm = kind()
    form.field.choices = fields
    return form


def _controls(work: Work, field: str, tasks: list[MunicipalTask]) -> Mapping[str, Any]:
    content = work.registry.content
    if field == "status":
        return _status_controls()
    if field in ("responsible", "executor"):
        label = "Ny ansvarlig" if field == "responsible" else "Ny udfører"
        choices = _people(work, tasks)
        return {"value": SelectField(label, name=VALUE, choices=choices, render_kw={"size": _LIST_LENGTH})}
    if field == "deadline":
        return {
            "day": DayField("Ny deadline", name="dato"),
            "days": DaysField(
                "Eller flyt med (dage)", name="dage", description="14 er to uger senere, -7 er en uge før"
            ),
        }
    if field == "start_date":
        return {"day": DayField("Ny startdato", name="dato")}
    known = {
        "phase": {phase.slug: phase.name for phase in content.phases},
        "theme": {theme.slug: theme.name for theme in content.themes},
        "priority": dict(PRIORITIES),
    }
    if field in known:
        return {"value": _radio("Ny værdi", known[field])}
    extra = work.registry.extra_fields[field]
    if extra.choices:
        choices = {"": "Ikke angivet"} | {each.value: each.label for each in extra.choices}
        return {"value": _radio(extra.label, choices)}
    return {"value": StringField(extra.label, name=VALUE, validators=[CleanText(FIELD_LIMIT)])}


def _status_controls() -> Mapping[str, Any]:
    controls = {"value": _radio("Ny status", {status.value: status.label for status in Status})}
    if request.form.get(VALUE) == Status.NOT_RELEVANT.value:
        controls["reason"] = TextAreaField(
            "Begrundelse",
            name="begrundelse",
            validators=[CleanText(REASON_LIMIT, lines=True)],
            description="Hvorfor er opgaverne ikke relevante for jer? Skal udfyldes.",
        )
    return controls


def _radio(label: str, choices: Mapping[str, str]) -> RadioField:
    return RadioField(label, name=VALUE, choices=dict(choices))


def _people(work: Work, tasks: list[MunicipalTask]) -> dict[str, dict[str, str]]:
    """Everybody the tasks can be given to; with tasks of several systems every role of any of them."""
    assert work.actor is not None
    systems = sorted({task.system_code or "" for task in tasks})
    one = systems[0] if len(systems) == 1 else None
    stand_in = MunicipalTask(municipality_id=work.actor.municipality_id, system_code=one or None)
    people = People.of(work, stand_in)
    roles = dict(people.roles)
    for system in systems:
        roles |= {role.slug: role.name for role in assigning.roles_for(work, system or None)}
    choices = People(people.with_role, people.others, tuple(roles.items())).choices(assigning.NOBODY, "Ingen")
    return {"Den rolle, personen har": {ROLE_INSTEAD: "Giv til rollen i stedet for navnet"}} | choices
