"""The forms of the support desk. No CPR number is ever taken, whatever the writer says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
    ValidationError,
)

from klik.plugins import InputError, find_cpr_numbers
from klik.plugins.forms import CleanText, DayField, Form, OnceForm, VersionedForm, accepted
from klik.plugins.kp import keys
from klik.plugins.kp.choices import COMPONENTS, CRITICALITIES, KINDS

LONGEST_TITLE, LONGEST_LINE, LONGEST_TEXT = 200, 60, 4_000
_COMPONENTS = [SelectChoice("", "Vælg komponent"), *(SelectChoice(each, each) for each in COMPONENTS)]


class ChoiceField(RadioField):
    """One of some, or none yet: a draft may wait."""

    def pre_validate(self, form: Form) -> None:
        """Nothing chosen is empty."""
        if self.data in (None, "", "None"):
            self.data = ""
        else:
            super().pre_validate(form)


class Key:
    """Validator: a key of KP's by its shape, kept as KP writes it."""

    def __init__(self, read: Callable[[str], str]) -> None:
        self.read = read

    def __call__(self, _form: Form, field: Field) -> None:
        try:
            field.data = self.read(field.data or "")
        except InputError as error:
            raise ValidationError(str(error)) from error


class CaseForm(Form):
    """What MinSupport's form "Opret sag" asks for, but for what is personal data."""

    sagstype = ChoiceField(
        "Sagstype",
        choices=[
            SelectChoice(key, f"{kind.label}: {kind.when}, {kind.example}.") for key, kind in KINDS.items()
        ],
        default="fejl",
    )
    supporttype = StringField(
        "Supporttype",
        [CleanText(LONGEST_LINE, tick=False)],
        description="Kun ved en supportsag, fx Sletning af sag eller Lokal konfiguration.",
    )
    titel = StringField("Titel", [CleanText(LONGEST_TITLE, required=True, tick=False)])
    behold = BooleanField("Behold titlen, som den er")
    beholdt = HiddenField()
    komponent = SelectField("Komponent", choices=_COMPONENTS, description="Hvor i KP det sker.")
    kritikalitet = ChoiceField(
        "Kritikalitet",
        choices=[
            SelectChoice(letter, f"{letter} {each.label}: {each.slide}. Tjeklisten: {each.checklist}.")
            for letter, each in CRITICALITIES.items()
        ],
    )
    borger = BooleanField("Sagen handler om en borger (CPR-nummeret udfyldes i MinSupport)")
    sagsnoegle = StringField(
        "Sags-ID",
        [CleanText(LONGEST_LINE, tick=False), Key(keys.case_key)],
        description="Fx FOP-QHH4QP-K-06GSD2. Står under Generel sagsinfo på sagen.",
    )
    opgavenoegle = StringField(
        "Opgave-ID",
        [CleanText(LONGEST_LINE, tick=False), Key(keys.task_key)],
        description="Fx OPG-AEP3K7LJ. Står på fanen Hændelser og i opgaven.",
    )
    dispdato = DayField(
        "Disponibel dato for udbetaling",
        description="Kun hvis en udbetaling er blokeret. Skriv datoen som 21-11-2026.",
    )
    handling = TextAreaField(
        "Hvilken handling medførte fejlen?",
        [CleanText(LONGEST_TEXT, lines=True, tick=False)],
        description="Et trin på hver linje, så fejlen kan genskabes: hvilke opgaver, knapper og oplysninger.",
    )
    proevet = TextAreaField(
        "Hvad er prøvet for at løse den?",
        [CleanText(LONGEST_TEXT, lines=True, tick=False)],
        description="Ét punkt på hver linje, også hvad I har brugt fra værktøjskassen.",
    )
    teknisk = TextAreaField(
        "Teknisk fejl",
        [CleanText(LONGEST_TEXT, lines=True, tick=False)],
        description="Kopiér fejlmeddelelsen fra KP, fx koden i “code status”.",
    )
    forventet = TextAreaField(
        "Hvad forventede du, der skete?",
        [CleanText(LONGEST_TEXT, lines=True, tick=False)],
        description="Det ønskede resultat, så konkret som muligt.",
    )
    andre = TextAreaField(
        "Opleves fejlen på andre sager?",
        [CleanText(LONGEST_TEXT, lines=True, tick=False)],
        description="Hvis ja: skriv Sags-ID og Opgave-ID på dem alle. Opret ikke en sag for hver borger.",
    )

    def values(self) -> Mapping[str, Any]:
        """The columns of kp_cases they stand for."""
        return {
            "kind": self.sagstype.data,
            "support_kind": self.supporttype.data,
            "title": self.titel.data,
            "component": self.komponent.data,
            "criticality": self.kritikalitet.data,
            "about_citizen": bool(self.borger.data),
            "case_key": self.sagsnoegle.data,
            "task_key": self.opgavenoegle.data,
            "payment_on": self.dispdato.day,
            "steps": self.handling.data,
            "tried": self.proevet.data,
            "technical": self.teknisk.data,
            "expected": self.forventet.data,
            "elsewhere": self.andre.data,
        }

    def has_cpr(self) -> bool:
        """Whether what looks like a CPR number stands in any field."""
        return any(find_cpr_numbers(field.data) for field in self if isinstance(field.data, str))

    def replace_cpr(self) -> None:
        """Put "udfyldes i MinSupport" in place of each; a key that is none any more is emptied."""
        self.let_cpr_pass()
        for field in self:
            if isinstance(field.data, str):
                rest = keys.without_cpr(field.data)
                short = field.name in ("sagsnoegle", "opgavenoegle", "dispdato")
                field.data = "" if short and rest != field.data else rest

    def let_cpr_pass(self) -> None:
        """Say to klik's last net that the request may hold them: none of what was sent is stored as it was sent."""
        for field in self:
            accepted(field.name)


