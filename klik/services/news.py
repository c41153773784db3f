"""What has come onto a filter since yesterday ended: "7 (+2)", and which two."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

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
    day = work.today - timedelta(days=1)
    then = past.standing_at(work, day)
    keys = [key for key in selections if 0 < counts[key] <= MOST_COMPARED]
    if not keys:
        return {}
    pairs = [
        (
            selections[key].where(),
            filtering.select_tasks(then, selections[key].criteria, selections[key].words).where(),
        )
        for key in keys
    ]
    columns = (MunicipalTask.task_number, MunicipalTask.title, MunicipalTask.number_key)
    rows = work.session.execute(past.differences(work, day, columns, pairs)).all()
    found: dict[int, list[str]] = {}
    for number, title, _order, *marks in sorted(rows, key=lambda row: (row.number_key, row.title)):
        for key, new in zip(keys, marks, strict=True):
            if new:
                found.setdefault(key, []).append(f"{number} {title}" if number else title)
    return {key: News(len(names), tuple(names[:MOST_NAMED])) for key, names in found.items()}
