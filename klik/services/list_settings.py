"""How a person wants the list: its columns, rows a page and groups; remembered until they choose otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from klik.models import ListSettings
from klik.services import auditing, columns
from klik.services.criteria import GROUPINGS, Criteria
from klik.services.errors import ForbiddenError
from klik.services.work import Work


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants: the words of the columns, and rows a page and groups where they have chosen."""

    columns: tuple[str, ...]
    page_size: int | None = None
    grouping: str | None = None

    def applied(self, criteria: Criteria) -> Criteria:
        """The criteria with what is wanted where the address says nothing of it."""
        return criteria.usually(self.page_size, self.grouping)


def read(work: Work) -> Wanted:
    """What the actor wants, of what they may see; one statement at most."""
    row = _row(work)
    if row is None:
        return Wanted(columns.usual(work))
    shown = columns.permitted(work, row.columns.split(",")) if row.columns else columns.usual(work)
    return Wanted(shown, row.page_size, row.grouping if row.grouping in GROUPINGS else None)


def choose(work: Work, words: Sequence[str], page_size: int | None, grouping: str | None) -> Wanted:
    """Remember the columns in this order, rows a page and groups; what is usual is not stored."""
    person_id = _person_id(work)
    shown = columns.permitted(work, words)
    row = _row(work)
    if row is None:
        row = ListSettings(person_id=person_id)
        work.session.add(row)
    row.columns = None if shown == columns.usual(work) else ",".join(shown)
    row.page_size, row.grouping = page_size, grouping if grouping in GROUPINGS else None
    work.session.flush()
    auditing.record(work, "choose-columns", f"person/{person_id}", {"columns": len(shown)})
    return read(work)


def reset(work: Work) -> None:
    """Forget what was chosen: the list is as it usually is."""
    person_id, row = _person_id(work), _row(work)
    if row is not None:
        work.session.delete(row)
        work.session.flush()
    auditing.record(work, "reset-columns", f"person/{person_id}")


def _row(work: Work) -> ListSettings | None:
    return work.session.get(ListSettings, work.actor.person_id) if work.actor else None


def _person_id(work: Work) -> int:
    if work.actor is None:
        raise ForbiddenError
    return work.actor.person_id
