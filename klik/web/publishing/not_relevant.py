"""The reasons for "Ikke relevant" as a file."""

from __future__ import annotations

import io

from flask import Blueprint, send_file
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.services.publishing import not_relevant
from klik.services.work import Work
from klik.web.base import access

blueprint = Blueprint("publishing_not_relevant", __name__)


@blueprint.get("/udgivelser/<id:task_id>/ikke-relevant.csv")
@access(Right.PUBLISH)
def as_csv(work: Work, task_id: int) -> Response:
    """Municipality and reason of each that reported the task not relevant."""
    name, content = not_relevant.as_csv(work, task_id)
    return send_file(
        io.BytesIO(content), "text/csv; charset=utf-8", as_attachment=True, download_name=name, max_age=0
    )
