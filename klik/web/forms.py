"""What every form shares: Danish messages, clean text, and the version and key it was drawn with."""

from __future__ import annotations

import unicodedata
import uuid
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Field, HiddenField, IntegerField, ValidationError
from wtforms.validators import InputRequired
from wtforms.widgets import HiddenInput

from klik.domain import texts
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


class CleanText:
    """Validator: trims and normalises the text, and refuses what cannot be stored, naming field and limit."""

    def __init__(self, limit: int, *, required: bool = False, lines: bool = False) -> None:
        self.limit, self.required, self.lines = limit, required, lines
        self.field_flags = {"maxlength": limit} | ({"required": True} if required else {})

    def __call__(self, _form: Form, field: Field) -> None:
        try:
            field.data = texts.clean(
                field.data or "",
                field=field.label.text,
                limit=self.limit,
                required=self.required,
                lines=self.lines,
            )
        except InputError as error:
            field.data = showable(field.data or "")
            raise ValidationError(str(error)) from error


def showable(typed: str) -> str:
    """What was typed, fit to be shown again: what no page may hold stands as the replacement character."""
    return "".join(
        character
        if character in "\n\r\t" or unicodedata.category(character) not in ("Cc", "Cs")
        else "\ufffd"
        for character in typed
    )
