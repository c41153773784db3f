"""Who is primary where several hold a role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest

from klik.content.roles import Holders
from klik.services.holders import first_in_line


@dataclass(frozen=True)
class Held:
    id: int
    valid_from: date
    is_primary: bool = False


OLD, NEW = Held(9, date(2026, 1, 1)), Held(1, date(2026, 5, 1))
CHOSEN = Held(12, date(2026, 11, 1), is_primary=True)


@pytest.mark.parametrize("rule", [Holders.ONE_PRIMARY, Holders.EXACTLY_ONE])
def test_who_was_chosen_else_who_has_held_it_longest(rule: Holders) -> None:
    assert first_in_line(rule, [NEW, OLD]) is OLD
    assert first_in_line(rule, [NEW, CHOSEN, OLD]) is CHOSEN
    assert first_in_line(rule, []) is None


def test_a_role_for_several_has_one_only_where_one_was_chosen() -> None:
    assert first_in_line(Holders.SEVERAL, [NEW, OLD]) is None
    assert first_in_line(Holders.SEVERAL, [OLD, CHOSEN]) is CHOSEN
