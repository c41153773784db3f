"""KOMBIT follows up: the map as a file, one municipality's overview, and writing to those who should act."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from wtforms import HiddenField, SelectField, StringField, TextAreaField

from klik.domain.calendar import long_date
from klik.domain.deadlines import danish_today
from klik.domain.rights import Right
from klik.services import access as doors
from klik.services import idempotency, tables
from klik.services.criteria import QueryTooLongError
from klik.services.errors import RefusedError
from klik.services.follow_up import files, heat_map, measures, silence, tempo, writing
from klik.services.follow_up import wanted as asked_for
from klik.services.follow_up.heat_map import HeatMap
from klik.services.follow_up.wanted import Wanted
from klik.services.work import Work
from klik.web.base import access
from klik.web.forms import CleanText, OnceForm, showable
from klik.web.overview import heat_map as map_page
from klik.web.overview import views

blueprint = Blueprint("follow_up", __name__)
MOST_CODES = 1_000
GREETING = (
    "Hej\n\nI jeres kommune er der opgaver i {what}, hvor fristen er overskredet eller nærmer sig. "
    "Vil I se på dem i denne uge og skrive til os, hvis I mangler noget?\n\nVenlig hilsen\nKOMBIT"
)


class LetterForm(OnceForm):
    """What is written, to whom, and the recipients as they were when they were looked at."""

    role = SelectField("Modtager er den, der har rollen")
    subject = StringField("Emne", [CleanText(writing.SUBJECT_LIMIT, required=True, tick=False)])
    text = TextAreaField("Tekst", [CleanText(writing.TEXT_LIMIT, required=True, lines=True, tick=False)])
    chosen = HiddenField()
    codes = HiddenField()
    seen = HiddenField()


@blueprint.get("/overblik.csv")
@access(Right.PUBLISH)
def as_csv(work: Work) -> Any:
    """The map's rows and numbers as CSV for a Danish Excel."""
    drawn = heat_map.draw(work, map_page.wanted(work))
    content = files.as_csv(work, drawn, tempo.promises(work, drawn), measures.columns(work, drawn))
    return _file(work, content, "csv", "text/csv; charset=utf-8")


@blueprint.get("/overblik.xlsx")
@access(Right.PUBLISH)
def as_xlsx(work: Work) -> Any:
    """The map's rows and numbers as an Excel workbook."""
    drawn = heat_map.draw(work, map_page.wanted(work))
    content = files.as_xlsx(work, drawn, tempo.promises(work, drawn), measures.columns(work, drawn))
    return _file(work, content, "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")


def _file(work: Work, content: bytes, extension: str, kind: str) -> Any:
    name = tables.named(work, extension, "Overblik")
    return send_file(io.BytesIO(content), kind, as_attachment=True, download_name=name, max_age=0)


@blueprint.get("/overblik/kommuner/<id:code>")
@access(Right.PUBLISH)
def municipality(work: Work, code: int) -> str:
    """How one municipality is doing, as KOMBIT may see it: its projects, its pace, its silence."""
    place = doors.municipality(work, code)
    signs = silence.signs(work, code).get(code)
    counted = heat_map.draw(work, asked_for.read(work.registry, f"kommune={code}"))
    return render_template(
        "overview/municipality.html",
        place=place,
        projects=views.projects(work, code),
        narrowed={"kommune": code},
        alone=False,
        comparisons={},
        signs=signs,
        row=counted.rows[0] if counted.rows else None,
        written=long_date(danish_today(signs.written_at)) if signs and signs.written_at else "",
    )


@blueprint.get("/overblik/skriv")
@access(Right.PUBLISH)
def write(work: Work) -> Any:
    """Who would get it, and a text to begin with: the ticked municipalities, or all that are shown."""
    wanted = map_page.wanted(work)
    drawn = heat_map.draw(work, wanted)
    ticked = {int(each) for each in request.args.getlist("valgt") if each.isascii() and each.isdigit()}
    if request.args.get("alle") == "ja" or not ticked:
        ticked = {row.place.code for row in drawn.rows}
    codes = [row.place.code for row in drawn.rows if row.place.code in ticked and not row.without]
    if not codes:
        flash("Der er ingen kommuner at skrive til. Vælg nogle på oversigten.", "warning")
        return redirect(_back(wanted), 303)
    what = _what(drawn)
    form = _form(
        work,
        data={
            "role": writing.default_role(work.registry.content, drawn.wanted.criteria, drawn.scope.system),
            "subject": f"Opgaver i {what}, der venter på jer",
            "text": GREETING.format(what=what),
            "chosen": wanted.query(),
            "codes": ",".join(map(str, codes)),
        },
    )
    return _page(work, form, drawn)


