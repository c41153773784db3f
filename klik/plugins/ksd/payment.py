"""When the next payment run is, and how long there is until then (seed 004: Monday afternoon)."""

from __future__ import annotations

from datetime import datetime, timedelta

from klik.plugins import days, in_denmark

AFTERNOON = 12


def next_cut_off(now: datetime) -> datetime:
    """Noon of the coming Monday, Danish time: what is solved before the afternoon is in that day's run."""
    here = in_denmark(now)
    noon = here.replace(hour=AFTERNOON, minute=0, second=0, microsecond=0) + timedelta(
        days=-here.weekday() % 7
    )
    return noon if here < noon else noon + timedelta(days=7)


def time_left(now: datetime) -> str:
    """ "2 dage og 4 timer" until the cut-off; minutes on the last day."""
    seconds = int((next_cut_off(now) - in_denmark(now)).total_seconds())
    whole, hours, minutes = seconds // 86_400, seconds % 86_400 // 3_600, seconds % 3_600 // 60
    if whole:
        return f"{days(whole)} og {_counted(hours, 'time', 'timer')}"
    return f"{_counted(hours, 'time', 'timer')} og {_counted(minutes, 'minut', 'minutter')}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
