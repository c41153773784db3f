"""The pages: the list of what is demanded and missing, KOMBIT's overview, the criteria."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, send_file

from klik.plugins import PluginContext, Right, page_access
from klik.plugins.klarmelding import agreements, criteria, forms, writing
from klik.plugins.klarmelding.agreements import Agreement, Bought
from klik.plugins.klarmelding.catalogue import interfaces
from klik.plugins.klarmelding.measure import SYSTEM
from klik.plugins.klarmelding.overview import STATES, Overview, as_workbook, overview, state
from klik.plugins.klarmelding.readiness import is_supplier, load
from klik.plugins.klarmelding.verdict import SAID

blueprint = Blueprint("klarmelding", __name__, template_folder="templates")
HOME = "/p/klarmelding/"
MOST_SHOWN = 100
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CHANGED = "En anden har ændret det imens. Se, hvad der står nu, og gem igen, hvis det stadig skal være sådan."


@blueprint.get("/")
@page_access(Right.READ_TASKS)
def show(context: PluginContext) -> Any:
    """What concerns the one who asks: a municipality's list, KOMBIT's overview, a supplier's sheets."""
    if is_supplier(context):
        return render_template("klarmelding/supplier.html", sheets=load(context), place=context.place)
    if context.kombit:
        return _overview_page(context)
    wanted = request.args.get("aftale", "")
    if not wanted or not context.has(Right.CHANGE_ANY_TASK):
        return _list_page(context)
    if wanted == "ny":
        return _agreement_page(context, forms.agreement_form(), None)
    known = _own(context, wanted)
    form = forms.agreement_form()
    form.aftale.data, form.version.data = str(known.id), known.version
    form.leverandoer.data, form.loesning.data = known.supplier, known.system
    form.spoergsmaal.data = known.questions
    form.koebt.show(known.bought_on)
    for demand in known.demands:
        form[f"krav-{demand.interface.number}"].data = True
        form[f"senest-{demand.interface.number}"].show(demand.due)
    return _agreement_page(context, form, known)


def _own(context: PluginContext, written: str) -> Agreement:
    found = next((each for each in agreements.own(context) if str(each.id) == written), None)
    if found is None:
        abort(404)
    return found


def _list_page(context: PluginContext) -> str:
    bought = agreements.own(context)
    sheets = load(context)
    of_list = {each.sheet.id for each in bought if each.sheet}
    return render_template(
        "klarmelding/list.html",
        agreements=bought,
        others=[each for each in sheets if each.whole and each.id not in of_list],
        published=[each for each in sheets if not each.whole],
        form=forms.SheetForm(),
        may_write=context.has(Right.CHANGE_ANY_TASK),
        today=context.today,
        said=SAID,
        place=context.place,
    )


def _agreement_page(
    context: PluginContext, form: Any, known: Agreement | None, status: int = 200
) -> tuple[str, int]:
    if form.version.data is None:
        form.version.data = 0
    page = render_template(
        "klarmelding/agreement.html",
        form=form,
        known=known,
        interfaces=interfaces().values(),
        place=context.place,
    )
    return page, status


def _chosen(context: PluginContext) -> Overview:
    return overview(
        load(context), request.args.get("leverandoer", "")[:150], request.args.get("snitflade", "")[:20]
    )


def _overview_page(context: PluginContext) -> str:
    shown = _chosen(context)
    return render_template(
        "klarmelding/overview.html",
        shown=shown,
        rows=shown.sheets[:MOST_SHOWN],
        unlisted=max(len(shown.sheets) - MOST_SHOWN, 0),
        all_interfaces=interfaces().values(),
        supplier=request.args.get("leverandoer", "")[:150],
        interface=request.args.get("snitflade", "")[:20],
        query=request.query_string.decode("ascii", "ignore"),
        state=state,
        states=STATES,
        said=SAID,
    )


@blueprint.get("/overblik.xlsx")
@page_access(Right.PUBLISH)
def overview_file(context: PluginContext) -> Any:
    """KOMBIT's overview as Excel."""
    return send_file(
        io.BytesIO(as_workbook(_chosen(context))),
        XLSX,
        as_attachment=True,
        download_name="klarmeldinger.xlsx",
    )


@blueprint.post("/aftaler")
@page_access(Right.CHANGE_ANY_TASK)
def write_agreement(context: PluginContext) -> Any:
    """Put a system on the municipality's list, change it, take it off, or begin a sheet of it."""
    act = request.form.get("act", "gem")
    if act == "ark":
        return _new_sheet(context)
    if act == "fjern":
        known = _own(context, request.form.get("aftale", ""))
        agreements.remove(context, known.id)
        flash(f"{known.system} er taget af listen. Arkene er der stadig.", "success")
        return redirect(HOME, 303)
    form = forms.agreement_form()
    known = _own(context, form.aftale.data) if form.aftale.data else None
    if not form.validate_on_submit():
        return _agreement_page(context, form, known, 422)
    bought = Bought(
        supplier=form.leverandoer.data,
        system=form.loesning.data,
        bought_on=form.koebt.day,
        questions=form.spoergsmaal.data,
        demands={
            number: form[f"senest-{number}"].day for number in interfaces() if form[f"krav-{number}"].data
        },
    )
    try:
        kept = agreements.keep(context, bought, known.id if known else None, form.version.data)
    except agreements.ThereAlreadyError:
        form.loesning.errors = ["System: kommunen har allerede dette system fra denne leverandør på listen."]
        return _agreement_page(context, form, known, 422)
    if kept is None:
        form.form_errors.append(CHANGED)
        assert known is not None
        form.version.data = known.version
        form.version.raw_data = None
        return _agreement_page(context, form, known, 409)
    flash(f"{bought.system} er gemt.", "success")
    return redirect(HOME, 303)


