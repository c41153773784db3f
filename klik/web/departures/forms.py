"""The form about somebody who leaves: the last day, who takes over what, a note, and somebody new to invite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wtforms import BooleanField, SelectChoice, SelectField, StringField, TextAreaField

from klik.models import Person
from klik.services.departures.announcing import NOTE_LIMIT
from klik.services.departures.belongings import FILTERS, TASKS, Belongings, role_key
from klik.services.departures.plan import Heirs
from klik.services.people import NAME_LIMIT
from klik.web.forms import CleanText, VersionedForm

NOBODY, AS_ABOVE = "ingen", ""
_PREFIX = "modtager/"


class DepartureForm(VersionedForm):
    """``given`` are the keys of what can be taken over; each has a field of its own."""

    last_day = StringField(
        "Sidste dag",
        name="sidste-dag",
        id="last_day",
        description="Til og med den dag beholder personen det hele. Skriv fx 30-11-2026.",
    )
    note = TextAreaField(
        "Besked til dem, der tager over",
        [CleanText(NOTE_LIMIT, lines=True)],
        name="besked",
        id="note",
        description="Står i den mail, de får. Må ikke indeholde CPR-numre.",
    )
    invited = StringField("Navn", [CleanText(NAME_LIMIT)], name="ny-navn", id="invited")
    invited_address = StringField("Mailadresse", [CleanText(320)], name="ny-adresse", id="invited_address")
    address_is_right = BooleanField(
        "Ja, adressen er rigtig", name="ny-adresse-er-rigtig", id="address_is_right"
    )
    existing_is_right = BooleanField(
        "Ja, det er den samme person", name="ny-er-den-samme", id="existing_is_right"
    )
    given: tuple[str, ...] = ()

    def heir(self, key: str) -> Any:
        """The field of what somebody takes over."""
        return self[_attribute(key)]

    @property
    def roles(self) -> list[Any]:
        """The fields of the roles."""
        return [self.heir(key) for key in self.given if not key.startswith((TASKS, FILTERS))]

    @property
    def tasks(self) -> Any:
        """The field of all tasks, None where there are none."""
        return self.heir(TASKS) if TASKS in self.given else None

    @property
    def projects(self) -> list[Any]:
        """The fields of the tasks of single projects."""
        return [self.heir(key) for key in self.given if key.startswith(f"{TASKS}/")]

    @property
    def filters(self) -> Any:
        """The field of filters and what is followed, None where there is nothing."""
        return self.heir(FILTERS) if FILTERS in self.given else None

    def heirs(self) -> dict[str, int | None]:
        """Who takes over what; a project without a choice of its own is left out."""
        chosen = {key: self.heir(key).data for key in self.given}
        return {
            key: int(value) if value not in (NOBODY, None) else None
            for key, value in chosen.items()
            if value != AS_ABOVE
        }

    def offer(self, person: Person) -> None:
        """Let somebody who has just been invited be chosen too."""
        for key in self.given:
            field = self.heir(key)
            if str(person.id) not in {choice.value for choice in field.choices}:
                field.choices = [*field.choices, SelectChoice(str(person.id), person.name)]


def departure_form(
    owned: Belongings, role_names: Mapping[str, str], people: Iterable[Person], **values: Any
) -> DepartureForm:
    """The form for what this person has; with ``values`` as it is drawn first, otherwise as it was sent."""
    persons = [SelectChoice(str(person.id), person.name) for person in people]
    controls: dict[str, Any] = {}
    keys: list[str] = []

    def add(key: str, label: str, *first: SelectChoice) -> None:
        keys.append(key)
        controls[_attribute(key)] = SelectField(
            label, name=_PREFIX + key, id=_attribute(key), choices=[*first, *persons]
        )

    for holding in owned.holdings:
        if role_key(holding) not in keys:
            add(
                role_key(holding),
                role_names[role_key(holding)],
                SelectChoice(NOBODY, "Ingen: rollen bliver ubesat"),
            )
    nobody = SelectChoice(NOBODY, "Ingen: opgaverne bliver uden navn")
    if owned.tasks:
        add(TASKS, "Åbne opgaver", nobody)
        if len(owned.projects) > 1:
            for project in owned.projects:
                add(f"{TASKS}/{project.id}", project.name, SelectChoice(AS_ABOVE, "Som ovenfor"), nobody)
    if owned.filters or owned.uses or owned.systems:
        add(FILTERS, "Delte filtre og det, personen følger", SelectChoice(NOBODY, "Ingen"))
    kind = type("BoundDepartureForm", (DepartureForm,), {**controls, "given": tuple(keys)})
    if not values:
        return kind()
    heirs: Heirs = values.pop("heirs")
    drawn = {
        _attribute(key): AS_ABOVE
        if key not in heirs and "/" in key and key.startswith(TASKS)
        else str(heirs.get(key) or NOBODY)
        for key in keys
    }
    return kind(formdata=None, **values, **drawn)


def _attribute(key: str) -> str:
    return f"heir_{key}".replace("/", "__").replace("-", "_")
