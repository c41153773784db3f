"""Tasks taken home: small lists at once, the rest in the background with a page that shows how far it is."""

from __future__ import annotations

import re
import tempfile
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.models import Export
from klik.services import access as doors
from klik.services import exports, filtering, house_package, idempotency, list_document, listing, past, tables
from klik.services.criteria import Criteria
from klik.services.errors import NotFoundError, RefusedError
from klik.services.exports import Inventory
from klik.services.work import Work
from klik.web import errors
from klik.web.base import Afterwards, access, installation, see_other
from klik.web.forms import OnceForm
from klik.web.tasks import panel, way

blueprint = Blueprint("exports", __name__)
NOTHING_TICKED = "Sæt først et mark ud for de opgaver, du vil eksportere."
_ID = re.compile(r"[1-9][0-9]{0,9}")


@blueprint.get("/opgaver.csv")
@access(Right.EXPORT)
def as_csv(work: Work) -> Any:
    """The filtered rows as CSV for a Danish Excel."""
    return _table(work, "csv")


@blueprint.get("/opgaver.xlsx")
@access(Right.EXPORT)
def as_xlsx(work: Work) -> Any:
    """The filtered rows as an Excel workbook."""
    return _table(work, "xlsx")


@blueprint.get("/opgaver.zip")
@access(Right.EXPORT)
def as_zip(work: Work) -> Response:
    """The filtered tasks as a package: never made while somebody waits, so to the page that orders it (303)."""
    return redirect(f"{url_for('exports.choose')}?{way.asked(work).link_query()}", 303)


def _table(work: Work, kind: str) -> Any:
    criteria = way.asked(work)
    with past.asked(work, criteria) as standing:
        selection = filtering.select_tasks(standing.work, standing.criteria)
        total = listing.count(standing.work, selection).total
        tables.require_reasonable(total)
        if total > exports.AT_ONCE:
            words = list_document.criteria_in_words(standing.work, selection)
            return _large_page(kind, total, words, criteria.whole_list().query())
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the answer closes it when it is sent
        tables.WRITERS[kind](standing.work, selection, file)
        what = tables.PAST_WHAT if standing.day else tables.WHAT
        name = tables.named(standing.work, kind, what)
    file.seek(0)
    return _sent(file, kind, name)


def _large_page(kind: str, total: int, words: tuple[str, ...], query: str) -> str:
    return render_template(
        "exports/large.html",
        kind=kind,
        label=exports.KINDS[kind].label,
        total=total,
        words=words,
        query=query,
        form=OnceForm(None),
    )


@blueprint.get("/eksport/ny")
@access(Right.EXPORT)
def choose(work: Work) -> str:
    """What the tasks of a filter are to become: PDF samlet, ZIP or Excel."""
    criteria = way.asked(work)
    return _choice(work, criteria)


@blueprint.post("/eksport/ny")
@access(Right.EXPORT)
def choose_ticked(work: Work) -> Any:
    """The same for the tasks ticked in the list, or for all of its filter."""
    criteria = way.asked(work, request.form.get("filter", ""))
    if request.form.get("alle") == "ja":
        return _choice(work, criteria)
    try:
        ticked = exports.visible_ids(work, _ids(request.form.getlist("opgave")))
    except RefusedError as refused:
        sentence = " ".join(refused.problems.values()) if "opgave" in request.form else NOTHING_TICKED
        flash(sentence, "warning")
        return redirect(panel.list_address(criteria), 303)
    return _choice(work, criteria, ticked)


def _ids(texts: list[str]) -> list[int]:
    return [int(each) for each in texts if _ID.fullmatch(each) and int(each) < 2**31]


def _choice(work: Work, criteria: Criteria, ticked: list[int] | None = None) -> str:
    """The page with one button a kind; what cannot be made of so many is said instead of its button."""
    criteria = criteria.standing("")
    selection = filtering.select_tasks(work, criteria)
    total = listing.count(work, selection).total if ticked is None else len(ticked)
    return render_template(
        "exports/choose.html",
        total=total,
        words=list_document.criteria_in_words(work, selection) if ticked is None else (),
        remarks=selection.remarks if ticked is None else (),
        query=criteria.whole_list().query(),
        ticked=",".join(map(str, ticked or ())),
        kinds=exports.KINDS,
        back=panel.list_address(criteria),
        form=OnceForm(None),
    )


