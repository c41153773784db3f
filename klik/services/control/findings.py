"""What a pass of the control found, before anything is healed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from klik.services.control.expected import Reminder, Somebody
from klik.services.work import Work

LOOKED_BACK = timedelta(days=30)


def since(work: Work) -> datetime:
    """From when on acts are looked at."""
    return work.now - LOOKED_BACK


@dataclass(slots=True)
class Tally:
    """Notices of one occasion counted by where they are; ``missing`` are in none of the other counts."""

    sent: int = 0
    waiting: int = 0
    doubtful: int = 0
    failed: int = 0
    returned: int = 0
    withdrawn: int = 0
    missing: int = 0

    @property
    def expected(self) -> int:
        """How many there should have been."""
        return (
            self.sent
            + self.waiting
            + self.doubtful
            + self.failed
            + self.returned
            + self.withdrawn
            + self.missing
        )

    def add(self, state: str, count: int = 1) -> None:
        """Count rows in a state of the account."""
        name = _PLACES.get(state, "failed")
        setattr(self, name, getattr(self, name) + count)


_PLACES = {
    "sent": "sent",
    "pending": "waiting",
    "claimed": "waiting",
    "stale": "waiting",
    "in_doubt": "doubtful",
    "failed": "failed",
    "bounced": "returned",
    "withdrawn": "withdrawn",
}


@dataclass(frozen=True, slots=True)
class Missing:
    """A reminder that should be in the ledger and is not. ``late``: it should have gone on an earlier day."""

    task_id: int
    municipality_id: int
    about: str
    reminder: Reminder
    who: Somebody
    late: bool
    overtaker: str | None = None


@dataclass(frozen=True, slots=True)
class Untold:
    """An act that those it concerned never heard of; ``heal`` tells them and gives the new rows."""

    occasion: str
    subject: str
    heal: Callable[[Work], int]


@dataclass(frozen=True, slots=True)
class Broken:
    """Rows of the ledger in a state that cannot be; ``heal`` mends those that still are and gives how many."""

    words: str
    ids: tuple[int, ...]
    heal: Callable[[Work, tuple[int, ...]], int]


@dataclass(slots=True)
class Findings:
    """The whole of a pass."""

    today: date
    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    nobody: int = 0
    missing: list[Missing] = field(default_factory=list)
    untold: list[Untold] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    @property
    def lacking(self) -> int:
        """How many notices are not in the ledger."""
        return sum(tally.missing for tally in self.tallies.values())

    @property
    def broken_rows(self) -> int:
        """How many rows are in a state that cannot be."""
        return sum(len(each.ids) for each in self.broken)

    def count(self, place: str) -> int:
        """The sum over all occasions of one count ("sent", "expected")."""
        return sum(getattr(tally, place) for tally in self.tallies.values())
