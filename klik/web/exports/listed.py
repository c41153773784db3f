"""The filtered list as a PDF."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, request, send_file

from klik.domain.calendar import long_date
from klik.domain.rights import Right
from klik.services import filtering, list_document, past, tables
from klik.services.criteria import QueryTooLongError
from klik.services.rendering import RenderingError
from klik.services.work import Work
from klik.web import errors
from klik.web.base import Afterwards, access, installation

blueprint = Blueprint("list_export", __name__)


@blueprint.get("/opgaver.pdf")
@access(Right.EXPORT)
def as_pdf(work: Work) -> Afterwards:
    """The filtered rows as a PDF, drawn when the transaction is over."""
    try:
        criteria = filtering.read(work.registry, request.query_string.decode("utf-8", "replace"))
    except QueryTooLongError:
        abort(414)
    with past.asked(work, criteria) as standing:
        selection = filtering.select_tasks(standing.work, standing.criteria)
        document = list_document.collect(standing.work, selection)
        name = tables.named(standing.work, "pdf", "Opgaver, som de stod" if standing.day else "Opgaver")
    if standing.day:
        stood = f"Vist, som det stod {long_date(standing.day)}"
        document = replace(document, exported_at=work.now, criteria=(stood, *document.criteria))
    renderer = installation().renderer

    def make() -> Any:
        try:
            content = renderer.list_pdf(document)
        except RenderingError as problem:
            return errors.page(503, message=str(problem))
        return send_file(
            io.BytesIO(content), "application/pdf", as_attachment=True, download_name=name, max_age=0
        )

    return Afterwards(make)