@blueprint.get("/eksport")
@access(Right.EXPORT)
def index(work: Work) -> str:
    """What the person has ordered, and what was taken home."""
    found = exports.receipts(work, _folder())
    words = {each.id: _words(work, each) for each, _there in found}
    return render_template(
        "exports/index.html",
        exports=found,
        words=words,
        states=exports.STATES,
        kinds=exports.KINDS,
        may_take_house=house_package.may_take(work.actor),
        form=OnceForm(None),
    )


@blueprint.post("/eksport")
@access(Right.EXPORT)
def order(work: Work) -> Any:
    """Order a file: ``kind``, and ``sletning``, ``opgaver`` or ``query`` for what is to be in it."""
    form = OnceForm()
    if earlier := idempotency.earlier_result(work.session, form.idempotency_key.data):
        return redirect(earlier, 303)
    try:
        export = _ordered(work)
    except RefusedError as error:
        return errors.page(422, problems=error.problems)
    answer = see_other("exports.show", export_id=export.id)
    idempotency.remember(work, form.idempotency_key.data, "bestil-udtræk", answer.location)
    return answer


def _ordered(work: Work) -> Export:
    kind, deletion = request.form.get("kind", ""), request.form.get("sletning", "")
    if kind == exports.HOUSE:
        return exports.order(work, kind)
    if deletion:
        if not _ids([deletion]):
            raise NotFoundError
        return exports.order(work, kind, deletion_id=int(deletion))
    if ticked := request.form.get("opgaver", ""):
        return exports.order(work, kind, task_ids=_ids(ticked.split(",")) or [0])
    return exports.order(work, kind, way.asked(work, request.form.get("query", "")))


@blueprint.get("/eksport/<id:export_id>")
@access(Right.EXPORT)
def show(work: Work, export_id: int) -> str:
    """How far a file is; with htmx only the part that moves is fetched anew."""
    export = doors.export(work, export_id)
    there = exports.is_there(work, _folder(), export)
    template = "exports/progress.html" if "HX-Request" in request.headers else "exports/show.html"
    return render_template(
        template,
        export=export,
        progress=exports.progress(export, work.now),
        there=there,
        inventory=_inventory(export) if there else Inventory(),
        state=exports.STATES[export.state],
        kind=exports.KINDS.get(export.kind),
        words=_words(work, export),
        form=OnceForm(None),
    )


def _inventory(export: Export) -> Inventory:
    return exports.inventory(exports.path_of(_folder(), export.id), export.kind)


@blueprint.post("/eksport/<id:export_id>/annuller")
@access(Right.EXPORT)
def cancel(work: Work, export_id: int) -> Response:
    """Stop a file that is not made yet."""
    exports.cancel(work, export_id)
    return see_other("exports.show", export_id=export_id)


@blueprint.get("/eksport/<id:export_id>/fil")
@access(Right.EXPORT)
def file(work: Work, export_id: int) -> Any:
    """The finished file, straight from disk; that it was fetched is noted in a transaction of its own."""
    house, actor, now, folder = installation(), work.actor, work.now, _folder()
    export, path = exports.fetch(work, folder, export_id)
    if export.kind not in exports.KINDS:
        raise NotFoundError
    kind, name = export.kind, export.file_name or f"udtræk.{exports.KINDS[export.kind].extension}"
    fetched = request.method == "GET"

    def make() -> Response:
        if fetched:
            with house.writing(now, actor) as noting:
                exports.note_fetched(noting, folder, export_id)
        return _sent(path, kind, name)

    return Afterwards(make)


@blueprint.get("/eksport/<id:export_id>/manifest")
@access(Right.EXPORT)
def manifest(work: Work, export_id: int) -> Response:
    """The list of a package's files with their hashes."""
    export, path = exports.fetch(work, _folder(), export_id)
    if export.kind not in exports.KINDS or not exports.KINDS[export.kind].package:
        raise NotFoundError
    answer = Response(exports.manifest(path, export.kind), mimetype="application/json")
    answer.headers["Content-Disposition"] = f"attachment; filename=manifest-{export.id}.json"
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _folder() -> Any:
    return exports.folder_in(installation().settings.data)


def _words(work: Work, export: Export) -> tuple[str, ...]:
    return exports.in_words(work, exports.contents_of(export))


def _sent(content: Any, kind: str, name: str) -> Response:
    answer = send_file(
        content, exports.KINDS[kind].media_type, as_attachment=True, download_name=name, etag=False
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
