"""What stands above the list: how many are red and yellow, and what is new since yesterday."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from klik.services import filtering, listing, news
from klik.services.filtering import Selection
from klik.services.listing import Counts
from klik.services.news import News
from klik.services.work import Work
from klik.web.tasks import panel

# The keys of the pulse beside the places of the saved filters.
_COLOURS = {"roed": -1, "gul": -2}


def fresh(
    work: Work,
    selection: Selection,
    counts: Counts,
    others: Mapping[int, Selection] = MappingProxyType({}),
) -> Mapping[int, News]:
    """What is new since yesterday in the pulse and in further selections by their place; one statement."""
    scope = listing.scope(selection.criteria)
    pulse = {
        key: filtering.select_tasks(work, scope.with_values("deadline", [colour]), selection.words)
        for colour, key in _COLOURS.items()
    }
    numbers = {_COLOURS["roed"]: counts.pulse.red, _COLOURS["gul"]: counts.pulse.yellow}
    return news.since_yesterday(work, {**others, **pulse}, {**counts.others, **numbers})


def context(selection: Selection, counts: Counts, found: Mapping[int, News]) -> dict[str, Any]:
    """What tasks/pulse.html draws from."""
    criteria = selection.criteria
    return {
        "counts": counts,
        "pulse_news": {colour: found.get(key) for colour, key in _COLOURS.items()},
        "scope": listing.scope(criteria).standing(criteria.as_of),
        "address": panel.list_address,
        "since_address": panel.since_address,
    }
