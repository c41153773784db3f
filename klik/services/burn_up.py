"""A burn-up as numbers to draw: where the lines go in a picture of fixed size. Nothing here knows SVG or a page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from klik.domain.forecast import Point
from klik.services.pace import Pace

WIDTH, HEIGHT = 520, 270
LEFT, RIGHT, TOP, BOTTOM = 40, 504, 26, 226
# A promise further off than this is drawn to the edge and said in words.
LONGEST_AHEAD = timedelta(weeks=26)


@dataclass(frozen=True, slots=True)
class Dot:
    """A week's point in the picture, with the numbers it stands for; the upper edge of the picture is y = 0."""

    x: float
    total_y: float
    completed_y: float
    point: Point


@dataclass(frozen=True, slots=True)
class BurnUp:
    """What a template draws. ``ahead`` is the promised line from today on; ``target_x`` the day to reach."""

    dots: tuple[Dot, ...]
    steps: tuple[tuple[float, int], ...]
    ahead: tuple[float, float, float, float] | None
    target_x: float | None
    target: date | None
    last_day: date

    @property
    def total_line(self) -> str:
        """All tasks, as points of a polyline."""
        return " ".join(f"{dot.x:g},{dot.total_y:g}" for dot in self.dots)

    @property
    def completed_line(self) -> str:
        """Completed tasks, as points of a polyline."""
        return " ".join(f"{dot.x:g},{dot.completed_y:g}" for dot in self.dots)


def draw(pace: Pace) -> BurnUp:
    """The picture of a project's weeks and what they promise."""
    first, today = pace.points[0].day, pace.points[-1].day
    promised = pace.forecast
    ahead = [promised.ready_on] if promised and promised.remaining else []
    target = promised.target if promised else None
    last = max([today, *ahead, *([target] if target else [])])
    last = min(last, today + LONGEST_AHEAD)
    most = max(1, *(point.total for point in pace.points))

    def x(day: date) -> float:
        return round(LEFT + (RIGHT - LEFT) * (day - first).days / (last - first).days, 1)

    def y(count: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * count / most, 1)

    line = None
    if promised and promised.remaining:
        now = pace.points[-1].completed
        end = min(promised.ready_on, last)
        share = (end - today).days / max(1, (promised.ready_on - today).days)
        line = (x(today), y(now), x(end), y(now + promised.remaining * share))
    return BurnUp(
        dots=tuple(Dot(x(point.day), y(point.total), y(point.completed), point) for point in pace.points),
        steps=tuple((y(count), count) for count in sorted({0, most // 2, most})),
        ahead=line,
        target_x=x(target) if target and first <= target <= last else None,
        target=target,
        last_day=last,
    )
