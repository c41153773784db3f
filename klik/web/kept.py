"""Pages that are drawn once for each state of the data, and after that only handed out again."""

from __future__ import annotations

import functools
import re
import uuid
from collections.abc import Callable, Hashable
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from flask import Response, current_app, g, request, session
from flask_wtf.csrf import generate_csrf

from klik.domain.deadlines import danish_today
from klik.services.work import Work
from klik.web.base import cookie_name

_ONCE = re.compile(rb'name="idempotency_key" value="([0-9a-f-]{36})"')
_TOKEN, _REFERENCE, _KEY = b"\0token\0", b"\0reference\0", b"\0key%d\0"


class Watched(Work):
    """Work that notices when its clock is read: what depends on the time of day is not kept."""

    __slots__ = ("clock_was_read",)
    clock_was_read: bool

    @classmethod
    def of(cls, work: Work) -> Watched:
        """The same work, watched."""
        watched = object.__new__(cls)
        for field in fields(Work):
            Work.__dict__[field.name].__set__(watched, getattr(work, field.name))
        object.__setattr__(watched, "clock_was_read", False)
        return watched

    @property
    def now(self) -> datetime:  # type: ignore[override]
        """The moment, as of all work."""
        object.__setattr__(self, "clock_was_read", True)
        return self._moment()

    @now.setter
    def now(self, moment: datetime) -> None:
        # A copy at another moment is made by the dataclass, which sets every field once.
        Work.__dict__["now"].__set__(self, moment)

    @property
    def today(self) -> date:
        """The Danish day, which is part of what a page is kept under."""
        return danish_today(self._moment())

    def _moment(self) -> datetime:
        return Work.__dict__["now"].__get__(self)


def kept(view: Callable[..., Any]) -> Callable[..., Any]:
    """Keep what a GET view draws, for the one actor and address, until something it could show has changed.

    The view must answer by the address, the actor, the Danish day and the database alone; one that reads the
    clock, asks a plug-in, reads a table without a stamp, or changes what the browser's cookie remembers is not
    kept. It is drawn anew when a stamp of the actor's data has moved. CSRF token, reference number and the keys of
    forms are new each time.
    """

    @functools.wraps(view)
    def show(work: Work, **parts: Any) -> Any:
        if work.kept is None or work.actor is None or "_flashes" in session:
            return view(work, **parts)
        key = _key(view.__name__, work, parts)
        pages, stamps = work.kept.store, work.kept.stamps
        if page := pages.get(key, stamps):
            return Response(_fresh(page), mimetype="text/html")
        before = _remembered()
        watched = Watched.of(work)
        g.klik_work = watched
        with work.kept.watching(work.session) as seen:
            drawn = view(watched, **parts)
        settled = _remembered() == before and not watched.clock_was_read
        if isinstance(drawn, str) and settled and seen.may_be_kept():
            page = _worn(drawn.encode())
            if page is not None:
                pages.put(key, stamps, page, len(page))
        return drawn

    return show


def _key(name: str, work: Work, parts: dict[str, Any]) -> Hashable:
    own = (cookie_name(), current_app.config["SESSION_COOKIE_NAME"])
    return (
        name,
        tuple(parts.items()),
        request.full_path,
        request.host_url,
        tuple(sorted(each for each in request.headers.items() if each[0].casefold().startswith("hx-"))),
        tuple(sorted(each for each in request.cookies.items() if each[0] not in own)),
        _remembered(),
        work.actor,
        work.today,
    )


def _remembered() -> str:
    """What the browser's signed cookie holds beside the secret of its forms."""
    return repr(sorted(each for each in session.items() if each[0] != "csrf_token"))


def _worn(page: bytes) -> bytes | None:
    """The page with marks for what is new each time; None when it holds a key of a form that would not be."""
    keys = _ONCE.findall(page) if b"idempotency_key" in page else []
    if page.count(b"idempotency_key") != len(keys):
        return None
    for number, each in enumerate(dict.fromkeys(keys)):
        page = page.replace(each, _KEY % number)
    token = g.get("csrf_token")
    if token:
        page = page.replace(token.encode(), _TOKEN)
    return page.replace(g.request_id.encode(), _REFERENCE)


def _fresh(page: bytes) -> bytes:
    page = page.replace(_REFERENCE, g.request_id.encode())
    if _TOKEN in page:
        page = page.replace(_TOKEN, generate_csrf().encode())
    number = 0
    while (mark := _KEY % number) in page:
        page = page.replace(mark, str(uuid.uuid4()).encode())
        number += 1
    return page
