"""The 21 interfaces of the klarmeldingsregneark, by number (seed 003), and which of them a written number means."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Interface:
    """A snitflade of the joint infrastructure; ``criteria`` are those the seed gives, in its words."""

    number: str
    name: str
    criteria: tuple[str, ...]


@cache
def interfaces() -> Mapping[str, Interface]:
    """Every interface by its number, in the sheet's order."""
    rows = tomllib.loads(Path(__file__).with_name("interfaces.toml").read_text("utf-8"))["snitflade"]
    found = [Interface(row["nummer"], row["navn"], tuple(row.get("kriterier", ()))) for row in rows]
    return {each.number: each for each in found}


def interface_numbered(written: str) -> Interface | None:
    """The interface a number means, however it is spaced: "sf 1411-a" is SF1411_A."""
    return _by_letters().get(_letters(written))


@cache
def _by_letters() -> Mapping[str, Interface]:
    return {_letters(each.number): each for each in interfaces().values()}


def _letters(number: str) -> str:
    return re.sub(r"[\W_]+", "", number).upper()
