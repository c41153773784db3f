"""Choosing the municipalities a KLIK-opgave goes to: the fields of the form, and the choice they come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from wtforms import (
    BooleanField,
    Form,
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.widgets import CheckboxInput, ListWidget

from klik.domain.municipality_names import understand
from klik.models import Municipality, Project, Wave
from klik.services.errors import RefusedError
from klik.services.publishing import audience as chosen
from klik.services.publishing.audience import RecipientChoice, strangers_sentence
from klik.services.work import Work
from klik.web.forms import CleanText

LIST_LIMIT = 20_000
LABELS: Mapping[str, str] = {
    chosen.WITH_SYSTEM: "Alle, der har projektets system",
    chosen.ALL: "Alle kommuner",
    chosen.WAVES: "Kommuner i bestemte bølger",
    chosen.REGIONS: "Kommuner i bestemte regioner",
    chosen.LISTED: "Bestemte kommuner",
    chosen.ALL_EXCEPT: "Alle undtagen bestemte kommuner",
}


class _Ticks(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class RecipientFields(Form):
    """The part of a form that says whom the task is for; ``fill_recipients`` gives it its lists."""

    recipients = RadioField(
        "Modtagere",
        choices=[SelectChoice(value, label) for value, label in LABELS.items()],
        default=chosen.WITH_SYSTEM,
    )
    codes = TextAreaField(
        "Sæt en liste ind",
        [CleanText(LIST_LIMIT, lines=True, tick=False)],
        description="Navne eller koder, som de står i Excel eller en mail: på hver sin linje eller med komma, "
        "semikolon eller tabulator imellem.",
    )
    municipalities = _Ticks("Eller sæt kryds ved kommunerne")
    waves = _Ticks("Bølger")
    regions = _Ticks("Regioner")
    only_system = BooleanField(
        "Kun dem, der har projektets system",
        description="Gælder, når der er valgt bølger, regioner, bestemte kommuner eller undtagelser.",
    )

    names: Mapping[int, str] = {}

    def validate_codes(self, field: StringField) -> None:
        """Every stranger in the list is named where the list stands."""
        if self.recipients.data in (chosen.LISTED, chosen.ALL_EXCEPT):
            understood = understand(field.data or "", self.names)
            if understood.strangers:
                raise ValidationError(strangers_sentence(understood))


def fill_recipients(work: Work, project: Project, form: RecipientFields) -> None:
    """Give the form the municipalities, the regions, and the waves of the project's system."""
    municipalities = work.session.execute(
        select(Municipality.id, Municipality.name, Municipality.region)
        .where(Municipality.active.is_(True))
        .order_by(Municipality.name_key)
    ).all()
    form.names = {code: name for code, name, _region in municipalities}
    form.municipalities.choices = [
        SelectChoice(f"{code:03d}", name) for code, name, _region in municipalities
    ]
    regions = sorted({region for _code, _name, region in municipalities})
    form.regions.choices = [SelectChoice(region, region) for region in regions]
    waves = work.session.execute(
        select(Wave.system_code, Wave.slug, Wave.name)
        .where(Wave.system_code == (project.system_code or ""))
        .order_by(Wave.position)
    )
    form.waves.choices = [SelectChoice(f"{system}/{slug}", name) for system, slug, name in waves]
    if project.system_code is None:
        form.only_system.data = False


def read_choice(form: RecipientFields) -> RecipientChoice:
    """Whom the task is for, as it was chosen; raises RefusedError for a list that cannot be understood."""
    kind = form.recipients.data or ""
    if kind in (chosen.LISTED, chosen.ALL_EXCEPT):
        understood = understand(form.codes.data or "", form.names)
        if understood.strangers:
            raise RefusedError({"codes": strangers_sentence(understood)})
        codes = {*understood.codes, *map(int, form.municipalities.data or ())}
        values = tuple(f"{code:03d}" for code in sorted(codes))
    elif kind == chosen.WAVES:
        values = tuple(form.waves.data or ())
    elif kind == chosen.REGIONS:
        values = tuple(form.regions.data or ())
    else:
        return RecipientChoice(kind)
    return RecipientChoice(kind, values, bool(form.only_system.data))


def recipient_data(choice: RecipientChoice | None) -> dict[str, Any]:
    """What the fields hold for a choice that was made before, so that a stored draft opens as it was left."""
    if choice is None:
        return {}
    data: dict[str, Any] = {"recipients": choice.kind, "only_system": choice.only_system}
    place = {
        chosen.LISTED: "municipalities",
        chosen.ALL_EXCEPT: "municipalities",
        chosen.WAVES: "waves",
        chosen.REGIONS: "regions",
    }.get(choice.kind)
    return data | ({place: list(choice.values)} if place else {})


def understood_sentence(form: RecipientFields) -> str:
    """ "Listen er forstået som 12 kommuner; 1 stod der to gange." Empty where no list was pasted."""
    if form.recipients.data not in (chosen.LISTED, chosen.ALL_EXCEPT) or not (form.codes.data or "").strip():
        return ""
    understood = understand(form.codes.data or "", form.names)
    count = len(understood.codes)
    words = f"Listen er forstået som {count} {'kommune' if count == 1 else 'kommuner'}"
    twice = understood.repeated
    return f"{words}; {twice} stod der mere end én gang." if twice else f"{words}."
