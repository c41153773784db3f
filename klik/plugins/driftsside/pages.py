"""A driftsside's pages: one to read with its parts under ``vis``, and one to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request
from markupsafe import escape

from klik.plugins import Document, InputError, PluginContext, Right, clock, in_denmark, long_date, page_access
from klik.plugins.driftsside import entries
from klik.plugins.driftsside.differing import Difference, differences
from klik.plugins.driftsside.entries import Entry, OvertakenError, Wanted
from klik.plugins.driftsside.forms import EntryForm, form_class, offer_releases
from klik.plugins.driftsside.nouns import (
    BY_SLUG,
    CRITICALITIES,
    ERROR,
    GUIDE,
    MESSAGE,
    NEWS,
    NOUNS,
    OPEN,
    RELEASE,
    STATES,
    WHEEL,
    Noun,
)
from klik.plugins.driftsside.values import month_name, typed_of, values_of

if TYPE_CHECKING:
    from klik.plugins.driftsside.kit import Driftsside

FRONT = "forside"
LATEST = 5
PAGE = 50
LONGEST_SEARCH = 100
FORMS = {noun.slug: form_class(noun) for noun in NOUNS}
TITLES = {noun.slug: noun.heading for noun in NOUNS} | {FRONT: "Forside", RELEASE.slug: "Releaseplan"}
ORDER = (FRONT, MESSAGE.slug, ERROR.slug, NEWS.slug, RELEASE.slug, WHEEL.slug, GUIDE.slug)


@dataclass(frozen=True, slots=True)
class Month:
    """One month of the year wheel."""

    name: str
    entries: tuple[Entry, ...]
    is_now: bool


def blueprint(side: Driftsside) -> Blueprint:
    """The pages ``drift`` and ``drift/ret`` of one driftsside."""
    pages = Blueprint("driftsside", __name__, template_folder="templates")

    @pages.get("/drift")
    @page_access(Right.READ_TASKS)
    def show(context: PluginContext) -> Any:
        """Everything to read; a PDF of the year wheel where a file is asked for."""
        refuse_strangers(side, context)
        shown = request.args.get("vis", FRONT)
        if shown == WHEEL.slug and "fil" in request.args:
            return wheel_document(side, context)
        if shown == FRONT:
            return _drawn(side, context, "front", shown, **_front(side, context))
        noun = BY_SLUG.get(shown) or abort(404)
        if "nr" in request.args:
            return _drawn(side, context, "one", shown, noun=noun, entry=_asked_for(side, context, noun))
        if noun is WHEEL:
            return _drawn(side, context, "wheel", shown, noun=noun, months=months(side, context))
        return _drawn(side, context, "list", shown, noun=noun, **_list(side, context, noun))

    @pages.get("/drift/ret")
    @page_access(Right.PUBLISH)
    def edit(context: PluginContext) -> Any:
        """The form of one entry, or of a new one."""
        noun = BY_SLUG.get(request.values.get("vis", ERROR.slug)) or abort(404)
        entry = _asked_for(side, context, noun) if "nr" in request.values else None
        return _form_page(side, context, noun, entry, _form(side, context, noun, entry))

    @pages.post("/drift/ret")
    @page_access(Right.PUBLISH)
    def store(context: PluginContext) -> Any:
        """Save an entry or take it away."""
        noun = BY_SLUG.get(request.values.get("vis", ERROR.slug)) or abort(404)
        entry = _asked_for(side, context, noun) if "nr" in request.values else None
        form = _form(side, context, noun, None)
        if request.form.get("act") == "fjern":
            return _removed(side, context, noun, entry or abort(404), form)
        return _stored(side, context, noun, entry, form)

    return pages


def refuse_strangers(side: Driftsside, context: PluginContext) -> None:
    """Suppliers of other systems have no business here."""
    if context.municipality is None and not context.kombit and side.system not in context.systems:
        abort(404)


def _drawn(side: Driftsside, context: PluginContext, template: str, shown: str, **values: Any) -> str:
    doors = [(slug, TITLES[slug], side.address(slug)) for slug in ORDER]
    return render_template(
        f"driftsside/{template}.html",
        side=side,
        doors=doors,
        shown=shown,
        may_write=context.has(Right.PUBLISH) and context.kombit,
        today=context.today,
        clock=clock,
        day=lambda moment: long_date(in_denmark(moment).date()),
        titles=TITLES,
        subscribe="/varsler/emner",
        **values,
    )


def _front(side: Driftsside, context: PluginContext) -> dict[str, Any]:
    assert context.store is not None
    found = {noun: entries.read(context.store, side.tables, noun) for noun in (MESSAGE, ERROR, NEWS)}
    coming = [
        each
        for each in entries.read(context.store, side.tables, RELEASE)
        if each.released_on is not None and each.released_on >= context.today
    ]
    wheel = entries.read(context.store, side.tables, WHEEL)
    return {
        "messages_found": found[MESSAGE][:LATEST],
        "errors": found[ERROR][:LATEST],
        "news": found[NEWS][:LATEST],
        "next_release": coming[0] if coming else None,
        "this_month": [each for each in wheel if each.month == context.today.month],
        "open_errors": sum(each.state == STATES[0].value for each in found[ERROR]),
        "overdue": sum(each.is_overdue(context.today) for each in found[ERROR]),
        "ended": [each for each in found[ERROR] if each.ended_on][:LATEST],
    }


def _list(side: Driftsside, context: PluginContext, noun: Noun) -> dict[str, Any]:
    assert context.store is not None
    asked = {
        name: request.args.get(name, "")[:LONGEST_SEARCH]
        for name in ("q", "tilstand", "komponent", "kritikalitet", "dato")
    }
    wanted = Wanted(
        words=asked["q"],
        state=asked["tilstand"],
        component=asked["komponent"],
        criticality=asked["kritikalitet"],
        overdue_on=context.today if asked["dato"] == "overskredet" else None,
    )
    if noun not in (ERROR, MESSAGE):
        wanted = Wanted(words=asked["q"])
    found = entries.read(context.store, side.tables, noun, wanted)
    if noun is RELEASE:
        coming = [each for each in found if each.released_on and each.released_on >= context.today]
        found = (*coming, *(each for each in reversed(found) if each not in coming))
    last = max(1, -(-len(found) // PAGE))
    typed = request.args.get("side", "1")
    page = min(int(typed), last) if typed.isascii() and typed.isdigit() and 0 < len(typed) < 6 else 1
    page = max(page, 1)
    kept = {name: text for name, text in asked.items() if text}
    return {
        "found": found[(page - 1) * PAGE : page * PAGE],
        "total": len(found),
        "page": page,
        "pages": last,
        "page_address": lambda number: side.address(noun.slug, **kept, side=str(number)),
        "asked": asked,
        "filtered": bool(kept),
        "components": entries.components(context.store, side.tables, noun),
        "states": STATES,
        "criticalities": CRITICALITIES,
    }


def _asked_for(side: Driftsside, context: PluginContext, noun: Noun) -> Entry:
    assert context.store is not None
    typed = request.values.get("nr", "")
    if not (typed.isascii() and typed.isdigit() and 0 < len(typed) < 10):
        abort(404)
    return entries.one(context.store, side.tables, noun, int(typed)) or abort(404)


def months(side: Driftsside, context: PluginContext) -> tuple[Month, ...]:
    """The year wheel: all twelve months, also those without an entry."""
    assert context.store is not None
    found = entries.read(context.store, side.tables, WHEEL)
    return tuple(
        Month(
            month_name(number),
            tuple(each for each in found if each.month == number),
            number == context.today.month,
        )
        for number in range(1, 13)
    )


def wheel_document(side: Driftsside, context: PluginContext) -> Document:
    """The year wheel on paper."""
    parts = []
    for month in months(side, context):
        parts.append(f"<h2>{escape(month.name)}</h2>")
        lines = "".join(
            f"<li><strong>{escape(each.title)}</strong> {escape(each.text)}</li>" for each in month.entries
        )
        parts.append(f"<ul>{lines}</ul>" if lines else "<p>Intet planlagt.</p>")
    return Document(
        title=f"Årshjul for {side.name}",
        subtitle=f"Som det så ud den {long_date(context.today)}",
        html="".join(parts),
        file_name=f"aarshjul-{side.plugin}.pdf",
    )


def _form(side: Driftsside, context: PluginContext, noun: Noun, entry: Entry | None) -> EntryForm:
    assert context.store is not None
    names = entries.releases(context.store, side.tables)
    # A new point stands in the month it is written in, until another is chosen.
    stored: Mapping[str, Any] = {"maaned": str(context.today.month)} if noun is WHEEL else {}
    if entry is not None:
        stored = _words_of(noun, entry, names) | {"version": entry.version}
    form = FORMS[noun.slug](data=stored)
    offer_releases(form, names)
    return form


def _words_of(noun: Noun, entry: Entry, names: Mapping[str, int]) -> dict[str, Any]:
    by_id = {number: name for name, number in names.items()}
    return {part.name: typed_of(part, getattr(entry, part.column), by_id) for part in noun.parts}


def _form_page(
    side: Driftsside,
    context: PluginContext,
    noun: Noun,
    entry: Entry | None,
    form: EntryForm,
    *,
    differences: tuple[Difference, ...] | None = None,
) -> str:
    where = side.address(noun.slug) if entry is None else side.address(noun.slug, nr=str(entry.id))
    about = {"vis": noun.slug} | ({"nr": str(entry.id)} if entry else {})
    return _drawn(
        side,
        context,
        "edit",
        noun.slug,
        noun=noun,
        entry=entry,
        form=form,
        back=where,
        about=about,
        differences=differences,
    )


def _stored(
    side: Driftsside, context: PluginContext, noun: Noun, entry: Entry | None, form: EntryForm
) -> Any:
    assert context.store is not None
    if not form.validate_on_submit():
        return _form_page(side, context, noun, entry, form), 422
    releases = entries.releases(context.store, side.tables)
    try:
        values = values_of(noun, form.typed(), entries.by_key(releases))
        if entry is None:
            number = side.add(context, noun, values)
        else:
            side.change(context, noun, entry, form.version.data or 0, values)
            number = entry.id
    except InputError as error:
        form.refuse(str(error))
        return _form_page(side, context, noun, entry, form), 422
    except OvertakenError:
        assert entry is not None
        form.version.data = entry.version
        found = differences(noun, entry, values, releases)
        return _form_page(side, context, noun, entry, form, differences=found), 409
    flash(f"{noun.one[0].upper()}{noun.one[1:]} er gemt.", "success")
    shown = side.address(noun.slug) if noun is WHEEL else side.address(noun.slug, nr=str(number))
    return redirect(shown, 303)


def _removed(side: Driftsside, context: PluginContext, noun: Noun, entry: Entry, form: EntryForm) -> Any:
    try:
        entries.remove(context, side.tables, noun, entry, form.version.data or 0)
    except InputError as error:
        _fill(side, context, form, entry)
        form.refuse(str(error))
        return _form_page(side, context, noun, entry, form), 422
    except OvertakenError:
        _fill(side, context, form, entry)
        return _form_page(side, context, noun, entry, form, differences=()), 409
    flash(f"{noun.one[0].upper()}{noun.one[1:]} er fjernet.", "success")
    return redirect(side.address(noun.slug), 303)


def _fill(side: Driftsside, context: PluginContext, form: EntryForm, entry: Entry) -> None:
    """Let the form show what is stored: the button that removes posts none of it."""
    assert context.store is not None
    for name, words in _words_of(form.noun, entry, entries.releases(context.store, side.tables)).items():
        form[name].data = words
    form.version.data = entry.version


def panel_html(side: Driftsside, context: PluginContext) -> str:
    """The newest messages and errors for the system's page, as HTML."""
    assert context.store is not None
    lines = []
    for noun, most in ((MESSAGE, 3), (ERROR, 3)):
        for each in entries.read(context.store, side.tables, noun)[:most]:
            is_open = each.state == OPEN and each.solve_on is not None
            when = f"forventet løst {long_date(each.solve_on)}" if is_open else clock(each.changed_at)
            lines.append(
                f'<li><a href="{escape(side.address(noun.slug, nr=str(each.id)))}">{escape(each.title)}</a>'
                f' <span class="klik-quiet">{escape(each.state_label)} · {escape(when)}</span></li>'
            )
    shown = f"<ul>{''.join(lines)}</ul>" if lines else "<p>Der er ingen driftsmeddelelser.</p>"
    return f'{shown}<p><a href="{escape(side.address(FRONT))}">Gå til driftssiden</a></p>'
