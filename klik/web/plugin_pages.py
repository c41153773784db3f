"""The plug-ins' own pages: each in klik's unit of work, with a time limit, and a fault costs nothing but that page."""

from __future__ import annotations

import contextvars
import functools
import logging
import sys
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, make_response, redirect, request
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from klik.domain.rights import Right
from klik.installation import Installation
from klik.plugins.answers import is_document
from klik.plugins.contributions import Document
from klik.plugins.guard import fault_of
from klik.plugins.manager import pages_and_commands, plugin_of
from klik.services import auditing, for_plugins, idempotency
from klik.services.work import Work
from klik.web import base, errors, lookups, printing

log = logging.getLogger("klik.plugins")
# gunicorn gives a worker sixty seconds before it is killed with all its threads.
PATIENCE = 30.0
LARGEST_PAGE = 5 * 1024 * 1024
LONGEST_SUBJECT = 120
LARGEST_FILE = 50 * 1024 * 1024


class PluginPageError(Exception):
    """A plug-in's page could not be made; ``hangs`` when an earlier call of the same page has not ended yet."""

    def __init__(self, plugin: str, *, hangs: bool = False) -> None:
        super().__init__(plugin)
        self.plugin = plugin
        self.hangs = hangs


def set_up(app: Flask, house: Installation) -> None:
    """Register the pages of every plug-in; those that cannot be registered are left out and named."""
    app.register_error_handler(PluginPageError, _error_page)
    for plugin, pages, _commands in pages_and_commands(house.registry):
        trial = Flask("trial", static_folder=None)
        trial.url_map.converters |= app.url_map.converters
        for number, page in enumerate(pages):
            name = f"p-{plugin}" if number == 0 else f"p-{plugin}-{getattr(page, 'name', number)}"
            if problem := _problem(trial, plugin, page, name):
                house.registry.guard.failed(f"{plugin}.klik_blueprints", problem)
                continue
            app.register_blueprint(page, url_prefix=f"/p/{plugin}", name=name)
            for endpoint, view in list(app.view_functions.items()):
                if endpoint.rpartition(".")[0] == name:
                    address = next(app.url_map.iter_rules(endpoint)).rule
                    app.view_functions[endpoint] = _shown(f"{plugin}.side/{address}", view)
        guard = house.registry.guard
        for key in {f"{plugin}.klik_blueprints", f"{plugin}.klik_commands"} - guard.faults().keys():
            guard.began(key)


def _error_page(error: PluginPageError) -> errors.Answer:
    return errors.page(
        500,
        plugin=error.plugin.upper(),
        hangs=error.hangs,
        typed=errors.typed(),
    )


def _problem(trial: Flask, plugin: str, page: Any, name: str) -> str:
    """What is wrong with a blueprint, seen where it cannot touch klik; empty when it has pages and nothing else."""
    if not isinstance(page, Blueprint):
        return f"gav et ubrugeligt svar ({type(page).__name__})"
    before = _reach(trial)
    try:
        trial.register_blueprint(page, url_prefix=f"/p/{plugin}", name=name)
    except Exception as error:
        return f"kunne ikke tages i brug: {fault_of(error)}"
    if _reach(trial) != before:
        return "griber ind i andre sider end sine egne"
    for rule in trial.url_map.iter_rules():
        if not rule.rule.startswith(f"/p/{plugin}/"):
            return f"har en side uden for /p/{plugin}/"
        if not isinstance(getattr(trial.view_functions[rule.endpoint], "klik_right", None), Right):
            return f"siden {rule.rule} mangler page_access"
    return ""


def _reach(app: Flask) -> tuple[Any, ...]:
    """What an application does around every page."""
    around = (
        app.before_request_funcs,
        app.after_request_funcs,
        app.teardown_request_funcs,
        app.url_value_preprocessors,
        app.url_default_functions,
    )
    counted = [sum(len(functions) for functions in each.values()) for each in around]
    handlers = sum(len(codes) for scope in app.error_handler_spec.values() for codes in scope.values())
    everywhere = len(app.template_context_processors[None])
    jinja = app.jinja_env
    return (*counted, everywhere, handlers, len(jinja.filters), len(jinja.globals), len(jinja.tests))


def _shown(key: str, view: Any) -> Any:
    right: Right = view.klik_right
    plugin = plugin_of(key)

    @base.access(right)
    @functools.wraps(view)
    def show(work: Work, **parts: Any) -> Any:
        once, action = request.form.get("idempotency_key"), f"p-{plugin}"
        if earlier := idempotency.taken(work, once, action):
            return redirect(earlier, 303)
        context = for_plugins.context(work, plugin)
        try:
            answer = _asked(work, key, lambda: view(context, **parts))
        finally:
            assert context.store is not None
            context.store.close(keep=True)
        for place, people in for_plugins.looked_up(context):
            lookups.look_up("udvidelse", people, subject=request.path, municipality_id=place)
        made = _made(work, key, answer)
        work.registry.guard.answered(key)
        if context.store.wrote and request.method != "GET" and getattr(made, "status_code", 200) < 400:
            _note(work)
        if isinstance(made, Document):
            return printing.as_pdf(work, made)
        if made.location and made.status_code == 303:
            idempotency.remember(work, once, action, made.location)
        return made

    return show


def _note(work: Work) -> None:
    """A plug-in cannot write to the audit trail; who stored something where stands there all the same."""
    place = work.actor.municipality_id if work.actor else None
    auditing.record(work, "udvidelse", request.path[:LONGEST_SUBJECT], municipality_id=place)


def _asked(work: Work, key: str, view: Callable[[], Any]) -> Any:
    """The view's answer; raises what may pass, else PluginPageError."""
    guard = work.registry.guard
    # A page never rests for its errors, which cost nobody else; while one hangs it would take thread after thread.
    if guard.hangs(key):
        raise PluginPageError(plugin_of(key), hangs=True)
    try:
        return guard.run(key, view, contextvars.copy_context(), PATIENCE)
    except TimeoutError as error:
        if not guard.hangs(key):
            guard.failed(key, fault_of(error), error)
        raise PluginPageError(plugin_of(key), hangs=True) from None
    except BaseException as error:
        if _may_pass(error):
            raise
        guard.failed(key, fault_of(error), error)
        raise PluginPageError(plugin_of(key)) from None


def _may_pass(error: BaseException) -> bool:
    """Whether a page may raise it without being at fault: it says so, the database is away, or a race is lost."""
    if isinstance(error, OperationalError):
        return error.connection_invalidated or "no such" not in str(error.orig)
    if isinstance(error, IntegrityError):
        return "idempotency_key" in request.form
    return isinstance(error, HTTPException | StaleDataError)


def _made(work: Work, key: str, answer: Any) -> Document | Response:
    try:
        if isinstance(answer, Document) and is_document(answer):
            return answer
        return _checked(answer)
    except HTTPException:
        raise
    except Exception as error:
        work.registry.guard.failed(key, f"gav et ubrugeligt svar ({fault_of(error)})", error)
        raise PluginPageError(plugin_of(key)) from None


def _checked(answer: Any) -> Response:
    if isinstance(answer, str) and len(answer) > LARGEST_PAGE:
        raise ValueError("the page is too large")
    response = make_response(answer)
    if not response.is_streamed and (response.content_length or sys.getsizeof(response.data)) > LARGEST_FILE:
        raise ValueError("the file is too large")
    return response
