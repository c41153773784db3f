"""Forms of announced deletions; what KOMBIT and the municipality write is judged by the service."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

from wtforms import (
    Field,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from klik.domain.calendar import parse_date
from klik.domain.errors import InputError
from klik.services import deleting
from klik.services.deleting.selection import Choice
from klik.web.forms import CleanText, Form, OnceForm, VersionedForm

_ID = re.compile(r"[1-9][0-9]{0,8}")


class Needed:
    """Validator: marks the field as one to fill in; the service says the sentence when it is empty."""

    field_flags = {"required": True}

    def __call__(self, _form: Form, _field: Field) -> None:
        pass


class DayField(StringField):
    """A date typed as text; ``day`` is the date, None while nothing is typed. What was typed stays."""

    day: date | None = None

    def pre_validate(self, _form: Form) -> None:
        """Read the date; the sentence names the field."""
        if not (self.data or "").strip():
            return
        try:
            self.day = parse_date(self.data or "")
        except InputError as error:
            raise ValidationError(f"{self.label.text}: {error}") from error


class TickField(SelectMultipleField):
    """Several ids as ticks."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def row_id(text: str) -> int:
    """An id as a form sends it; raises ValueError."""
    if not _ID.fullmatch(str(text)):
        raise ValueError(text)
    return int(text)


def row_ids(texts: Iterable[str]) -> list[int]:
    """The ids among the texts of an address."""
    return [int(text) for text in texts if _ID.fullmatch(text)]


def say(form: Form, problems: Mapping[str, str], fields: Mapping[str, str] | None = None) -> None:
    """Put the service's sentences on the form's fields; a field that already has one keeps it."""
    for name, sentence in problems.items():
        field = form._fields.get((fields or {}).get(name, name))
        if field is None:
            form.form_errors.append(sentence)
        elif not field.errors:
            field.errors = [sentence]


class AnnounceForm(OnceForm):
    """KOMBIT announces a deletion; ``expected`` is how many tasks the preview showed."""

    scope = SelectField("Opgaver", [Needed()])
    task_ids = TickField("Kun disse opgaver", coerce=row_id, validate_choice=False, name="opgave")
    heading = StringField("Overskrift", [CleanText(deleting.HEADING_LIMIT, required=True, tick=False)])
    last_day = DayField("Sidste dag", [Needed()])
    legal_basis = TextAreaField("Hjemmel", [CleanText(deleting.BASIS_LIMIT, required=True, tick=False)])
    decided_by = StringField(
        "Besluttet af", [CleanText(deleting.DECIDED_BY_LIMIT, required=True, tick=False)]
    )
    decided_on = DayField("Besluttet den", [Needed()])
    query = HiddenField()
    expected = HiddenField()

    def offer(
        self,
        projects: Iterable[tuple[str, str]],
        systems: Iterable[tuple[str, str]],
        found: str | None = None,
    ) -> None:
        """Set what may be chosen: (slug or code, name), and ``found``: the filter in words when there is one."""
        self.scope.choices = [
            SelectChoice("", "Vælg projekt eller system", optgroup="Opgaver"),
            *([SelectChoice("filter", found, optgroup="Filter")] if found else []),
            *(SelectChoice(f"projekt={slug}", name, optgroup="Projekt") for slug, name in projects),
            *(SelectChoice(f"system={code}", name, optgroup="It-system") for code, name in systems),
        ]

    def offer_tasks(self, choices: Iterable[Choice]) -> None:
        """Set the tasks one may tick."""
        self.task_ids.choices = [
            SelectChoice(str(choice.task_id), f"{choice.task_number} {choice.title}") for choice in choices
        ]

    @property
    def selection(self) -> deleting.Selection:
        """What is chosen; ticked tasks alone are not a choice of everything."""
        kind, _, name = (self.scope.data or "").partition("=")
        return deleting.Selection(
            project=name if kind == "projekt" else None,
            system=name if kind == "system" else None,
            task_ids=tuple(self.task_ids.data or ()),
            query=(self.query.data or None) if kind == "filter" else None,
        )

    @property
    def draft(self) -> deleting.Draft:
        """The announcement as it was written."""
        return deleting.Draft(
            heading=self.heading.data or "",
            last_day=self.last_day.day,
            legal_basis=self.legal_basis.data or "",
            decided_by=self.decided_by.data or "",
            decided_on=self.decided_on.day,
            selection=self.selection,
        )


class NudgeForm(OnceForm):
    """KOMBIT's own words to the municipalities that have not fetched."""

    subject = StringField("Emne", [CleanText(deleting.SUBJECT_LIMIT, required=True, tick=False)])
    text = TextAreaField("Tekst", [CleanText(deleting.TEXT_LIMIT, required=True, lines=True, tick=False)])


class TellForm(Form):
    """Another recipient in a municipality: a person, or a mailbox of its own."""

    person = SelectField("Modtager", validate_choice=False)
    mailbox = StringField("Eller en funktionspostkasse", [CleanText(320, tick=False)])

    def offer(self, people: Iterable[tuple[int, str]]) -> None:
        """Set whom one may choose."""
        chosen = [SelectChoice(str(person_id), name) for person_id, name in people]
        self.person.choices = [SelectChoice("", "Ingen valgt"), *chosen]

    def validate_person(self, field: Field) -> None:
        """One of the two, and a person of the list."""
        if field.data and field.data not in {choice.value for choice in self.person.choices}:
            raise ValidationError("Modtager: vælg en af personerne på listen.")
        if not field.data and not (self.mailbox.data or "").strip():
            raise ValidationError("Modtager: vælg en person, eller skriv en funktionspostkasse.")


class PostponeForm(VersionedForm):
    """More time."""

    new_day = DayField("Ny sidste dag", [Needed()])
    note = TextAreaField("Bemærkning", [CleanText(deleting.NOTE_LIMIT, tick=False)])


class RegretForm(Form):
    """Calling it off."""

    note = TextAreaField("Bemærkning", [CleanText(deleting.NOTE_LIMIT, tick=False)])


class ReceiptForm(Form):
    """Where the municipality put what it took home."""

    case_number = StringField("Sagsnummer", [CleanText(deleting.CASE_NUMBER_LIMIT, required=True)])


class KeepForm(Form):
    """The municipality asks KOMBIT to keep a task."""

    reason = TextAreaField("Begrundelse", [CleanText(deleting.NOTE_LIMIT, required=True)])
    until = DayField("Bevares til", [Needed()])


class AnswerForm(Form):
    """KOMBIT answers."""

    granted = RadioField(
        "Svar",
        choices=[
            SelectChoice("ja", "Ja, opgaven bevares"),
            SelectChoice("nej", "Nej, den slettes som varslet"),
        ],
    )
    until = DayField("Bevares til")
