"""That somebody looked people up, noted after the answer: a line at a view, and a page for administrators."""

from __future__ import annotations

import logging
from datetime import datetime

from flask import g

from klik.installation import Installation
from klik.services.roles import lookups
from klik.services.roles.lookups import Lookup
from klik.services.work import Actor

log = logging.getLogger("klik.lookups")


def look_up(
    kind: str,
    people: int,
    *,
    subject: str = "",
    municipality_id: int | None = None,
    about_person_id: int | None = None,
) -> None:
    """In a view that shows or hands out people: noted when the answer is a success, once a day for the same.

    ``kind`` is one of ``lookups.KINDS``; ``subject`` says what was asked for without names (a role's slug, a filter).
    """
    if people:
        found = Lookup(kind, subject, people, municipality_id, about_person_id)
        g.setdefault("klik_lookups", []).append(found)


def note(house: Installation, actor: Actor | None, now: datetime) -> None:
    """Write down what the view's people were; a short transaction of its own, and a failure never spoils the page."""
    found = g.pop("klik_lookups", [])
    if actor is None or not found:
        return
    try:
        with house.reading(now, actor) as work:
            new = [each for each in found if not lookups.is_noted(work, each)]
        if new:
            with house.writing(now, actor) as work:
                for each in new:
                    lookups.note(work, each)
    except Exception:
        log.exception("a look-up could not be noted")
