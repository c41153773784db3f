"""What has come onto a filter since yesterday ended: "7 (+2)", and which two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select

from klik.models import MunicipalTask
from klik.services import filtering, past
from klik.services.filtering import Selection
from klik.services.work import Work

# A filter with more tasks than this is not compared: nobody reads so long a list by what is new in it.
MOST_COMPARED = 2_000
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class News:
    """How many tasks match a filter now that did not when yesterday ended, and the names of the first five."""

    count: int
    names: tuple[str, ...]

    @property
    def unnamed(self) -> int:
        """How many more there are than names."""
        return self.count - len(self.names)


def since_yesterday(
    work: Work, selections: Mapping[int, Selection], counts: Mapping[int, int]
) -> Mapping[int, News]:
    """The news of each selection, by the caller's key; none where there is nothing new. One statement at most.

    ``counts`` are how many tasks each selection holds now: the empty and the very long are not asked for.
    """
    keys = {
        place: selections[place].key and ("news", selections[place].key)
        for place in selections
        if 0 < counts[place] <= MOST_COMPARED
    }
    found = work.kept.each(keys, lambda missing: _compared(work, selections, missing))
    return {place: news for place, news in found.items() if news.count}


def _compared(work: Work, selections: Mapping[int, Selection], places: Sequence[int]) -> Mapping[int, News]:
    """The news of each of these selections, also where there is none; one statement."""
    keys = [selections[place].key for place in places]
    statement = work.kept.statement("news", keys, lambda: _comparison(work, selections, places))
    rows = work.session.execute(statement).all()
    found: dict[int, list[str]] = {place: [] for place in places}
    for number, title, _order, *marks in sorted(rows, key=lambda row: (row.number_key, row.title)):
        for place, new in zip(places, marks, strict=True):
            if new:
                found[place].append(f"{number} {title}" if number else title)
    return {place: News(len(names), tuple(names[:MOST_NAMED])) for place, names in found.items()}


def _comparison(work: Work, selections: Mapping[int, Selection], places: Sequence[int]) -> Select[Any]:
    day = work.today - timedelta(days=1)
    then = past.standing_at(work, day)
    pairs = [
        (
            selections[place].where(),
            filtering.select_tasks(then, selections[place].criteria, selections[place].words).where(),
        )
        for place in places
    ]
    return past.differences(
        work, day, (MunicipalTask.task_number, MunicipalTask.title, MunicipalTask.number_key), pairs
    )
