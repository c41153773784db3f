"""The page where everybody chooses when klik mails them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, render_template
from wtforms import SelectChoice, SelectField
from wtforms.validators import InputRequired

from klik.domain.calendar import weekday
from klik.domain.deadlines import danish_today
from klik.domain.rights import Right
from klik.services.errors import RefusedError
from klik.services.notices import preferences
from klik.services.notices.preferences import Choices
from klik.services.work import Work
from klik.web.base import access, see_other
from klik.web.forms import VersionedForm
from klik.web.people.forms import Ticks

blueprint = Blueprint("preferences", __name__, url_prefix="/varsler/indstillinger")


class PreferencesForm(VersionedForm):
    """The hour and the days before a deadline; the groups of occasions are added to it."""

    hour = SelectField("Klokkeslæt", coerce=int, validators=[InputRequired("Klokkeslæt: vælg et.")])
    days_before = Ticks(
        "Påmind mig før en frist",
        coerce=int,
        choices=[
            SelectChoice(day, "Dagen før" if day == 1 else f"{day} dage før") for day in preferences.DAYS
        ],
    )


class NewStartForm(VersionedForm):
    """Back to what is usual."""


def _form(work: Work, choices: Choices, *, filled: bool) -> tuple[PreferencesForm, list[str]]:
    """The form as it was sent in, or with ``filled`` as it stands; and the names of its groups of occasions."""
    groups = preferences.groups(work)
    names = [f"straks_{number}" for number in range(1, len(groups) + 1)]

    class WholeForm(PreferencesForm):
        """With a field for each group of occasions."""

    for name, group in zip(names, groups, strict=True):
        usual = ", ".join(label for key, label in group.occasions.items() if key in group.at_once)
        hint = (
            f"Klik plejer at sende straks: {usual}." if usual else "Klik plejer at samle dem i dagens mail."
        )
        setattr(
            WholeForm,
            name,
            Ticks(
                group.label,
                choices=[SelectChoice(*each) for each in group.occasions.items()],
                description=hint,
            ),
        )
    standing = {
        name: [key for key in group.occasions if key in choices.at_once]
        for name, group in zip(names, groups, strict=True)
    }
    data = {"hour": choices.hour, "days_before": sorted(choices.days_before, reverse=True)} | standing
    form = WholeForm(formdata=None, data=data | {"version": choices.version}) if filled else WholeForm()
    form.hour.choices = [
        SelectChoice(hour, f"kl. {hour:02d}.00") for hour in sorted({*preferences.HOURS, choices.hour})
    ]
    return form, names


@blueprint.get("")
@access(Right.SIGNED_IN)
def index(work: Work) -> str:
    """What is chosen, and when the next mail comes."""
    choices = preferences.read(work)
    return _page(work, choices, *_form(work, choices, filled=True))


@blueprint.post("")
@access(Right.SIGNED_IN)
def store(work: Work) -> Any:
    """Store the choice; what waits moves to its new time."""
    choices = preferences.read(work)
    form, names = _form(work, choices, filled=False)
    if not form.validate():
        _whole(form)
        return _page(work, choices, form, names), 422
    at_once = {key for name in names for key in form[name].data or ()}
    try:
        preferences.choose(work, form.hour.data, at_once, form.days_before.data or (), form.version.data or 0)
    except RefusedError as refused:
        form.form_errors.extend(refused.problems.values())
        return _page(work, choices, form, names), 422
    flash("Dine valg er gemt.", "success")
    return see_other("preferences.index")


@blueprint.post("/nulstil")
@access(Right.SIGNED_IN)
def reset(work: Work) -> Any:
    """Back to what is usual."""
    form = NewStartForm()
    if not form.validate():
        abort(400)
    preferences.reset(work, form.version.data or 0)
    flash("Dine mails kommer igen, som klik plejer at sende dem.", "success")
    return see_other("preferences.index")


def _whole(form: VersionedForm) -> None:
    """Nobody types a version; one that is no number was never on a page."""
    if form.version.errors:
        abort(400)


def _page(work: Work, choices: Choices, form: PreferencesForm, names: list[str]) -> str:
    coming = preferences.next_mail(work)
    return render_template(
        "notices/preferences.html",
        form=form,
        names=names,
        choices=choices,
        coming=coming,
        coming_day=weekday(danish_today(coming.at)),
    )
