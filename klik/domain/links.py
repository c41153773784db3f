"""Tasks that need one another done first, and the circles in which nobody could begin."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

Node = TypeVar("Node", bound=Hashable)


def circles_through(start: Node, needs: Mapping[Node, Iterable[Node]]) -> tuple[tuple[Node, ...], ...]:
    """The circles that go through ``start``: for each of its own needs that leads back, the shortest way round.

    ``needs`` gives what each must wait for. A circle begins and ends with ``start``.
    """
    waited_for = dict.fromkeys(needs.get(start, ()))
    ways = ((start, *way) for need in waited_for if (way := _shortest(need, start, needs)))
    return tuple(ways)


def _shortest(begin: Node, end: Node, needs: Mapping[Node, Iterable[Node]]) -> tuple[Node, ...] | None:
    came_from: dict[Node, Node | None] = {begin: None}
    waiting = deque([begin])
    while waiting:
        here = waiting.popleft()
        if here == end:
            return _way(here, came_from)
        for need in needs.get(here, ()):
            if need not in came_from:
                came_from[need] = here
                waiting.append(need)
    return None


def _way(end: Node, came_from: Mapping[Node, Node | None]) -> tuple[Node, ...]:
    way: list[Node] = []
    here: Node | None = end
    while here is not None:
        way.append(here)
        here = came_from[here]
    return tuple(reversed(way))
