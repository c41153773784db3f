"""What should have been told of the open tasks: dates and people, written anew from the sentences of the rules.

Nothing here is shared with the scan (``notices.scanning``, ``reminders``, ``recipients``, ``task_recipients``): a
fault in one shows in the other. Where the words of a rule and its code part, the control says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from klik.domain.working_days import day_off

WINDOW = 30  # days back that are looked at
YELLOW, RED, WEEKLY, LEADER = "core.gul", "core.roed", "core.roed-ugentlig", "core.roed-leder"
USUAL_DAYS = frozenset({7, 1})
OFFERED_DAYS = (14, 7, 3, 2, 1)
WEEK = 7


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder of one task on one Danish day; ``occurrence`` is set for those that repeat themselves.

    ``overtaken``: a newer one of the core's has made it superfluous.
    """

    rule: str
    day: date
    repeats: bool = False
    overtaken: bool = False

    def about(self, task_id: int, deadline_version: int) -> str:
        """What it is about, as the ledger's key says it without the recipient."""
        occurrence = f"/d={self.day.isoformat()}" if self.repeats else ""
        return f"{self.rule}/mt={task_id}/v={deadline_version}{occurrence}"


def days_before_rule(count: int) -> str:
    """The rule that reminds so many days before the deadline."""
    return "core.1-dag" if count == 1 else f"core.{count}-dage"


CORE_RULES = (
    YELLOW,
    *(days_before_rule(count) for count in OFFERED_DAYS),
    RED,
    WEEKLY,
)


def passed(
    deadline: date,
    yellow_from: date | None,
    days_before: Iterable[int],
    today: date,
    declared: Iterable[str],
) -> list[Reminder]:
    """The core's reminders whose day has come within the window, oldest first; only the last is not overtaken.

    ``declared`` are the rules that this installation has.
    """
    moments = [(deadline - timedelta(days=count), days_before_rule(count)) for count in set(days_before)]
    if yellow_from is not None:
        moments.append((yellow_from, YELLOW))
    red = deadline + timedelta(days=1)
    moments.append((red, RED))
    weeks = (today - red).days // WEEK
    if weeks >= 1:
        moments.append((red + timedelta(days=WEEK * weeks), WEEKLY))
    known = set(declared)
    found = sorted(
        (day, CORE_RULES.index(rule), rule)
        for day, rule in moments
        if rule in known and rule in CORE_RULES and in_window(day, today)
    )
    return [
        Reminder(rule, day, repeats=rule == WEEKLY, overtaken=place < len(found) - 1)
        for place, (day, _, rule) in enumerate(found)
    ]


def in_window(day: date, today: date, window: int = WINDOW) -> bool:
    """Whether the day has come, and not longer ago than is looked at."""
    return 0 <= (today - day).days <= window


def leader_day(deadline: date, working_days: int) -> date | None:
    """The day on which the leader hears of it: so many working days after the deadline; None: never."""
    if working_days < 1:
        return None
    day = deadline
    left = working_days
    while left:
        day += timedelta(days=1)
        left -= day_off(day) is None
    return day


def newest_occurrence(first: date, every: int, today: date, late_days: int) -> date | None:
    """The last day of a rule that says ``first`` and repeats itself ``every`` days; None when none has come."""
    if first > today:
        return None
    day = first if every < 1 else first + timedelta(days=(today - first).days // every * every)
    return day if in_window(day, today, late_days) else None


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who is told: a person, or a mailbox (then without ``person_id``)."""

    person_id: int | None
    address: str
    reason: str

    @property
    def key(self) -> str:
        """The end of the ledger's key."""
        return f"p{self.person_id}" if self.person_id else self.address.casefold()


def once_each(people: Sequence[Somebody]) -> list[Somebody]:
    """Everybody once, with all reasons."""
    found: dict[str, Somebody] = {}
    for one in people:
        earlier = found.get(one.key)
        reason = one.reason if earlier is None else f"{earlier.reason} og {one.reason}"
        found[one.key] = Somebody(one.person_id, one.address, reason)
    return list(found.values())
