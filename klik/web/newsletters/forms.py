"""The form a newsletter is written in, and how its readers are chosen."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from klik.domain.markdown import LIMIT
from klik.domain.rights import Level
from klik.models import Municipality, Newsletter, System, Wave
from klik.services.newsletters.audience import EVERY_HOLDER, LEVELS, PRIMARY, USUAL_LEVELS, Audience
from klik.services.newsletters.letter import BODY, SUBJECT, SUBJECT_LIMIT, Words
from klik.services.work import Work
from klik.web.forms import CleanText, Form, OnceForm, VersionedForm

TICKED = ("levels", "roles", "systems", "regions", "waves")


class _Ticks(SelectMultipleField):
    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class LetterForm(OnceForm):
    """Words and readers; ``version`` is empty while nothing is stored."""

    version = IntegerField(widget=HiddenInput(), default=0)
    subject = StringField(
        SUBJECT,
        [CleanText(SUBJECT_LIMIT, required=True, tick=False)],
        description=f"Én linje, som står i modtagerens indbakke. Højst {SUBJECT_LIMIT} tegn.",
    )
    body = TextAreaField(
        BODY,
        [CleanText(LIMIT, lines=True, tick=False)],
        description="Markdown, som i opgavernes tekster: ## giver en overskrift, - et punkt og "
        "[ord](https://adresse.dk) et link. Billeder kan ikke være med.",
    )
    levels = _Ticks(
        "Brugere af klik",
        choices=[SelectChoice(level, Level(level).label) for level in LEVELS],
        default=list(USUAL_LEVELS),
    )
    roles = _Ticks("Indehavere af roller")
    holders = RadioField(
        "Hvem af rollens indehavere",
        choices=[
            SelectChoice(EVERY_HOLDER, "Alle indehavere, også stedfortrædere og fællespostkasser"),
            SelectChoice(PRIMARY, "Kun den primære"),
        ],
        default=EVERY_HOLDER,
    )
    systems = _Ticks(
        "Kommuner med systemet",
        description="Plusbrugere, der kun følger andre systemer, er ikke med.",
    )
    regions = _Ticks("Kommuner i regionen")
    waves = _Ticks("Kommuner i bølgen")
    subscribers = BooleanField(
        "De, der selv har tilmeldt sig",
        default=True,
        description="Også uden for kommunerne. De får brevet, hvad der end er valgt af kommuner.",
    )


def letter_form(work: Work, row: Newsletter | None = None) -> LetterForm:
    """The form, filled from the request, else from what is stored, else as a new letter usually is."""
    data: dict[str, Any] | None = None
    if row is not None:
        audience = Audience.parse(row.audience)
        data = {name: list(getattr(audience, name)) for name in TICKED}
        data |= {"holders": audience.holders, "subscribers": audience.subscribers}
        data |= {"version": row.version, "subject": row.subject, "body": row.body}
    form = LetterForm(data=data)
    session = work.session
    form.roles.choices = [SelectChoice(role.slug, role.name) for role in work.registry.content.roles]
    systems = session.execute(
        select(System.code, System.name).where(System.installed.is_(True)).order_by(System.name)
    )
    form.systems.choices = [SelectChoice(code, name) for code, name in systems]
    form.regions.choices = [
        SelectChoice(region, region)
        for region in sorted(set(session.scalars(select(Municipality.region).distinct())))
    ]
    waves = session.execute(
        select(Wave.system_code, Wave.slug, Wave.name, System.name)
        .join(System, System.code == Wave.system_code)
        .order_by(System.name, Wave.position)
    )
    form.waves.choices = [
        SelectChoice(f"{code}/{slug}", f"{system}: {name}") for code, slug, name, system in waves
    ]
    return form


def read_words(form: LetterForm) -> Words:
    """What was typed."""
    return Words(form.subject.data or "", form.body.data or "")


def read_audience(form: LetterForm) -> Audience:
    """What was chosen."""
    return Audience(
        holders=form.holders.data or EVERY_HOLDER,
        subscribers=bool(form.subscribers.data),
        **{name: tuple(form[name].data or ()) for name in TICKED},
    )


class SendForm(VersionedForm, OnceForm):
    """When it goes: at once with a tick, or at a time that is typed."""

    when = HiddenField(default="nu")
    at = StringField(
        "Tidspunkt",
        [CleanText(60, tick=False)],
        description="Fx “mandag kl. 8” eller “23-11-2026 kl. 08.00”.",
    )
    sure = BooleanField("Ja, send nyhedsbrevet nu")


class SignUpForm(Form):
    """An address that wants the newsletter."""

    email = StringField("Mailadresse", [CleanText(254, required=True, tick=False)])
