"""The bases of klik's forms, the plug-ins' too: Danish messages, clean text, version and key."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import date
from typing import Any

from flask import g, request
from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, IntegerField, StringField, ValidationError
from wtforms.validators import InputRequired
from wtforms.widgets import HiddenInput

from klik.domain import cpr, free_text
from klik.domain.calendar import parse_date
from klik.domain.errors import InputError

MESSAGES = {
    "Invalid CSRF Token.": "Formularen er for gammel. Prøv igen.",
    "CSRF token missing.": "Formularen er for gammel. Prøv igen.",
    "CSRF failed.": "Formularen er for gammel. Prøv igen.",
    "Not a valid choice.": "Vælg en af mulighederne på listen.",
    "Not a valid choice": "Vælg en af mulighederne på listen.",
    "Invalid Choice: could not coerce.": "Vælg en af mulighederne på listen.",
    "Invalid choice(s): one or more data inputs could not be coerced.": "Vælg en af mulighederne på listen.",
    "'%(value)s' is not a valid choice for this field.": "Vælg en af mulighederne på listen.",
    "'%(value)s' are not valid choices for this field.": "Vælg en af mulighederne på listen.",
    "Not a valid integer value.": "Skriv et helt tal.",
    "Not a valid date value.": "Skriv datoen som 21-11-2026.",
    "This field is required.": "Feltet skal udfyldes.",
}


class Danish:
    """Translations for WTForms, which ships none in Danish."""

    def gettext(self, text: str) -> str:
        """The Danish sentence."""
        return MESSAGES.get(text, text)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The Danish sentence for a count."""
        return self.gettext(one if count == 1 else many)


class Form(FlaskForm):
    """The base of klik's forms."""

    class Meta(FlaskForm.Meta):
        """Danish messages."""

        def get_translations(self, _form: Any) -> Danish:
            """Always Danish."""
            return Danish()


class VersionedForm(Form):
    """A form on a row that others may change meanwhile; the version it was drawn with comes back."""

    version = IntegerField(
        widget=HiddenInput(), validators=[InputRequired("Formularen mangler sin version.")]
    )


class OnceForm(Form):
    """A form whose act must happen once, however often the button is pressed."""

    idempotency_key = HiddenField(default=lambda: str(uuid.uuid4()))


class DayField(StringField):
    """A day as people write it; ``day`` is None where nothing stands. Its error names the field."""

    day: date | None = None

    def pre_validate(self, _form: Any) -> None:
        """Read it; raises ValidationError."""
        typed = (self.data or "").strip()
        if not typed:
            return
        try:
            self.day = parse_date(typed)
        except InputError as error:
            self.data = showable(typed)
            raise ValidationError(f"{self.label.text}: {error}") from error

    def show(self, day: date | None) -> None:
        """Draw it with a day."""
        self.data = f"{day:%d-%m-%Y}" if day else ""


class CleanText:
    """Validator: trims and normalises the text, and refuses what cannot be stored, naming field and limit.

    What looks like a CPR number is refused until the writer ticks that it is none; the tick stands at the field,
    drawn by the macros. ``tick`` false offers none: names, and what goes to all municipalities.
    """

    def __init__(self, limit: int, *, required: bool = False, lines: bool = False, tick: bool = True) -> None:
        self.limit, self.required, self.lines, self.tick = limit, required, lines, tick
        self.field_flags = {"maxlength": limit} | ({"required": True} if required else {})

    def __call__(self, _form: Form, field: Field) -> None:
        confirmed = (self.tick and ticked(field)) or self._is_stored(field)
        try:
            cleaned = free_text.clean(
                free_text.confirmed(field.data or "") if confirmed else field.data or "",
                field=field.label.text,
                limit=self.limit,
                required=self.required,
                lines=self.lines,
                tick=self.tick,
            )
        except InputError as error:
            if isinstance(error, free_text.CprError) and error.may_tick:
                field.klik_tick = "offered"
            field.data = showable(field.data or "")
            raise ValidationError(str(error)) from error
        field.data = cleaned
        if self.tick and cpr.find(cleaned):
            field.data = free_text.confirmed(cleaned)
            accepted(field.name)

    def _is_stored(self, field: Field) -> bool:
        """Whether the form was drawn with this very text: it was ticked when it was first stored."""
        before = field.object_data
        return bool(before) and "".join(str(before).split()) == "".join((field.data or "").split())


def ticked(field: Field) -> bool:
    """Whether the writer has said that what looks like CPR numbers in a field or its file is something else."""
    given = f"{field.name}{free_text.TICK_ENDING}" in request.form
    if given:
        field.klik_tick = "checked"
    return given


def offer_tick(field: Field) -> None:
    """Draw the tick at a field that a service refused for CPR numbers."""
    if any(free_text.asks(error) for error in field.errors) and not hasattr(field, "klik_tick"):
        field.klik_tick = "offered"


def accepted(name: str) -> None:
    """Note that the request's field holds what looks like a CPR number, and that its writer said it is none."""
    g.setdefault("klik_cpr_accepted", set()).add(name)


def showable(typed: str) -> str:
    """What was typed, fit to be shown again: what no page may hold stands as the replacement character."""
    return "".join(
        character
        if character in "\n\r\t" or unicodedata.category(character) not in ("Cc", "Cs")
        else "\ufffd"
        for character in typed
    )
