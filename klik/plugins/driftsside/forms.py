"""The form of an entry, made of its noun's parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wtforms import (
    Field,
    IntegerField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.widgets import HiddenInput

from klik.plugins import InputError
from klik.plugins.driftsside.nouns import Noun, Part
from klik.plugins.driftsside.values import Releases, value_of
from klik.plugins.forms import CleanText, OnceForm


class EntryForm(OnceForm):
    """What every noun's form has: the version it was drawn with, 0 for a new entry."""

    noun: Noun
    version = IntegerField(widget=HiddenInput(), default=0)

    def typed(self) -> dict[str, str]:
        """What was typed, by the parts' names."""
        return {part.name: self[part.name].data or "" for part in self.noun.parts}

    def refuse(self, sentence: str) -> None:
        """Put a problem at the field it names, else at the first."""
        fields = [self[part.name] for part in self.noun.parts]
        named = next((field for field in fields if sentence.startswith(field.label.text)), fields[0])
        named.errors = [*named.errors, sentence]


def form_class(noun: Noun) -> type[EntryForm]:
    """The class of the noun's form."""
    fields: dict[str, Any] = {part.name: _field(part) for part in noun.parts}
    return type(f"{noun.table.capitalize()}Form", (EntryForm,), {"noun": noun, **fields})


def offer_releases(form: EntryForm, names: Iterable[str]) -> None:
    """Let the form's releases be chosen between."""
    for part in form.noun.parts:
        if part.kind == "release":
            given = [SelectChoice("", "Ingen release"), *(SelectChoice(name, name) for name in names)]
            form[part.name].choices = given


def _field(part: Part) -> Any:
    if part.kind == "valg":
        choices = [SelectChoice(each.value, each.label) for each in part.choices]
        return SelectField(part.label, choices=choices, description=part.help)
    if part.kind == "release":
        return SelectField(part.label, choices=[], description=part.help)
    cleaned = CleanText(part.limit, required=part.required, lines=part.kind == "tekst", tick=False)
    kind = TextAreaField if part.kind == "tekst" else StringField
    return kind(part.label, [cleaned, _Meant(part)], description=part.help)


class _Meant:
    """Validator: what was typed means something for its part."""

    field_flags: dict[str, Any] = {}

    def __init__(self, part: Part) -> None:
        self._part = part

    def __call__(self, _form: Any, field: Field) -> None:
        nothing: Releases = {}
        try:
            value_of(self._part, field.data or "", nothing)
        except InputError as error:
            raise ValidationError(str(error)) from error
