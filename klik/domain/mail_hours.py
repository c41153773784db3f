"""When a person's mail of the day goes: at their hour in Denmark, on days that municipal offices are open."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from klik.domain.calendar import DENMARK, in_denmark
from klik.domain.working_days import WorkingDay, day_off, moved

DEFAULT_HOUR = 7
EARLIEST_HOUR, LATEST_HOUR = 5, 20  # no hour between them is ever skipped or doubled by summer time


def mail_day(day: date) -> date:
    """The day itself when offices are open, else the first one after it that they are."""
    return moved(day, WorkingDay.AFTER)


def on_day(day: date, hour: int) -> datetime:
    """The hour of that Danish day, as an aware moment in UTC."""
    if not EARLIEST_HOUR <= hour <= LATEST_HOUR:
        raise ValueError(f"hour {hour} is outside {EARLIEST_HOUR}-{LATEST_HOUR}")
    return datetime.combine(day, time(hour), DENMARK).astimezone(UTC)


def next_mail(now: datetime, hour: int) -> datetime:
    """The first mail hour that is not over: today's when offices are open and it has not struck, else a later day's."""
    today = in_denmark(now).date()
    first = on_day(mail_day(today), hour)
    return first if first >= now else on_day(mail_day(today + timedelta(days=1)), hour)


def catching_up(now: datetime, hour: int) -> datetime:
    """When what missed its mail goes: now, once today's hour has struck on an open day, else at the next hour."""
    today = in_denmark(now).date()
    return now if not day_off(today) and now >= on_day(today, hour) else next_mail(now, hour)


def of_day(day: date, now: datetime, hour: int) -> datetime:
    """When what belongs to a day's mail goes: in that mail while it is to come, else as what missed it."""
    own = on_day(mail_day(day), hour)
    return own if own >= now else catching_up(now, hour)
