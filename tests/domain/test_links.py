"""Circles of tasks, held against an oracle that walks every way there is."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from klik.domain.links import circles_through

GRAPHS = st.dictionaries(st.integers(0, 7), st.lists(st.integers(0, 7), max_size=4), max_size=8)


def _reaches(begin: int, end: int, needs: dict[int, list[int]]) -> int | None:
    """How many steps there are from one to the other at the least, by widening the set of what is reached."""
    reached, steps = {begin}, 0
    while end not in reached:
        wider = reached | {need for each in reached for need in needs.get(each, ())}
        if wider == reached:
            return None
        reached, steps = wider, steps + 1
    return steps


@given(GRAPHS)
def test_every_need_that_leads_back_is_one_circle_and_no_other(needs: dict[int, list[int]]) -> None:
    found = circles_through(0, needs)
    leads_back = {need for need in needs.get(0, ()) if _reaches(need, 0, needs) is not None}
    assert [circle[1] for circle in found] == [
        need for need in dict.fromkeys(needs.get(0, ())) if need in leads_back
    ]
    for circle in found:
        assert circle[0] == circle[-1] == 0
        assert all(after in needs[before] for before, after in pairwise(circle))
        assert len(circle) - 2 == _reaches(circle[1], 0, needs)


def test_a_circle_over_other_tasks_is_named_in_order() -> None:
    assert circles_through("A", {"A": ["B", "C"], "B": ["D"], "D": ["A"], "C": []}) == (("A", "B", "D", "A"),)


def test_a_circle_elsewhere_is_no_concern() -> None:
    assert circles_through("A", {"A": ["B"], "B": ["C"], "C": ["B"]}) == ()