class NewCaseForm(CaseForm, OnceForm):
    """A case that is not stored yet."""


class ChangeCaseForm(CaseForm, VersionedForm):
    """A draft that others may change meanwhile."""


class FiledForm(VersionedForm):
    """That the case now stands in MinSupport."""

    nummer = StringField("Sagens nummer i MinSupport", [CleanText(40, required=True, tick=False)])
    oprettet = DayField("Oprettet i MinSupport den")
    opfoelgning = DayField("Følg op den", description="Sagen kommer øverst på listen den dag.")


class FollowUpForm(VersionedForm):
    """When to look at it next."""

    opfoelgning = DayField("Følg op den")


class AnswerForm(VersionedForm):
    """What MinSupport answered."""

    svar = TextAreaField(
        "Svar fra MinSupport", [CleanText(LONGEST_TEXT, required=True, lines=True, tick=False)]
    )
    svardato = DayField("Svaret kom den")


class KnowledgeForm(Form):
    """A problem and how it is solved."""

    problem = StringField(
        "Problem",
        [CleanText(LONGEST_TITLE, required=True, tick=False)],
        description="Som kollegerne vil søge efter det.",
    )
    loesning = TextAreaField("Løsning", [CleanText(LONGEST_TEXT, required=True, lines=True, tick=False)])
    komponent = SelectField("Komponent", choices=_COMPONENTS)

    def values(self) -> Mapping[str, Any]:
        """The columns of kp_knowledge they stand for."""
        return {
            "problem": self.problem.data,
            "solution": self.loesning.data,
            "component": self.komponent.data,
        }


class NewKnowledgeForm(KnowledgeForm, OnceForm):
    """An entry that is not stored yet; ``fra`` is the case it comes from."""

    fra = HiddenField()


class ChangeKnowledgeForm(KnowledgeForm, VersionedForm):
    """An entry that others may change meanwhile."""


def shown_differences(mine: CaseForm, stored: CaseForm) -> tuple[tuple[str, str, str], ...]:
    """Each field where the two differ, as people read it: its label, what was typed, what is stored."""
    pairs = [
        (field.label.text, _shown(field), _shown(stored[field.name]))
        for field in mine
        if not isinstance(field, HiddenField | IntegerField)
    ]
    return tuple((label, typed, kept) for label, typed, kept in pairs if typed != kept)


def _shown(field: Field) -> str:
    """A field's value in words; empty where nothing is typed or chosen."""
    if isinstance(field, BooleanField):
        return "Ja" if field.data else "Nej"
    if isinstance(field, SelectField | RadioField):
        labels = {value: str(label) for value, label, *_ in field.iter_choices() if value}
        # Without the explanation that follows the word.
        return labels.get(field.data, "").partition(":")[0]
    # A browser sends line breaks as two signs.
    return "\n".join((field.data or "").splitlines())


def within(field: DayField, today: date, *, past: bool) -> bool:
    """Whether the day is no later than today (``past``) or no earlier; the field says it when it is not."""
    day = field.day
    if field.errors:
        return False
    if day is None:
        field.errors = [*field.errors, f"{field.label.text}: skriv en dato, fx {today.strftime('%d-%m-%Y')}."]
    elif past and day > today:
        field.errors = [*field.errors, f"{field.label.text}: datoen kan ikke ligge efter i dag."]
    elif not past and day < today:
        field.errors = [*field.errors, f"{field.label.text}: datoen kan ikke ligge før i dag."]
    else:
        return True
    return False


def a_week_on(today: date) -> str:
    """When one follows up, if nothing else is said."""
    return (today + timedelta(days=7)).strftime("%d-%m-%Y")
