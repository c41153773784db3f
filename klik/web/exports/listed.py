"""The filtered list as a PDF."""

from __future__ import annotations

import io
from typing import Any

from flask import Blueprint, abort, request, send_file

from klik.domain.rights import Right
from klik.services import filtering, list_document, tables
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
    document = list_document.collect(work, filtering.select_tasks(work, criteria))
    name = tables.named(work, "pdf")
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
