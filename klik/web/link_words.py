"""The words a link brings to the forms of new tasks: ``/opgaver/ny?titel=…&beskrivelse=…&deadline=…``."""

from __future__ import annotations

from collections.abc import Mapping

from klik.content.loading import Content
from klik.domain.calendar import parse_date, short_date
from klik.domain.errors import InputError
from klik.web.forms import showable

TITLE, TEXT, SYSTEM = "titel", "beskrivelse", "system"
PHASE, THEME, DEADLINE, CHECKLIST = "fase", "tema", "deadline", "tjekliste"
LONGEST = 20_000


def read(arguments: Mapping[str, str], content: Content) -> dict[str, str]:
    """What was asked for, by the words above; what the form could not show (no such phase, no date) is left out.

    The deadline comes as people type it. Nothing is judged here: the form does that when it is sent.
    """
    found = {
        name: showable(arguments.get(name, "")[:LONGEST])
        for name in (TITLE, TEXT, SYSTEM, PHASE, THEME, DEADLINE, CHECKLIST)
        if arguments.get(name, "").strip()
    }
    for name, known in ((PHASE, content.phases), (THEME, content.themes)):
        if found.get(name) not in {each.slug for each in known}:
            found.pop(name, None)
    try:
        found[DEADLINE] = short_date(parse_date(found.get(DEADLINE, "")))
    except InputError:
        found.pop(DEADLINE, None)
    return found
