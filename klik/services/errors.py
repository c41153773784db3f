"""What can be wrong with a request, independent of how it came in; the web and the CLI word it for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class NotFoundError(Exception):
    """Not there, or not the actor's to see: the two must look alike."""


class ForbiddenError(Exception):
    """The actor may see the thing but not do this with it."""


class RefusedError(Exception):
    """Bad input: a Danish sentence a field; nothing was stored."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field two people changed at once, in shown words."""

    field: str
    mine: str
    theirs: str


class ConflictError(Exception):
    """Somebody else stored a newer version first; what both wrote is here, and nothing was overwritten."""

    def __init__(self, version: int, differences: tuple[Difference, ...], who: str | None = None) -> None:
        super().__init__(f"version {version} is newer")
        self.version = version
        self.differences = differences
        self.who = who
