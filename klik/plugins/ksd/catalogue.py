"""The 56 task types of KSD that block something, and which of them a written title means (seed 004)."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from klik.plugins import search_key

# In the order in which they hurt: what stops money is seen first.
CLASSES: Mapping[str, str] = {
    "udbetaling": "Blokerer for udbetaling",
    "graensevaerdi": "Grænseværdi overskredet",
    "afgoerelse": "Blokerer for afgørelse og dermed udbetaling",
    "brev": "Blokerer for underretningsbrev",
    "uoplyst": "Blokerer, men rapporten siger ikke for hvad",
    "ingen": "Blokerer ikke",
}
SHORT_CLASSES: Mapping[str, str] = {
    "udbetaling": "Udbetaling",
    "graensevaerdi": "Grænseværdi",
    "afgoerelse": "Afgørelse",
    "brev": "Underretningsbrev",
    "uoplyst": "Uoplyst",
    "ingen": "Blokerer ikke",
}
CARD_WORDS: Mapping[str, str] = {
    "udbetaling": "blokerer for udbetaling",
    "graensevaerdi": "om grænseværdier",
    "afgoerelse": "blokerer for afgørelse",
    "brev": "blokerer for brev",
    "uoplyst": "blokerer, uden at det står for hvad",
    "ingen": "blokerer ikke",
}
BLOCKING = ("udbetaling", "afgoerelse", "brev")
# KOMBIT, 25 May 2020: how many types there are, how many of them block nothing, and how many had been seen.
ALL_TYPES, NOT_BLOCKING, SEEN_TYPES = 109, 53, 75
NEAR_ENOUGH = 0.92


@dataclass(frozen=True, slots=True)
class TaskType:
    """One type, by its ID; ``seen`` is how many were made from 24.11.2019 to 20.05.2020, where KOMBIT says so."""

    id: int
    title: str
    blocks: str
    seen: int | None


@cache
def task_types() -> Mapping[int, TaskType]:
    """Every blocking type by ID, the lowest first."""
    classes = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text("utf-8"))
    found = [
        TaskType(int(number), facts["titel"], blocks, facts.get("antal"))
        for blocks, types in classes.items()
        for number, facts in types.items()
    ]
    return {each.id: each for each in sorted(found, key=lambda each: each.id)}


def title_key(title: str) -> str:
    """What stays of a title when reports write it a little differently: letters, digits and single spaces."""
    return " ".join(re.sub(r"[^\w§]+", " ", search_key(title)).split())


def types_named(title: str) -> tuple[TaskType, ...]:
    """The types a title in a report means: the same words, a longer ending, or a slip of the pen; mostly one.

    Two titles are shared by two IDs each; then both come. A "not" too many is no slip: "Kontroller sag – ikke
    bremsende" blocks nothing.
    """
    key = title_key(title)
    if not key:
        return ()
    keys = {each.id: title_key(each.title) for each in task_types().values()}
    known = set(keys.values())
    if key in known:
        best: str | None = key
    else:
        starts = [each for each in known if key.startswith(f"{each} ") and len(each) >= 20]
        best = max(starts, key=len, default=None) or _nearly(key, known)
    return tuple(each for each in task_types().values() if keys[each.id] == best)


def is_limit(title: str) -> bool:
    """Whether the type is about an exceeded limit: it blocks nothing, yet must be solved by Monday (seed 004)."""
    return title_key("grænseværdi") in title_key(title)


def _nearly(key: str, known: set[str]) -> str | None:
    same_sense = [each for each in known if ("ikke" in each.split()) == ("ikke" in key.split())]
    near = difflib.get_close_matches(key, same_sense, n=1, cutoff=NEAR_ENOUGH)
    return near[0] if near else None
