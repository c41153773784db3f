"""The edge: every view declares its access here, gets one unit of work, and is stored or undone as a whole."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Response, current_app, g, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.routing import IntegerConverter, UnicodeConverter, ValidationError
from werkzeug.wrappers import Response as AnyResponse

from klik.domain.rights import Right
from klik.installation import Installation
from klik.services import idempotency, quarantine
from klik.services.errors import ConflictError, ForbiddenError, RefusedError
from klik.services.keeping import Kept
from klik.services.people import sessions
from klik.services.work import Work
from klik.web import forms, lookups

View = Callable[..., Any]
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN = "open"
COOKIE = "klik"


class IdConverter(IntegerConverter):
    """An id in an address: 1 to 2^31-1 in plain digits; anything else is simply not there (404)."""

    regex = r"[1-9][0-9]{0,9}"

    def __init__(self, map: Any) -> None:
        super().__init__(map, min=1, max=2**31 - 1)


class WordConverter(UnicodeConverter):
    """A word in an address; with a character that no database can hold it names nothing (404)."""

    def to_python(self, value: str) -> str:
        """The word as it is."""
        if "\0" in value:
            raise ValidationError
        return value


class UndoneError(Exception):
    """Carries an answer out of a transaction whose changes must not be stored."""

    def __init__(self, response: AnyResponse) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True, slots=True)
class Afterwards:
    """What a view returns when its answer takes long: ``make`` is called once the transaction has ended."""

    make: Callable[[], Any]


def installation() -> Installation:
    """The installation the running application belongs to."""
    return current_app.extensions["klik"]


def cookie_name() -> str:
    """The session cookie's name; with https the prefix binds it to this host and to TLS."""
    return f"__Host-{COOKIE}" if installation().settings.secure else COOKIE


def moment() -> datetime:
    """Now; the one place where the web reads the clock."""
    return datetime.now(UTC)


def access(right: Right | None) -> Callable[[View], View]:
    """Declare which right a view takes; None opens it to everyone. The view gets a Work first.

    GET gets a reading transaction, the rest a writing one. An answer of 400 or more, or an exception, undoes
    what was written. klik refuses to start with an endpoint that declares nothing.
    """

    def declare(view: View) -> View:
        @functools.wraps(view)
        def edge(**parts: Any) -> AnyResponse:
            return enter(right, view, parts)

        edge.klik_access = right.value if right else OPEN  # type: ignore[attr-defined]
        return edge

    return declare


def enter(right: Right | None, view: View, parts: dict[str, Any]) -> AnyResponse:
    """Open the unit of work, check the right, call the view, and store or undo."""
    house = installation()
    now = g.klik_moment
    writes = request.method not in SAFE
    transaction = house.database.writing if writes else house.database.reading
    answer: Any = None
    actor = None
    try:
        with transaction() as session:
            g.klik_session, g.klik_now = session, now
            signed_in = current_user if current_user.is_authenticated else None
            actor = signed_in.actor if signed_in else None
            g.klik_actor = actor
            g.klik_unread = signed_in.unread if signed_in else 0
            g.klik_elsewhere = bool(signed_in and signed_in.elsewhere)
            g.klik_work = work = Work(session, actor, now, house.registry)
            if signed_in and not writes:
                g.klik_work = work = replace(work, kept=Kept(house.kept, signed_in.stamps))
            if signed_in:
                quarantine.catch_up(work, signed_in.faults)
            if right is not None and actor is None:
                raise UndoneError(sign_in_first())
            if right is not None and not work.actor.has(right):  # type: ignore[union-attr]
                raise ForbiddenError(right)
            answer = view(work, **parts)
            response = make_response("" if isinstance(answer, Afterwards) else answer)
            if writes and response.status_code < 400 and (problems := forms.cpr_problems()):
                # The exception undoes what was written; what was typed must not be stored before it is asked about.
                raise RefusedError(problems)
            if writes and response.status_code >= 400:
                raise UndoneError(response)
    except UndoneError as undone:
        response = undone.response
    except StaleDataError as race:
        raise ConflictError(0, ()) from race
    except IntegrityError:
        earlier = _earlier_result() if writes else None
        if earlier is None:
            raise
        response = make_response(redirect(earlier, 303))
    finally:
        # An error page is drawn after the transaction; it must not open another by touching the session.
        g.pop("klik_session", None)
        g.pop("klik_work", None)
    if isinstance(answer, Afterwards):
        response = make_response(answer.make())
    if response.status_code < 400:
        lookups.note(house, actor, now)
    _note_seen(now)
    return response


def _earlier_result() -> str | None:
    with installation().database.reading() as session:
        return idempotency.earlier_result(session, request.form.get("idempotency_key"))


def _note_seen(now: datetime) -> None:
    if current_user.is_authenticated and current_user.seen_is_old:
        house = installation()
        with house.writing(now) as work:
            sessions.touch(work, current_user.session_id)


def sign_in_first() -> AnyResponse:
    """To the sign-in page; what was typed into a form is shown, so that it is not lost."""
    if request.method in SAFE:
        here = request.full_path.rstrip("?")
        return redirect(url_for("accounts.sign_in", next=here if here != "/" else None), 303)
    typed = {
        name: value
        for name, value in request.form.items()
        if name not in ("csrf_token", "idempotency_key", "password") and value.strip()
    }
    return make_response(render_template("accounts/signed_out.html", typed=typed, here=_origin()), 401)


def _origin() -> str:
    parts = urlsplit(request.referrer or "")
    return parts.path if parts.netloc == request.host and parts.path.startswith("/") else "/"


def safe_next(target: str | None) -> str:
    """Where to go after signing in: only a path of klik's own, else the front page."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return "/"
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return "/"
    try:
        current_app.url_map.bind(request.host).match(parts.path, method="GET")
    except Exception:
        return "/"
    return target


def see_other(endpoint: str, **parts: Any) -> AnyResponse:
    """After a stored POST: look at the result with GET."""
    return redirect(url_for(endpoint, **parts), 303)


def undeclared(app: Any) -> list[str]:
    """The endpoints that declare no access, with the fix."""
    return [
        f"{rule.endpoint} ({rule.rule}): sæt @access(Right.…) fra klik.web.base over funktionen"
        for rule in app.url_map.iter_rules()
        if getattr(app.view_functions[rule.endpoint], "klik_access", None) is None
    ]


__all__ = ["OPEN", "Afterwards", "IdConverter", "Response", "access", "installation", "see_other"]
