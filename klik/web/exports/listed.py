"""The filtered list as a PDF."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint

from klik.domain.calendar import long_date
from klik.domain.rights import Right
from klik.services import filtering, list_document, past, tables
from klik.services.work import Work
from klik.web import printing
from klik.web.base import Afterwards, access, installation
from klik.web.tasks import way

blueprint = Blueprint("list_export", __name__)


@blueprint.get("/opgaver.pdf")
@access(Right.EXPORT)
def as_pdf(work: Work) -> Afterwards:
    """The filtered rows as a PDF, drawn when the transaction is over."""
    with past.asked(work, way.asked(work)) as standing:
        selection = filtering.select_tasks(standing.work, standing.criteria)
        document = list_document.collect(standing.work, selection)
        name = tables.named(standing.work, "pdf", "Opgaver, som de stod" if standing.day else "Opgaver")
    if standing.day:
        stood = f"Vist, som det stod {long_date(standing.day)}"
        document = replace(document, exported_at=work.now, criteria=(stood, *document.criteria))
    renderer = installation().renderer

    return printing.drawn(lambda: renderer.list_pdf(document), name)
