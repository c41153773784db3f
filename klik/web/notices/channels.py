"""The channels beside the mail: which system's tasks they are told of, a trial, and the end."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, render_template
from wtforms import SelectChoice, SelectField, SelectMultipleField
from wtforms.widgets import CheckboxInput, ListWidget

from klik.domain.rights import Right
from klik.services import systems
from klik.services.errors import ConflictError, RefusedError
from klik.services.notices import channels
from klik.services.work import Work
from klik.web.base import access, see_other
from klik.web.forms import Form, VersionedForm

blueprint = Blueprint("channels", __name__)


class _Ticks(SelectMultipleField):
    """Choices to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class RouteForm(Form):
    """A channel, a system and what is told."""

    channel = SelectField("Kanal")
    system = SelectField("System")
    occasions = _Ticks(
        "Anledninger",
        description="Det, kanalen får besked om.",
        choices=[SelectChoice(value, label) for value, label in channels.OFFERED.items()],
    )

    def offer(self, work: Work) -> None:
        """What there is to choose between."""
        self.channel.choices = [
            SelectChoice(key, label) for key, label in channels.offered_channels(work).items()
        ]
        self.system.choices = [SelectChoice(each.code, each.name) for each in systems.all_systems(work)]


class EndForm(VersionedForm):
    """The version of the route that is ended."""


@blueprint.get("/varsler/kanaler")
@access(Right.READ_OPERATIONS)
def index(work: Work) -> Any:
    """The channels in use, and the form for one more."""
    return _page(work, _form(work))


@blueprint.post("/varsler/kanaler")
@access(Right.READ_OPERATIONS)
def add(work: Work) -> Any:
    """Tie a channel to a system."""
    form = _form(work)
    if not form.validate_on_submit():
        return _page(work, form), 422
    try:
        channels.add(work, form.channel.data, form.system.data, form.occasions.data or [])
    except RefusedError as error:
        for name, sentence in error.problems.items():
            form[name].errors = [*form[name].errors, sentence]
        return _page(work, form), 422
    flash("Kanalen får nu besked. Send en prøve for at se, at den virker.", "success")
    return see_other("channels.index")


@blueprint.post("/varsler/kanaler/<id:route_id>/afslut")
@access(Right.READ_OPERATIONS)
def end(work: Work, route_id: int) -> Any:
    """Nothing more goes there."""
    form = EndForm()
    if not form.validate_on_submit():
        flash("Formularen er for gammel. Prøv igen.", "error")
        return _page(work, _form(work)), 422
    try:
        channels.end(work, route_id, form.version.data or 0)
    except ConflictError:
        flash("Kanalen er ændret af en anden, siden du åbnede siden. Se den igen her.", "warning")
        return _page(work, _form(work)), 409
    flash("Kanalen får ikke besked mere.", "success")
    return see_other("channels.index")


@blueprint.post("/varsler/kanaler/<id:route_id>/proeve")
@access(Right.READ_OPERATIONS)
def try_out(work: Work, route_id: int) -> Any:
    """Send a trial."""
    channels.try_out(work, route_id)
    flash("Prøven er på vej. Under Varsler står, om den kom frem.", "success")
    return see_other("channels.index")


def _form(work: Work) -> RouteForm:
    form = RouteForm()
    form.offer(work)
    return form


def _page(work: Work, form: RouteForm) -> str:
    return render_template(
        "notices/channels.html",
        form=form,
        routes=channels.routes(work),
        offered=channels.offered_channels(work),
    )
