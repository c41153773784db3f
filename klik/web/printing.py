"""PDFs as answers: drawn when the transaction is over, and a plug-in's page put on klik's paper."""

from __future__ import annotations

import io
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from flask import send_file

from klik.plugins.contributions import Document
from klik.services.documents import PageDocument
from klik.services.rendering import RenderingError
from klik.services.work import Work
from klik.web import errors
from klik.web.base import Afterwards, installation


def as_pdf(work: Work, page: Document) -> Afterwards:
    """The document, drawn when the transaction is over; 503 with a Danish sentence where it cannot be."""
    taker = work.actor
    name, place = (taker.name, taker.place) if taker else ("klik", "klik")
    document = PageDocument(
        title=page.title,
        subtitle=page.subtitle,
        sender=place,
        html=page.html,
        exported_at=work.now,
        exported_by=name,
        identifier=sha256(f"{page.title}{page.html}".encode()).hexdigest()[:12],
    )
    renderer = installation().renderer
    return drawn(lambda: renderer.page_pdf(document), page.file_name)


def drawn(draw: Callable[[], bytes], name: str) -> Afterwards:
    """What ``draw`` gives as a file of this name; 503 with a Danish sentence where it cannot be drawn."""

    def make() -> Any:
        try:
            content = draw()
        except RenderingError as problem:
            return errors.page(503, message=str(problem))
        return send_file(
            io.BytesIO(content),
            "application/pdf",
            as_attachment=True,
            download_name=name,
            max_age=0,
        )

    return Afterwards(make)
