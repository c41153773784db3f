"""What differs between two versions of a task, in words: field by field, and paragraph by paragraph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from klik.domain.passages import Words, wording
from klik.models import TaskVersion
from klik.services.correcting.plan import fields_of
from klik.services.deadlines import explanation
from klik.services.publishing.text import PARTS, ROLES
from klik.services.tasks.steps import local_word
from klik.services.tasks.words import FIELDS, NOTHING, choice_word, day_word
from klik.services.work import Work

_MOVES = {"uaendret": "flyttes ikke", "foer": "til arbejdsdagen før", "efter": "til arbejdsdagen efter"}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field or text that differs. ``paragraphs`` are a text's, or the one line of a field: runs of words."""

    label: str
    paragraphs: tuple[tuple[Words, ...], ...]
    is_text: bool = False


def differences(work: Work, old: TaskVersion, new: TaskVersion) -> tuple[Difference, ...]:
    """Every difference, in the order people read a task."""
    return tuple(_differences(work, old, new))


def _differences(work: Work, old: TaskVersion, new: TaskVersion) -> Iterator[Difference]:
    for label, was, now in _facts(work, old, new):
        if was != now:
            yield Difference(label, wording(was, now) or ((Words("removed", was), Words("added", now)),))
    for part, label in PARTS.items():
        found = wording(getattr(old, part), getattr(new, part))
        if found:
            yield Difference(label, found, is_text=True)


def _facts(work: Work, old: TaskVersion, new: TaskVersion) -> Iterator[tuple[str, str, str]]:
    content = work.registry.content
    yield FIELDS["title"], old.title, new.title
    for name in ("phase", "theme", "priority"):
        yield (
            FIELDS[name],
            local_word(work, name, getattr(old, name)),
            local_word(work, name, getattr(new, name)),
        )
    yield FIELDS["infrastructure"], *("Ja" if each.infrastructure else "Nej" for each in (old, new))
    for name, label in ROLES.items():
        if hasattr(old, name):
            was, now = getattr(old, name), getattr(new, name)
            yield label, *(content.role(each).name if each else NOTHING for each in (was, now))
    yield FIELDS["start_date"], day_word(old.start_date), day_word(new.start_date)
    yield (
        "Frist",
        *(explanation(work.registry, each.deadline_rule, each.deadline_parameter) for each in (old, new)),
    )
    yield "Frist på en fridag", _MOVES[old.working_day], _MOVES[new.working_day]
    was_fields, now_fields = fields_of(old), fields_of(new)
    for key in sorted(was_fields.keys() | now_fields.keys()):
        extra = work.registry.extra_fields.get(key)
        values = (was_fields.get(key, ""), now_fields.get(key, ""))
        yield (
            extra.label if extra else key,
            *((choice_word(extra, v) if extra else v) or NOTHING for v in values),
        )
