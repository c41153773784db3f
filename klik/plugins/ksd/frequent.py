"""The 16 most frequent task types in order, and how they are solved where KOMBIT has shown it (seed 004)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from klik.plugins.ksd.catalogue import task_types

# KOMBIT's own guide covers the 14 most frequent; it lies in KSD's library of documents and on Kundenet.
IN_THE_GUIDE = 14


@dataclass(frozen=True, slots=True)
class Solution:
    """What a task comes of, what one does, and what happens afterwards; ``anchor`` is its place on the page."""

    anchor: str
    title: str
    cause: str
    steps: tuple[str, ...]
    afterwards: str


@dataclass(frozen=True, slots=True)
class Frequent:
    """A type by its place among the most frequent; ``id`` and ``blocks`` are None where it blocks nothing.

    ``fewer``: KOMBIT has announced a change that makes fewer of them.
    """

    place: int
    title: str
    id: int | None
    blocks: str | None
    fewer: bool
    solution: Solution | None


@cache
def most_frequent() -> tuple[Frequent, ...]:
    """All 16, the most frequent first."""
    return tuple(_frequent(place, facts) for place, facts in enumerate(_file()["hyppig"], start=1))


@cache
def limit_solution() -> Solution:
    """How tasks about exceeded limits are solved."""
    solution = _solution(_file()["graensevaerdi"], "loes-graensevaerdi")
    assert solution is not None
    return solution


def _frequent(place: int, facts: Mapping[str, Any]) -> Frequent:
    number = facts.get("id")
    blocks = task_types()[number].blocks if number is not None else None
    return Frequent(
        place, facts["titel"], number, blocks, facts.get("faerre", False), _solution(facts, f"loes-{number}")
    )


def _solution(facts: Mapping[str, Any], anchor: str) -> Solution | None:
    if "loesning" not in facts:
        return None
    return Solution(anchor, facts["titel"], facts["anledning"], tuple(facts["loesning"]), facts["bagefter"])


def _file() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("frequent.toml").read_text("utf-8"))
