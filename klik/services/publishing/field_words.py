"""What a plug-in says of the values KOMBIT typed into its fields: what is wrong, and what a deadline goes against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from klik.plugins.answers import is_text
from klik.plugins.contributions import ExtraField
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class FieldWarning:
    """A sentence of a plug-in's, and the municipalities whose deadline it is about."""

    sentence: str
    names: tuple[str, ...]


def field_problem(work: Work, extra: ExtraField, value: str) -> str | None:
    """What is wrong with a value, as a Danish sentence; a plug-in that does not answer finds nothing wrong."""
    check = extra.check
    if check is None:
        return None
    return work.registry.guard.ask(
        f"{extra.key}/vaerdi", lambda: check(value), None, lambda answer: answer is None or is_text()(answer)
    )


def field_warnings(
    work: Work,
    extras: Iterable[ExtraField],
    values: Mapping[str, str],
    deadlines: Mapping[int, date | None],
    names: Mapping[int, str],
) -> tuple[FieldWarning, ...]:
    """What the fields of a task say of the deadlines it gives; each plug-in is asked once for all its days."""
    found: dict[str, list[str]] = {}
    for extra in extras:
        value = values.get(extra.key, "")
        if extra.warning is None or not value:
            continue
        days = sorted({day for day in deadlines.values() if day is not None})
        said = _asked(work, extra, value, days)
        for code, day in deadlines.items():
            if day is not None and (sentence := said.get(day)):
                found.setdefault(sentence, []).append(names[code])
    return tuple(FieldWarning(sentence, tuple(places)) for sentence, places in found.items())


def _asked(work: Work, extra: ExtraField, value: str, days: Iterable[date]) -> Mapping[date, str | None]:
    warning = extra.warning
    assert warning is not None
    nothing: Mapping[date, str | None] = {}
    return work.registry.guard.ask(
        f"{extra.key}/advarsel",
        lambda: {day: warning(value, day) for day in days},
        nothing,
        lambda said: all(each is None or is_text()(each) for each in said.values()),
    )
