"""The pages of one sheet, and of the meeting with a supplier."""

from __future__ import annotations

import io
from typing import Any

from flask import abort, flash, redirect, render_template, request, send_file

from klik.plugins import Document, PluginContext, Right, long_date, page_access, search_key
from klik.plugins.klarmelding import agreements, forms, readiness, writing
from klik.plugins.klarmelding.catalogue import interfaces
from klik.plugins.klarmelding.meeting import Meeting, meeting
from klik.plugins.klarmelding.pages import CHANGED, HOME, XLSX, blueprint
from klik.plugins.klarmelding.readiness import Line, ReadinessSheet, is_supplier, may_confirm
from klik.plugins.klarmelding.tables import sheets as sheet_rows
from klik.plugins.klarmelding.verdict import NO, SAID, YES
from klik.plugins.klarmelding.workbook import as_workbook
from klik.plugins.klarmelding.writing import Confirmed

ANSWERS = {YES: True, NO: False}


def _sheet(context: PluginContext, sheet_id: int) -> ReadinessSheet:
    demanded = [
        (each.supplier_key, each.system_key, demand.interface.number)
        for each in agreements.own(context)
        for demand in each.demands
    ]
    found = readiness.load(context, sheet_rows.c.id == sheet_id, demanded=demanded)
    if not found:
        abort(404)
    return found[0]


@blueprint.get("/ark/<id:sheet_id>")
@page_access(Right.READ_TASKS)
def show_sheet(context: PluginContext, sheet_id: int) -> Any:
    """One sheet; ``?vis=selvangivelse`` to write the supplier's answers, ``?snitflade=SF0810`` to confirm one."""
    sheet = _sheet(context, sheet_id)
    may = may_confirm(context, sheet.municipality)
    number = request.args.get("snitflade", "")
    if number:
        if number not in interfaces():
            abort(404)
        return _interface_page(
            context, sheet, sheet.line(number), _confirming(sheet.line(number)) if may else None
        )
    if is_supplier(context) or (may and request.args.get("vis") == "selvangivelse"):
        return _declare_page(context, sheet, _declaring(context, sheet))
    return _page(context, sheet)


def _page(context: PluginContext, sheet: ReadinessSheet) -> str:
    return render_template(
        "klarmelding/sheet.html",
        sheet=sheet,
        said=SAID,
        may_confirm=may_confirm(context, sheet.municipality),
        may_publish=context.kombit and context.has(Right.PUBLISH),
    )


def _open_to(context: PluginContext, sheet: ReadinessSheet) -> list[str]:
    """The interfaces whose declaration the actor may write: a municipality not those the supplier wrote itself."""
    return [line.interface.number for line in sheet.lines if is_supplier(context) or not line.by_supplier]


def _declaring(context: PluginContext, sheet: ReadinessSheet) -> Any:
    form = forms.declare_form(_open_to(context, sheet))
    form.version.data = sheet.version
    for number in _open_to(context, sheet):
        line = sheet.line(number)
        form[f"siger-{number}"].data, form[f"bem-{number}"].data = line.said, line.supplier_remark
    return form


def _declare_page(
    context: PluginContext, sheet: ReadinessSheet, form: Any, status: int = 200
) -> tuple[str, int]:
    page = render_template(
        "klarmelding/declare.html",
        sheet=sheet,
        form=form,
        said=SAID,
        writable=_open_to(context, sheet),
        supplier=is_supplier(context),
    )
    return page, status


def _confirming(line: Line) -> Any:
    form = forms.confirm_form(line.criteria)
    form.klarmeldt.data, form.bemaerkninger.data = YES if line.said_ready else NO, line.remark
    for each in line.criteria:
        answer = line.answer(each)
        form[f"svar-{each.number}"].data = {True: YES, False: NO, None: forms.OPEN}[answer.met]
        form[f"note-{each.number}"].data = answer.remark
    return form


def _interface_page(
    context: PluginContext, sheet: ReadinessSheet, line: Line, form: Any, status: int = 200
) -> tuple[str, int]:
    if form is not None and form.version.data is None:
        form.version.data = sheet.version
    page = render_template(
        "klarmelding/interface.html",
        sheet=sheet,
        line=line,
        form=form,
        said=SAID,
        supplier=is_supplier(context),
    )
    return page, status


@blueprint.post("/ark/<id:sheet_id>")
@page_access(Right.READ_TASKS)
def write_sheet(context: PluginContext, sheet_id: int) -> Any:
    """The supplier's answers, the municipality's confirmation, KOMBIT's publishing, or the end of the sheet."""
    sheet = _sheet(context, sheet_id)
    act = request.form.get("act", "")
    may = may_confirm(context, sheet.municipality)
    if act == "selvangivelse" and (may or is_supplier(context)):
        return _declare(context, sheet)
    if act == "bekraeft" and may:
        return _confirm(context, sheet)
    if act == "slet" and may:
        writing.remove(context, sheet.id)
        flash(f"Arket for {sheet.name} er slettet.", "success")
        return redirect(HOME, 303)
    if act in ("udgiv", "traek-tilbage") and context.kombit and context.has(Right.PUBLISH):
        writing.publish(context, sheet.id, shown=act == "udgiv")
        flash(
            "Alle kommuner kan nu se arket uden bemærkninger."
            if act == "udgiv"
            else "Arket er ikke længere udgivet.",
            "success",
        )
        return redirect(f"/p/klarmelding/ark/{sheet.id}", 303)
    return abort(403)


