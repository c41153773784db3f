"""How far a project has come week by week, and when it would be done at the pace of the last weeks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from klik.domain.calendar import days, long_date

# The pace is measured over this many weeks, or since the project's first week; a shorter time says nothing.
WEEKS = 8
FEWEST_WEEKS = 2
FEWEST_COMPLETED = 4
TOO_LITTLE = "For få fuldførte opgaver til at sige noget om tempoet."
_NUMBERS = ("ingen", "en", "to", "tre", "fire", "fem", "seks", "syv", "otte", "ni", "ti")


@dataclass(frozen=True, slots=True)
class Point:
    """How many tasks there were, and how many of them completed, when a Danish day ended."""

    day: date
    total: int
    completed: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """When ``remaining`` tasks are done at a pace of ``finished`` in ``weeks``.

    ``unreached`` is how many of them are not done when ``target`` ends; 0 without a target.
    """

    weeks: int
    finished: int
    remaining: int
    ready_on: date
    target: date | None
    unreached: int

    @property
    def late(self) -> int | None:
        """Days after the target; negative before it, None without a target."""
        return (self.ready_on - self.target).days if self.target else None


def forecast(points: Sequence[Point], target: date | None) -> Forecast | None:
    """The forecast from weekly points of which the last is today; None where there is too little to judge."""
    if not points:
        return None
    last = points[-1]
    begun = [point for point in points[-WEEKS - 1 :] if point.total]
    weeks = len(begun) - 1
    finished = last.completed - begun[0].completed if begun else 0
    remaining = last.total - last.completed
    if weeks < FEWEST_WEEKS or finished < FEWEST_COMPLETED:
        return None
    # Whole numbers all the way: a task takes 7 * weeks / finished days.
    needed = -(-remaining * 7 * weeks // finished)
    reached = finished * max(0, (target - last.day).days) // (7 * weeks) if target else remaining
    return Forecast(
        weeks=weeks,
        finished=finished,
        remaining=remaining,
        ready_on=last.day + timedelta(days=needed),
        target=target,
        unreached=max(0, remaining - reached),
    )


def sentence(found: Forecast | None, whose: str = "jeres") -> str:
    """The forecast in one or two Danish sentences; ``whose`` is whose pace it is."""
    if found is None:
        return TOO_LITTLE
    if not found.remaining:
        return "Alle opgaver er fuldført."
    ready = f"I {whose} tempo: klar {long_date(found.ready_on)}"
    if found.target is None or found.late is None:
        return f"{ready}. Projektet har ingen frist."
    if found.late == 0:
        return f"{ready}, netop på fristen."
    if found.late < 0:
        return f"{ready}, {days(-found.late)} før fristen."
    tasks = "opgave" if found.unreached == 1 else "opgaver"
    return f"I {whose} tempo: klar {days(found.late)} for sent; {counted(found.unreached)} {tasks} afgør det."


def pace(found: Forecast) -> str:
    """What the forecast builds on: "12 fuldførte opgaver på 8 uger"."""
    return f"{found.finished} fuldførte opgaver på {found.weeks} uger"


def counted(number: int) -> str:
    """A small number as a Danish word, a larger one as digits."""
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)
