"""The form above the list for its order and groups, and the contents of a grouped list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from klik.services import access, grouping
from klik.services.criteria import MOST_SORTS, SORTS, UNGROUPED, Criteria
from klik.services.grouping import Group
from klik.services.vocabulary import PEOPLE_KEYS
from klik.services.work import Work
from klik.web.tasks.panel import list_address

# Beyond this the contents are longer than the list they lead into.
MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Arranging:
    """What the form shows: a select for each key to sort by with what is chosen, and the groups.

    ``sorts`` and ``groupings`` are (value, label); ``hidden`` are the filters the form carries on.
    """

    chosen: tuple[str, ...]
    sorts: list[tuple[str, str]]
    grouping: str
    groupings: list[tuple[str, str]]
    hidden: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A group in the contents, with the address of the page it begins on."""

    group: Group
    href: str


def form(work: Work, criteria: Criteria) -> Arranging:
    """The form as it stands for these criteria."""
    people = access.sees_people(work)
    offered = {word: label for word, label in SORTS.items() if people or word not in PEOPLE_KEYS}
    chosen = [str(sort) for sort in criteria.sorts]
    return Arranging(
        chosen=(*chosen, *[""] * (MOST_SORTS - len(chosen))),
        sorts=[
            choice
            for word, label in offered.items()
            for choice in ((word, label), (f"-{word}", f"{label}, faldende"))
        ],
        grouping=criteria.grouping or UNGROUPED,
        groupings=[(UNGROUPED, "Ingen"), *grouping.offered(work).items()],
        hidden=[*criteria.pairs(), *([("pr_side", str(criteria.size))] if criteria.size else [])],
    )


def contents(criteria: Criteria, groups: Sequence[Group]) -> list[Entry]:
    """The groups of the whole list, each with the way to where it begins."""
    size = criteria.page_size
    return [
        Entry(group, f"{list_address(criteria.on_page((group.first - 1) // size + 1))}#gruppe-{place}")
        for place, group in enumerate(groups[:MOST_LISTED], start=1)
    ]