def _declare(context: PluginContext, sheet: ReadinessSheet) -> Any:
    writable = _open_to(context, sheet)
    form = forms.declare_form(writable)
    if not form.validate_on_submit():
        return _declare_page(context, sheet, form, 422)
    if not writing.take(context, sheet.id, form.version.data):
        return _declare_page(context, sheet, _conflict(form, sheet), 409)
    many = sum(
        writing.declare(
            context,
            sheet.id,
            sheet.municipality,
            number,
            form[f"siger-{number}"].data,
            form[f"bem-{number}"].data,
        )
        for number in writable
    )
    words = {0: "Intet er ændret.", 1: "1 snitflade er rettet."}.get(many, f"{many} snitflader er rettet.")
    flash(f"Selvangivelsen er gemt. {words}", "success")
    return redirect(f"/p/klarmelding/ark/{sheet.id}", 303)


def _confirm(context: PluginContext, sheet: ReadinessSheet) -> Any:
    number = request.form.get("snitflade", "")
    if number not in interfaces():
        abort(404)
    line = sheet.line(number)
    form = forms.confirm_form(line.criteria)
    if not form.validate_on_submit():
        return _interface_page(context, sheet, line, form, 422)
    met = {each.number: ANSWERS.get(form[f"svar-{each.number}"].data) for each in line.criteria}
    ready = form.klarmeldt.data == YES
    lacking = sum(each is not True for each in met.values())
    if ready and lacking:
        form.klarmeldt.errors = [
            f"Klarmeldt kan ikke være Ja, når {lacking} af {len(met)} kriterier ikke er besvaret med Ja."
        ]
        return _interface_page(context, sheet, line, form, 422)
    if not writing.take(context, sheet.id, form.version.data):
        return _interface_page(context, sheet, line, _conflict(form, sheet), 409)
    given = {each: (answer, form[f"note-{each}"].data) for each, answer in met.items()}
    writing.confirm(
        context,
        sheet.id,
        sheet.municipality,
        number,
        Confirmed(ready, " ".join(form.bemaerkninger.data.split()), given),
    )
    flash(f"{number} er gemt.", "success")
    return redirect(f"/p/klarmelding/ark/{sheet.id}", 303)


def _conflict(form: Any, sheet: ReadinessSheet) -> Any:
    form.form_errors.append(CHANGED)
    form.version.data, form.version.raw_data = sheet.version, None
    return form


@blueprint.get("/ark/<id:sheet_id>.xlsx")
@page_access(Right.READ_TASKS)
def sheet_file(context: PluginContext, sheet_id: int) -> Any:
    """The sheet as Excel in its own layout."""
    sheet = _sheet(context, sheet_id)
    words = "-".join(part for part in ("klarmelding", sheet.supplier, sheet.system, sheet.edition) if part)
    name = "".join(sign if sign.isalnum() or sign == "-" else "-" for sign in search_key(words))[:80]
    return send_file(io.BytesIO(as_workbook(sheet)), XLSX, as_attachment=True, download_name=f"{name}.xlsx")


@blueprint.get("/moede")
@page_access(Right.READ_TASKS)
def show_meeting(context: PluginContext) -> Any:
    """Forbered leverandørmøde."""
    if context.municipality is None:
        abort(404)
    bought = agreements.own(context)
    key = request.args.get("leverandoer", "")[:150] or (bought[0].supplier_key if bought else "")
    found = meeting(bought, readiness.key_of(key), context.today)
    if found is None and request.args.get("leverandoer"):
        abort(404)
    return render_template(
        "klarmelding/meeting.html",
        meeting=found,
        suppliers=tuple({each.supplier_key: each.supplier for each in bought}.items()),
        chosen=readiness.key_of(key),
        today=context.today,
        said=SAID,
        place=context.place,
    )


@blueprint.get("/moede.pdf")
@page_access(Right.READ_TASKS)
def meeting_paper(context: PluginContext) -> Any:
    """The same on paper."""
    if context.municipality is None:
        abort(404)
    bought = agreements.own(context)
    key = request.args.get("leverandoer", "")[:150] or (bought[0].supplier_key if bought else "")
    found = meeting(bought, readiness.key_of(key), context.today)
    if found is None:
        abort(404)
    return _paper(context, found)


def _paper(context: PluginContext, found: Meeting) -> Document:
    name = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in search_key(found.supplier))
    return Document(
        title=f"Leverandørmøde med {found.supplier}",
        subtitle=f"{found.confirmed} af {found.demanded} snitflader bekræftet den {long_date(context.today)}",
        html=render_template("klarmelding/meeting_paper.html", meeting=found, today=context.today, said=SAID),
        file_name=f"leverandoermoede-{name[:40]}.pdf",
    )
