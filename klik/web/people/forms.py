"""The forms about people, and about oneself."""

from __future__ import annotations

from collections.abc import Iterable

from wtforms import BooleanField, PasswordField, RadioField, SelectChoice, SelectMultipleField, StringField
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from klik.domain.rights import Level
from klik.models import System
from klik.services.people import NAME_LIMIT, ORGANISATION_LIMIT, PHONE_LIMIT
from klik.web.forms import CleanText, Form, OnceForm, VersionedForm


class Ticks(SelectMultipleField):
    """Several of a list, each with a box of its own."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


def _level() -> RadioField:
    return RadioField("Adgang", validators=[InputRequired("Adgang: vælg en.")])


def _systems() -> Ticks:
    return Ticks("Systemer", description="Plusbrugere får besked om nye opgaver for de systemer, de følger.")


class _Offering:
    """What may be chosen: the levels the actor may give, and the systems there are."""

    level: RadioField
    systems: Ticks
    levels: tuple[Level, ...] = ()

    def offer(self, levels: Iterable[Level], systems: Iterable[System]) -> None:
        """Set the choices."""
        self.levels = tuple(levels)
        self.level.choices = [SelectChoice(level.value, level.label) for level in self.levels]
        self.systems.choices = [SelectChoice(system.code, system.name) for system in systems]


class NewPersonForm(_Offering, OnceForm):
    """Somebody to let in."""

    name = StringField("Navn", [CleanText(NAME_LIMIT, required=True, tick=False)])
    email = StringField("Mailadresse", [CleanText(320, required=True, tick=False)])
    phone = StringField("Telefon", [CleanText(PHONE_LIMIT, tick=False)])
    level = _level()
    organisation = StringField(
        "Virksomhed", [CleanText(ORGANISATION_LIMIT, tick=False)], description="Kun for leverandører."
    )
    systems = _systems()
    address_is_right = BooleanField("Ja, adressen er rigtig")
    existing_is_right = BooleanField("Ja, det er den samme person")


class PersonForm(_Offering, VersionedForm):
    """Somebody who is in klik already."""

    name = StringField("Navn", [CleanText(NAME_LIMIT, required=True, tick=False)])
    phone = StringField("Telefon", [CleanText(PHONE_LIMIT, tick=False)])
    level = _level()
    systems = _systems()


class AddressForm(VersionedForm):
    """Somebody's new address, written by an administrator."""

    email = StringField("Ny mailadresse", [CleanText(320, required=True)])
    address_is_right = BooleanField("Ja, adressen er rigtig")


class OwnAddressForm(Form):
    """The address one wants instead."""

    email = StringField("Ny mailadresse", [CleanText(320, required=True)])
    address_is_right = BooleanField("Ja, adressen er rigtig")
    password = PasswordField("Adgangskode", [InputRequired("Adgangskode: skal udfyldes.")])


class ProfileForm(Form):
    """One's own name and phone."""

    name = StringField("Navn", [CleanText(NAME_LIMIT, required=True, tick=False)])
    phone = StringField("Telefon", [CleanText(PHONE_LIMIT, tick=False)])


class OwnPasswordForm(Form):
    """A new password for oneself."""

    current = PasswordField("Nuværende adgangskode", [InputRequired("Nuværende adgangskode: skal udfyldes.")])
    password = PasswordField("Ny adgangskode", [InputRequired("Ny adgangskode: skal udfyldes.")])
