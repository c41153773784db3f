"""The forms of the role gallery."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField, RadioField, SelectChoice, SelectField, StringField, TextAreaField

from klik.services.holders import HOLDER, SUBSTITUTE
from klik.services.roles.holdings import NOTE_LIMIT
from klik.web.forms import CleanText, Form, OnceForm, VersionedForm

KINDS = [SelectChoice(HOLDER, "Indehaver"), SelectChoice(SUBSTITUTE, "Stedfortræder i en periode")]


class DayForm(Form):
    """The day the gallery is shown as of."""

    dag = StringField("Vis som den", description="Fx 01-09-2026: så ser du, hvem der havde rollerne da.")


class FillForm(OnceForm):
    """Who is to hold a role, and when."""

    person = SelectField("Person", coerce=str)
    mailbox = StringField(
        "Eller en fællespostkasse", description="Fx pension@kommune.dk, når ingen enkelt person har rollen."
    )
    kind = RadioField("Besættes som", choices=KINDS, default=HOLDER)
    primary = BooleanField(
        "Primær",
        description="Den primære får det, der kun sendes til én i kommunen.",
    )
    valid_from = StringField("Fra og med")
    valid_to = StringField("Til og med", description="Lad feltet stå tomt, når rollen ikke har en slutdato.")
    note = TextAreaField("Note", [CleanText(NOTE_LIMIT)], description="Må ikke indeholde CPR-numre.")

    def offer(self, people: Any) -> None:
        """Let the municipality's people be chosen among."""
        self.person.choices = [SelectChoice("", "Vælg en person")] + [
            SelectChoice(str(person.id), f"{person.name} ({person.email})") for person in people
        ]


class EndForm(VersionedForm):
    """The last day of a holding."""

    last_day = StringField("Sidste dag i rollen")
