"""The forms: what KOMBIT, a municipality and a supplier each write."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from klik.plugins.forms import CleanText, DayField, Form, OnceForm, VersionedForm
from klik.plugins.klarmelding import agreements, criteria, writing
from klik.plugins.klarmelding.catalogue import interfaces
from klik.plugins.klarmelding.criteria import Criterion
from klik.plugins.klarmelding.verdict import NO, SAID, YES

YES_OR_NO = ((YES, "Ja"), (NO, "Nej"))
OPEN = "aaben"


def _choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in pairs]


class AgreementForm(OnceForm, VersionedForm):
    """A system bought under SKI 02.19; a tick and a day for each interface are added by ``agreement_form``."""

    aftale = HiddenField()
    leverandoer = StringField("Leverandør", [CleanText(agreements.LONGEST_NAME, required=True, tick=False)])
    loesning = StringField("System", [CleanText(agreements.LONGEST_NAME, required=True, tick=False)])
    koebt = DayField("Købt den")
    spoergsmaal = TextAreaField(
        "Egne spørgsmål til leverandøren", [CleanText(agreements.LONGEST_QUESTIONS, lines=True)]
    )


def agreement_form() -> Any:
    """The form with its 21 ticks ("krav-SF0810") and days ("senest-SF0810")."""
    fields: dict[str, Any] = {}
    for number, interface in interfaces().items():
        fields[f"krav-{number}"] = BooleanField(f"{number} {interface.name}")
        fields[f"senest-{number}"] = DayField(f"Senest klar, {number}")
    return _made("FilledAgreementForm", AgreementForm, fields)


class DeclareForm(VersionedForm):
    """The supplier's answers; a choice and a remark for each interface are added by ``declare_form``."""


def declare_form(numbers: Iterable[str]) -> Any:
    """The form with a choice ("siger-SF0810") and a remark ("bem-SF0810") for each interface."""
    fields: dict[str, Any] = {}
    for number in numbers:
        label = f"{number} {interfaces()[number].name}"
        fields[f"siger-{number}"] = SelectField(label, choices=_choices(SAID.items()), default="")
        fields[f"bem-{number}"] = StringField(
            f"Bemærkning til {number}", [CleanText(writing.LONGEST_REMARK, tick=False)]
        )
    return _made("FilledDeclareForm", DeclareForm, fields)


class ConfirmForm(VersionedForm):
    """What the municipality says of one interface; its criteria are added by ``confirm_form``."""

    klarmeldt = RadioField("Klarmeldt", choices=_choices(YES_OR_NO), default=NO)
    bemaerkninger = TextAreaField(
        "Bemærkninger", [CleanText(writing.LONGEST_REMARK, lines=True, tick=False)], render_kw={"rows": 3}
    )


def confirm_form(held: Iterable[Criterion]) -> Any:
    """The form with an answer ("svar-2") and a remark ("note-2") for each criterion."""
    fields: dict[str, Any] = {}
    choices = (*YES_OR_NO, (OPEN, "Ikke besvaret"))
    for each in held:
        fields[f"svar-{each.number}"] = RadioField(
            f"Kriterium {each.number}", choices=_choices(choices), default=OPEN, description=each.text
        )
        fields[f"note-{each.number}"] = StringField(
            f"Bemærkning til kriterium {each.number}", [CleanText(writing.LONGEST_REMARK, tick=False)]
        )
    return _made("FilledConfirmForm", ConfirmForm, fields)


class SheetForm(OnceForm):
    """A new sheet of a system on the list."""

    udgave = StringField("Arkets version, fx 01.00", [CleanText(writing.LONGEST_EDITION, tick=False)])


class CriterionForm(VersionedForm, OnceForm):
    """A criterion's wording; empty withdraws it."""

    snitflade = HiddenField()
    nr = HiddenField()
    ordlyd = TextAreaField(
        "Kriterium", [CleanText(criteria.LONGEST, lines=True, tick=False)], render_kw={"rows": 4}
    )


def _made(name: str, base: type[Form], fields: dict[str, Any]) -> Any:
    return type(name, (base,), fields)()
