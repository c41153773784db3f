"""What was typed about one's roles, field by field: each role has its own four, named by the holding's id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from werkzeug.datastructures import MultiDict

from klik.services.roles.answering import Answer
from klik.web.forms import showable

ALL = "alle"
_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
MOST = 500


@dataclass(frozen=True, slots=True)
class Typed:
    """The form as it came, to be shown again with what is wrong with it."""

    values: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str, holding_id: int) -> str:
        """What was typed into a role's field."""
        return self.values.get(f"{name}-{holding_id}", "")

    def problem(self, name: str, holding_id: int) -> str | None:
        """What is wrong with a role's field."""
        return self.problems.get(f"{name}-{holding_id}")


def typed(form: MultiDict[str, str], problems: Mapping[str, str] | None = None) -> Typed:
    """The form's fields, fit to be shown."""
    return Typed({name: showable(value) for name, value in form.items()}, problems or {})


def answers(form: MultiDict[str, str]) -> dict[int, Answer]:
    """The roles that something was chosen for, with what was typed."""
    chosen: dict[int, Answer] = {}
    for name, value in form.items():
        word, _, number = name.partition("-")
        if word == "svar" and value and _NUMBER.fullmatch(number) and int(number) < 2**31:
            rest = (form.get(f"{each}-{number}", "") for each in ("navn", "mail", "note"))
            chosen[int(number)] = Answer(value, *rest)
    return chosen


def numbers(words: Iterable[str]) -> set[int]:
    """The ids in what a form sent along; whatever is no id is left out."""
    found = [word for text in words for word in text.split(",")]
    return {int(word) for word in found[:MOST] if _NUMBER.fullmatch(word) and int(word) < 2**31}
