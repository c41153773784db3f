"""The web application: ``create_app`` puts it together in the order that is read here."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Flask, g, make_response, redirect, request
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.installation import Installation
from klik.plugins.contributions import Document
from klik.plugins.manager import Loaded, pages_and_commands
from klik.services import for_plugins, idempotency
from klik.settings import Settings
from klik.web import addresses, base, blueprints, errors, formats, headers, login, lookups, menu, printing
from klik.web.verifying.streaming import VerifyingRequest

LARGEST_REQUEST = 27 * 1024 * 1024
LARGEST_FORM = 2 * 1024 * 1024


class AccessMissingError(Exception):
    """An endpoint declares no access; the text names each and the fix."""


def create_app(
    settings: Settings, plugins: Iterable[Loaded] | None = None, pages: Iterable[Blueprint] = ()
) -> Flask:
    """Put klik together for serving. Writes nothing, opens no connection, starts no thread.

    ``plugins`` replaces the installed ones (tests); ``pages`` are further blueprints (the demo's mailbox).

    Raises ContentErrors for wrong content files and AccessMissingError for an endpoint without access.
    """
    installation = Installation(settings, plugins)
    app = Flask("klik", static_folder="static", template_folder="templates")
    _configure(app, settings)
    app.request_class = VerifyingRequest
    app.extensions["klik"] = installation
    app.url_map.converters |= {
        "id": base.IdConverter,
        "default": base.WordConverter,
        "string": base.WordConverter,
    }
    _number_requests(app)
    addresses.set_up(app)
    # A mail program leaves the newsletters for its reader with one press (RFC 8058): no cookie, no form of ours.
    CSRFProtect(app).exempt("klik.web.newsletters.subscribing.leave")
    login.set_up(app)
    formats.set_up(app)
    menu.set_up(app)
    errors.set_up(app)
    headers.set_up(app, settings.secure)
    for blueprint in (*blueprints.all_blueprints(), *pages):
        app.register_blueprint(blueprint)
    _plugin_pages(app, installation)
    app.view_functions["static"].klik_access = base.OPEN  # type: ignore[attr-defined]
    if missing := base.undeclared(app):
        raise AccessMissingError("\n".join(missing))
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        MAX_FORM_PARTS=5_000,
        SESSION_COOKIE_NAME="__Host-klik-form" if settings.secure else "klik-form",
        SESSION_COOKIE_SECURE=settings.secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        TEMPLATES_AUTO_RELOAD=False,
    )
    host = urlsplit(settings.base_url).hostname
    app.config["TRUSTED_HOSTS"] = [host, "localhost", "127.0.0.1"] if host else None
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def _without_secret(path: str) -> str:
    """An address as it may stand in a log: a link that opens a door, as a mail or a calendar has it, stays out."""
    if path.startswith("/kalender/") and path.endswith(".ics"):
        return "/kalender/***.ics"
    for word in (
        "/adgangskode/",
        "/mailadresse/",
        "/handling/",
        "/nyhedsbreve/frameld/",
        "/nyhedsbreve/bekraeft/",
    ):
        first, found, _secret = path.partition(word)
        if found:
            return f"{first}{word}***"
    return path


def _number_requests(app: Flask) -> None:
    @app.before_request
    def number() -> None:
        g.request_id = secrets.token_hex(6)
        g.klik_moment = base.moment()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(
            request=g.request_id, method=request.method, path=_without_secret(request.path)
        )

    @app.after_request
    def let_static_files_be_kept(response: Response) -> Response:
        if request.endpoint == "static":
            response.headers["Cache-Control"] = "public, max-age=3600"
        return response


def _plugin_pages(app: Flask, installation: Installation) -> None:
    for plugin, pages, _commands in pages_and_commands(installation.registry):
        names = [f"p-{plugin}", *(f"p-{plugin}-{page.name}" for page in pages[1:])]
        for name, page in zip(names, pages, strict=False):
            app.register_blueprint(page, url_prefix=f"/p/{plugin}", name=name)
        for endpoint, view in list(app.view_functions.items()):
            if endpoint.rpartition(".")[0] in names and hasattr(view, "klik_right"):
                app.view_functions[endpoint] = _plugin_view(plugin, view)


def _plugin_view(plugin: str, view: Any) -> Any:
    right: Right = view.klik_right

    @base.access(right)
    @functools.wraps(view)
    def show(work: Any, **parts: Any) -> Any:
        key, action = request.form.get("idempotency_key"), f"p-{plugin}"
        if earlier := idempotency.taken(work, key, action):
            return redirect(earlier, 303)
        context = for_plugins.context(work, plugin)
        answer = view(context, **parts)
        for place, people in for_plugins.looked_up(context):
            lookups.look_up("udvidelse", people, subject=request.path, municipality_id=place)
        if isinstance(answer, Document):
            return printing.as_pdf(work, answer)
        response = make_response(answer)
        if response.location and response.status_code == 303:
            idempotency.remember(work, key, action, response.location)
        return response

    return show
