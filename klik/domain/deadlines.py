"""The colour of a deadline, computed from the deadline and the Danish day; it is never stored."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from klik.domain.calendar import DENMARK, days, in_denmark, long_date
from klik.domain.status import OPEN_STATUSES, Status


class Colour(StrEnum):
    """How urgent an open task is (seed 003: the deadline filter's values Gul and Rød)."""

    RED = "roed"
    YELLOW = "gul"
    GREEN = "groen"

    @property
    def label(self) -> str:
        """What people read."""
        return _LABELS[self]

    @property
    def icon(self) -> str:
        """The icon's name in Det Fælles Designsystem: colour never stands alone."""
        return _ICONS[self]


_LABELS = {Colour.RED: "Rød", Colour.YELLOW: "Gul", Colour.GREEN: "Grøn"}
_ICONS = {Colour.RED: "error", Colour.YELLOW: "warning", Colour.GREEN: "time"}


def colour(status: Status, deadline: date | None, yellow_from: date | None, today: date) -> Colour | None:
    """The colour on the Danish day `today`; None for a closed task or one without a deadline.

    Red: the deadline has passed. Yellow: from `yellow_from` up to the deadline, that day included (None:
    never yellow). Green: earlier.
    """
    if deadline is None or status not in OPEN_STATUSES:
        return None
    if today > deadline:
        return Colour.RED
    if yellow_from is not None and today >= yellow_from:
        return Colour.YELLOW
    return Colour.GREEN


def default_yellow_from(start: date | None, deadline: date, yellow_days: int) -> date:
    """The first yellow day: the later of the start and `yellow_days` before the deadline, never after it."""
    before = deadline - timedelta(days=yellow_days)
    return min(deadline, max(start, before)) if start else before


def explain(
    colour: Colour | None, deadline: date | None, yellow_from: date | None, today: date, note: str = ""
) -> str:
    """Why a task has its colour, as one Danish sentence without a full stop.

    ``note`` says whose rule the first yellow day is by, where it is not the standard.
    """
    whose = f" ({note})" if note else ""
    if colour is None or deadline is None:
        return (
            "Ingen farve: opgaven har ingen frist"
            if deadline is None
            else "Ingen farve: opgaven er afsluttet"
        )
    distance = (deadline - today).days
    if colour is Colour.RED:
        return f"{colour.label}: fristen var {long_date(deadline)}, {days(-distance)} siden"
    left = f"{days(distance)} til frist" if distance else "fristen er i dag"
    if yellow_from is None:
        return f"{colour.label}: {left}"
    if colour is Colour.GREEN:
        return f"{colour.label}: {left}; gul fra {long_date(yellow_from)}{whose}"
    span = (deadline - yellow_from).days
    return (
        f"{colour.label}: {left}; gul {f'fra {days(span)} før' if span > 0 else 'kun på selve dagen'}{whose}"
    )


def danish_today(now: datetime) -> date:
    """The day it is in Denmark at an aware moment."""
    return in_denmark(now).date()


def end_of_day(day: date) -> datetime:
    """The first moment after a Danish day, in UTC; 23, 24 or 25 hours after its first."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=DENMARK).astimezone(UTC)
