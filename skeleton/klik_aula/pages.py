"""The page with the units, and the panel on the system's page."""

from flask import Blueprint, abort, flash, redirect, render_template
from wtforms import BooleanField, StringField

from klik.plugins import Panel, Right, page_access
from klik.plugins.forms import CleanText, OnceForm
from klik_aula import units

blueprint = Blueprint("aula", __name__, template_folder="templates")


class UnitForm(OnceForm):
    """A unit; the text is trimmed, and refused with a Danish sentence if it is too long or holds a CPR number."""

    unit = StringField("Enhed", validators=[CleanText(units.LONGEST_NAME, required=True)])
    ready = BooleanField("Enheden er klar")


@blueprint.get("/")
@page_access(Right.READ_TASKS)
def show(context):
    return _page(context, UnitForm())


@blueprint.post("/")
@page_access(Right.COMMENT)
def note(context):
    form = UnitForm()
    if context.municipality is None:
        abort(403)
    if not form.validate_on_submit():
        return _page(context, form), 422
    units.note(context, context.municipality, form.unit.data, form.ready.data)
    flash(f"{form.unit.data} er gemt.", "success")
    return redirect("/p/aula/", 303)


def _page(context, form):
    if context.municipality is None and not context.kombit:
        abort(404)  # a supplier
    own = units.of(context, context.municipality)
    may_write = context.municipality is not None and context.has(Right.COMMENT)
    return render_template(
        "aula/units.html", form=form, units=own, may_write=may_write, **units.totals(context)
    )


PANEL = Panel(
    key="aula.enheder",
    title="Enheder",
    place="system",
    template="aula/panel.html",
    applies=lambda system: system.code == "aula",
    data=lambda system, context: units.totals(context),
)