@blueprint.post("/overblik/skriv")
@access(Right.PUBLISH)
def send(work: Work) -> Any:
    """Show the recipients again, or send; a second press finds what the first one did."""
    if earlier := idempotency.earlier_result(work.session, request.form.get("idempotency_key")):
        flash("Beskeden er allerede sendt. Den er ikke sendt igen.", "info")
        return redirect(earlier, 303)
    form = _form(work)
    wanted = _wanted(work, form)
    drawn = heat_map.draw(work, wanted)
    valid = form.validate()
    if request.form.get("act") == "vis":
        return _page(work, form, drawn)
    if not valid:
        return _page(work, form, drawn), 422
    letters = writing.letters(work, _codes(form), form.role.data, drawn.scope.system)
    if form.seen.data != writing.fingerprint(letters):
        form.form_errors.append(writing.CHANGED)
        return _page(work, form, drawn), 422
    key = form.idempotency_key.data or ""
    try:
        sent = writing.send(
            work,
            letters,
            drawn.selection.criteria,
            role=form.role.data,
            subject=form.subject.data,
            text=form.text.data,
            key=key,
        )
    except RefusedError as refused:
        for name, problem in refused.problems.items():
            if name in form:
                form[name].errors = [problem]
            else:
                form.form_errors.append(problem)
        return _page(work, form, drawn), 422
    target = _back(wanted)
    idempotency.remember(work, key, "skriv", target)
    people = "1 modtager" if sent.people == 1 else f"{sent.people} modtagere"
    places = "1 kommune" if sent.municipalities == 1 else f"{sent.municipalities} kommuner"
    flash(f"Beskeden er skrevet til {people} i {places}. De får den på mail og under Varsler.", "success")
    return redirect(target, 303)


def _form(work: Work, data: dict[str, Any] | None = None) -> LetterForm:
    form = LetterForm(data=data)
    form.role.choices = [(role.slug, role.name) for role in work.registry.content.roles]
    return form


def _wanted(work: Work, form: LetterForm) -> Wanted:
    try:
        return asked_for.read(work.registry, form.chosen.data or "")
    except QueryTooLongError:
        return asked_for.read(work.registry, "")


def _codes(form: LetterForm) -> list[int]:
    typed = (form.codes.data or "").split(",")[:MOST_CODES]
    return [int(code) for code in typed if code.isascii() and code.isdigit() and len(code) <= 3]


def _back(wanted: Wanted) -> str:
    query = wanted.query()
    return url_for("overview.show") + (f"?{query}" if query else "")


def _what(drawn: HeatMap) -> str:
    slugs = drawn.selection.criteria.values("projekt")
    names = [name for _id, slug, name, _system, _round in drawn.scope.projects if slug in slugs]
    if not names and drawn.scope.system:
        names = [drawn.scope.system.upper()]
    return " og ".join(names) if 0 < len(names) < 3 else "KOMBITs projekter"


def _page(work: Work, form: LetterForm, drawn: HeatMap) -> str:
    known = {role.slug for role in work.registry.content.roles}
    role = form.role.data if form.role.data in known else writing.PROJECT_LEADER
    letters = writing.letters(work, _codes(form), role, drawn.scope.system)
    form.seen.data = writing.fingerprint(letters)
    for field in (form.subject, form.text, form.chosen, form.codes):
        field.data = showable(field.data or "")
    return render_template(
        "overview/write.html",
        form=form,
        role=work.registry.content.role(role),
        letters=letters,
        reached=sum(len(letter.recipients) for letter in letters),
        vacant=[letter for letter in letters if letter.vacant],
        nobody=[letter for letter in letters if not letter.recipients],
        back=_back(drawn.wanted),
        leads_to=writing.list_of(drawn.selection.criteria),
    )
