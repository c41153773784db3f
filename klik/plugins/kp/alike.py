"""\"Ligger der allerede en?\": earlier cases, knowledge and known errors that share words with what is asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from klik.plugins import PluginContext, long_date, search_key
from klik.plugins.driftsside import KnownError
from klik.plugins.kp import cases, knowledge
from klik.plugins.kp.choices import STATES
from klik.plugins.kp.drift import SIDE

MOST_SHOWN = 5
SHORTEST_WORD = 3
STEM = 6  # "flettefelter" and "flettefelt" are the same word
_WORD = re.compile(r"[^\W_]+")
# Words that tell nothing apart.
_EMPTY_WORDS = """
alle andre det den der deres dette efter eller fejl fejlen for fra før han har hun hvad hvor hvorfor ikke
ind inde jeg kan kunne man med men mig når nogle ofte også over problem sag sagen skal som til ved vi vil virker være
ud uden under denne her borger borgeren borgerens min support minsupport fejlmeddelelse automatisk bliver blev
"""
_EMPTY = frozenset(search_key(word) for word in _EMPTY_WORDS.split())


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that looks like it: what it is, what it says, and where it stands."""

    title: str
    detail: str
    address: str


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found in each of the three places, the likeliest first."""

    cases: tuple[Hit, ...] = ()
    knowledge: tuple[Hit, ...] = ()
    errors: tuple[Hit, ...] = ()

    @property
    def count(self) -> int:
        """How many in all."""
        return len(self.cases) + len(self.knowledge) + len(self.errors)


def words_of(text: str) -> tuple[str, ...]:
    """The words that tell something apart, folded, each once."""
    words = (search_key(word) for word in _WORD.findall(text))
    return tuple(dict.fromkeys(word for word in words if len(word) >= SHORTEST_WORD and word not in _EMPTY))


def score(asked: Sequence[str], heading: str, rest: str) -> int:
    """How much a text shares with the words asked for: 2 for each in its heading, 1 elsewhere; 0 when too little.

    A third of the words must be found, and of five words or more at least two.
    """
    if not asked:
        return 0
    first, further = words_of(heading), words_of(rest)
    points = [2 if _any_alike(word, first) else 1 if _any_alike(word, further) else 0 for word in asked]
    shared = sum(point > 0 for point in points)
    return sum(points) if shared * 3 >= len(asked) and (shared >= 2 or len(asked) < 5) else 0


def search(context: PluginContext, text: str, *, besides: int | None = None) -> Hits:
    """What resembles the text, in the municipality's cases, the knowledge base and the known errors.

    ``besides``: the case that is being written.
    """
    asked = words_of(text)
    if not asked:
        return Hits()
    found_cases = (
        (
            score(asked, case.title, " ".join((case.component, case.steps, case.technical, case.answer))),
            Hit(case.title, _about(case), f"/p/kp/sager/{case.id}"),
        )
        for case in cases.all_of(context)
        if case.id != besides
    )
    found_entries = (
        (
            score(asked, entry.problem, f"{entry.component} {entry.solution}"),
            Hit(entry.problem, entry.solution, f"/p/kp/viden/{entry.id}"),
        )
        for entry in knowledge.all_of(context)
    )
    return Hits(_likeliest(found_cases), _likeliest(found_entries), _known_errors(context, asked))


def _known_errors(context: PluginContext, asked: Sequence[str]) -> tuple[Hit, ...]:
    """Of what the driftsside finds, that which resembles as much as the rest must."""
    found = (
        (
            score(asked, error.title, f"{error.component} {error.workaround}"),
            Hit(error.title, _about_error(error), error.address),
        )
        for error in SIDE.search(cases.stored(context), " ".join(asked), solved=False)
    )
    return _likeliest(found)


def _about_error(error: KnownError) -> str:
    expected = f"Forventet løst {long_date(error.expected)}" if error.expected else "Ingen dato for løsning"
    workaround = f" · Workaround: {error.workaround}" if error.workaround else ""
    return f"{expected} · {error.component}{workaround}" if error.component else f"{expected}{workaround}"


def _about(case: cases.Case) -> str:
    number = f" · nr. {case.reference}" if case.reference else ""
    component = f" · {case.component}" if case.component else ""
    return f"{STATES[case.state]}{number}{component}"


def _likeliest(found: Iterable[tuple[int, Hit]]) -> tuple[Hit, ...]:
    ranked = sorted((each for each in found if each[0]), key=lambda each: -each[0])
    return tuple(hit for _, hit in ranked[:MOST_SHOWN])


def _any_alike(word: str, others: Iterable[str]) -> bool:
    return any(
        word == other or (min(len(word), len(other)) >= STEM and word[:STEM] == other[:STEM])
        for other in others
    )
