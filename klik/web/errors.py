"""Error pages: what happened, what was kept, what to do, and the reference number."""

from __future__ import annotations

import logging

from flask import Flask, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, OperationalError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response

from klik.services.errors import ConflictError, ForbiddenError, NotFoundError, RefusedError
from klik.web.base import installation

log = logging.getLogger("klik.web")
PAGES = frozenset({400, 403, 404, 405, 409, 413, 414, 415, 422, 429, 500, 503})
Answer = tuple[str, int] | tuple[str, int, dict[str, str]]


def page(code: int, **facts: object) -> Answer:
    """The page for a status; statuses without a page of their own get the nearest general one."""
    name = code if code in PAGES else (500 if code >= 500 else 400)
    return render_template(f"errors/{name}.html", **facts), code


def set_up(app: Flask) -> None:
    """Word every error in Danish; what is unforeseen is logged with its reference number."""
    app.register_error_handler(NotFoundError, lambda _error: page(404))
    app.register_error_handler(ForbiddenError, lambda _error: page(403))
    app.register_error_handler(RefusedError, lambda error: page(422, problems=error.problems))
    app.register_error_handler(
        ConflictError, lambda error: page(409, differences=error.differences, who=error.who)
    )
    app.register_error_handler(CSRFError, lambda _error: page(400, expired=True, typed=typed()))
    # What a database cannot hold (NUL in PostgreSQL) was never a name of anything.
    app.register_error_handler(DataError, lambda _error: page(400))
    app.register_error_handler(OperationalError, _database_away)
    app.register_error_handler(SecurityError, _wrong_host)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def typed() -> dict[str, str]:
    """What was typed into the form that failed, without its secrets."""
    return {
        name: value
        for name, value in request.form.items()
        if name not in ("csrf_token", "idempotency_key") and "password" not in name and value.strip()
    }


def _http(error: HTTPException) -> Answer:
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    if error.code is None or error.code < 400:
        return error.get_response()  # type: ignore[return-value]
    text, code = page(error.code)[:2]
    return text, code, headers


def _wrong_host(_error: Exception) -> Response:
    """Plain text: with an unknown host there are no addresses to draw a page with."""
    text = f"klik svarer kun på {installation().settings.base_url}\n"
    return Response(text, status=400, mimetype="text/plain")


def _database_away(error: Exception) -> Answer:
    log.exception("the database did not answer", exc_info=error)
    return page(503, typed=typed())


def _unforeseen(error: Exception) -> Answer:
    log.exception("unforeseen error", exc_info=error)
    return page(500, typed=typed())