def _new_sheet(context: PluginContext) -> Any:
    known = _own(context, request.form.get("aftale", ""))
    form = forms.SheetForm()
    if not form.validate_on_submit():
        flash(" ".join(str(error) for errors in form.errors.values() for error in errors), "error")
        return redirect(HOME, 303)
    assert context.municipality is not None
    try:
        made = writing.make(context, context.municipality, known.supplier, known.system, form.udgave.data)
    except writing.ThereAlreadyError:
        flash(f"Der er allerede et ark for {known.system} i den version.", "error")
        return redirect(HOME, 303)
    return redirect(f"/p/klarmelding/ark/{made}", 303)


@blueprint.get("/snitflader")
@page_access(Right.READ_TASKS)
def show_interfaces(context: PluginContext) -> Any:
    """The 21 interfaces and their criteria; KOMBIT writes them."""
    number = request.args.get("snitflade", "")
    if number and (number not in interfaces() or not context.has(Right.PUBLISH)):
        abort(404)
    return _interfaces_page(context, number, None)


def _interfaces_page(context: PluginContext, number: str, refused: Any, status: int = 200) -> tuple[str, int]:
    assert context.store is not None
    held = criteria.in_force(context.store)
    drawn = []
    for each in held.get(number, ()) if number else ():
        if refused is not None and refused.nr.data == str(each.number):
            drawn.append(refused)
            continue
        form = forms.CriterionForm(formdata=None, prefix="")
        form.snitflade.data, form.nr.data = number, str(each.number)
        form.ordlyd.data, form.version.data = each.text, each.edition
        drawn.append(form)
    if number:
        if refused is not None and not refused.nr.data:
            drawn.append(refused)
        else:
            form = forms.CriterionForm(formdata=None)
            form.snitflade.data, form.nr.data, form.version.data = number, "", 0
            drawn.append(form)
    for form in drawn:
        mark = form.nr.data or "ny"
        form.ordlyd.id = f"ordlyd-{mark}"
        form.ordlyd.label.text = f"Kriterium {form.nr.data}" if form.nr.data else "Nyt kriterium"
    page = render_template(
        "klarmelding/interfaces.html",
        interfaces=interfaces().values(),
        held=held,
        writing=interfaces().get(number),
        drawn=drawn,
        refused=refused,
        may_write=context.has(Right.PUBLISH),
    )
    return page, status


@blueprint.post("/snitflader")
@page_access(Right.PUBLISH)
def write_criterion(context: PluginContext) -> Any:
    """Add a criterion, word it anew, or (empty) withdraw it."""
    form = forms.CriterionForm()
    number = form.snitflade.data or ""
    if number not in interfaces():
        abort(404)
    if not form.validate_on_submit():
        return _interfaces_page(context, number, form, 422)
    written = form.nr.data or ""
    if written and written not in {str(each) for each in range(1, criteria.MOST + 1)}:
        abort(404)
    text = " ".join(form.ordlyd.data.split())
    try:
        if written:
            criteria.write(context, number, int(written), text, form.version.data)
        elif not text:
            form.ordlyd.errors = ["Kriterium: skriv, hvad der skal være opfyldt."]
            return _interfaces_page(context, number, form, 422)
        else:
            criteria.add(context, number, text)
    except criteria.TooManyCriteriaError:
        form.ordlyd.errors = [f"Kriterium: en snitflade kan højst have {criteria.MOST} kriterier."]
        return _interfaces_page(context, number, form, 422)
    except criteria.ChangedMeanwhileError:
        form.ordlyd.errors = [CHANGED]
        form.version.data = _edition(context, number, int(written))
        form.version.raw_data = None
        return _interfaces_page(context, number, form, 409)
    flash("Kriterierne er gemt." if text else "Kriteriet er trukket tilbage.", "success")
    return redirect(f"/p/klarmelding/snitflader?snitflade={number}", 303)


def _edition(context: PluginContext, interface: str, number: int) -> int:
    assert context.store is not None
    held = {each.number: each.edition for each in criteria.in_force(context.store)[interface]}
    return held.get(number, 0)


def back() -> tuple[str, str]:
    """The way back to the system's page."""
    return f"/systemer/{SYSTEM}", "Den fælleskommunale infrastruktur"
