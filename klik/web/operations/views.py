"""For those who run klik: health, figures for the monitoring, and the operations page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, render_template
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from klik.domain.rights import Right
from klik.services import health, quarantine
from klik.services.work import Work
from klik.web.base import access, installation

blueprint = Blueprint("operations", __name__)


@blueprint.get("/sundhed")
def alive() -> Any:
    """The process answers; nothing is asked of the database."""
    return Response("ok\n", mimetype="text/plain")


# No unit of work: it must answer when the database does not.
alive.klik_access = "open"  # type: ignore[attr-defined]


@blueprint.get("/sundhed/klar")
def ready() -> Any:
    """200 when pages can be served, else 503 with the reason."""
    house = installation()
    try:
        with house.reading(g.klik_moment) as work:
            well = health.is_ready(work)
            silent = health.silent(work) if well else ()
    except SQLAlchemyError:
        return Response("databasen svarer ikke\n", status=503, mimetype="text/plain")
    if not well:
        return Response("databasen skal opgraderes\n", status=503, mimetype="text/plain")
    # Pages are served all the same, so it stays 200; the monitor looks for the second line.
    said = "".join(f"{sentence}\n" for sentence in ("klar", *silent))
    return Response(said, mimetype="text/plain")


ready.klik_access = "open"  # type: ignore[attr-defined]


@blueprint.get("/metrics")
@access(None)
def metrics(work: Work) -> Any:
    """Prometheus' text format: the process's own figures and klik's; no personal data, no municipality."""
    own = "".join(f"{name} {value:g}\n" for name, value in sorted(health.figures(work).items()))
    return Response(generate_latest(REGISTRY).decode() + own, content_type=CONTENT_TYPE_LATEST)


@blueprint.get("/drift")
@access(Right.READ_OPERATIONS)
def index(work: Work) -> Any:
    """Everything health knows, and the plug-ins."""
    return render_template(
        "operations/index.html",
        findings=health.findings(work, installation().settings.data),
        plugins=work.registry.plugins,
        faults=quarantine.listed(work),
    )
