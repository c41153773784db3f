"""A plug-in's page sent as a PDF on klik's paper."""

from __future__ import annotations

import io
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

    def make() -> Any:
        try:
            content = renderer.page_pdf(document)
        except RenderingError as problem:
            return errors.page(503, message=str(problem))
        return send_file(
            io.BytesIO(content),
            "application/pdf",
            as_attachment=True,
            download_name=page.file_name,
            max_age=0,
        )

    return Afterwards(make)
