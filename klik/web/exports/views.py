"""Lists taken home: small ones at once, large ones in the background with a page that shows how far they are."""

from __future__ import annotations

import tempfile
from typing import Any

from flask import Blueprint, redirect, render_template, request, send_file
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.models import Export
from klik.services import access as doors
from klik.services import exports, filtering, idempotency, list_document, listing, past, tables
from klik.services.errors import NotFoundError, RefusedError
from klik.services.work import Work
from klik.web import errors
from klik.web.base import access, installation, see_other
from klik.web.forms import OnceForm
from klik.web.tasks import way

blueprint = Blueprint("exports", __name__)


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


@blueprint.get("/eksport")
@access(Right.EXPORT)
def index(work: Work) -> str:
    """What the person has ordered."""
    found = exports.own(work)
    words = {each.id: _words(work, each) for each in found}
    return render_template(
        "exports/index.html", exports=found, words=words, states=exports.STATES, kinds=exports.KINDS
    )


@blueprint.post("/eksport")
@access(Right.EXPORT)
def order(work: Work) -> Any:
    """Order a list as a file."""
    form = OnceForm()
    if earlier := idempotency.earlier_result(work.session, form.idempotency_key.data):
        return redirect(earlier, 303)
    criteria = way.asked(work, request.form.get("query", ""))
    try:
        export = exports.order(work, request.form.get("kind", ""), criteria)
    except RefusedError as error:
        return errors.page(422, problems=error.problems)
    answer = see_other("exports.show", export_id=export.id)
    idempotency.remember(work, form.idempotency_key.data, "bestil-udtræk", answer.location)
    return answer


@blueprint.get("/eksport/<id:export_id>")
@access(Right.EXPORT)
def show(work: Work, export_id: int) -> str:
    """How far a file is; with htmx only the part that moves is fetched anew."""
    export = doors.export(work, export_id)
    template = "exports/progress.html" if "HX-Request" in request.headers else "exports/show.html"
    return render_template(
        template,
        export=export,
        progress=exports.progress(export, work.now),
        state=exports.STATES[export.state],
        label=exports.KINDS[export.kind].label if export.kind in exports.KINDS else export.kind,
        words=_words(work, export),
    )


@blueprint.post("/eksport/<id:export_id>/annuller")
@access(Right.EXPORT)
def cancel(work: Work, export_id: int) -> Response:
    """Stop a file that is not made yet."""
    exports.cancel(work, export_id)
    return see_other("exports.show", export_id=export_id)


@blueprint.get("/eksport/<id:export_id>/fil")
@access(Right.EXPORT)
def file(work: Work, export_id: int) -> Response:
    """The finished file."""
    export, path = exports.fetch(work, exports.folder_in(installation().settings.data), export_id)
    if export.kind not in exports.KINDS:
        raise NotFoundError
    return _sent(path, export.kind, export.file_name or f"udtræk.{export.kind}")


def _words(work: Work, export: Export) -> tuple[str, ...]:
    return list_document.criteria_in_words(
        work, filtering.select_tasks(work, filtering.read(work.registry, export.query))
    )


def _sent(content: Any, kind: str, name: str) -> Response:
    answer = send_file(
        content, exports.KINDS[kind].media_type, as_attachment=True, download_name=name, etag=False
    )
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
