"""The list's deadlines as a calendar file that Outlook and phones read (RFC 5545)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

from klik.services import listing
from klik.services.filtering import Selection
from klik.services.listing import TaskRow
from klik.services.work import Work

REFRESH = "PT4H"
GONE = "Frist: ikke længere aktuel"


@dataclass(frozen=True, slots=True)
class Day:
    """A task's deadline and which telling of it this is."""

    row: TaskRow
    sequence: int


@dataclass(frozen=True, slots=True)
class CancelledDay:
    """A deadline that was told before and is not to be told any more."""

    task_id: int
    day: date
    sequence: int
    at: datetime


def feed_as_ics(
    name: str,
    days: Iterable[Day],
    cancelled: Iterable[CancelledDay],
    host: str,
    address: Callable[[int], str],
    *,
    several: bool,
) -> bytes:
    """A subscribed calendar. Nothing in it depends on the day it is made, so that it changes only with its rows."""
    calendar = _calendar(f"klik: {name}")
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"}, encode=False)
    calendar.add("x-published-ttl", REFRESH)
    for each in days:
        calendar.add_component(_feed_event(each, host, address(each.row.id), several))
    for gone in cancelled:
        event = _whole_day(gone.task_id, gone.day, host)
        event.add("dtstamp", gone.at)
        event.add("sequence", gone.sequence)
        event.add("status", "CANCELLED")
        event.add("summary", GONE)
        calendar.add_component(event)
    return calendar.to_ical()


def _feed_event(each: Day, host: str, url: str, several: bool) -> Event:
    row = each.row
    assert row.deadline is not None
    event = _whole_day(row.id, row.deadline, host)
    event.add("dtstamp", row.changed_at)
    event.add("last-modified", row.changed_at)
    event.add("sequence", each.sequence)
    event.add("status", "CONFIRMED")
    event.add("summary", _summary(row, several))
    event.add("description", f"{row.project}. {row.status.label}.")
    event.add("url", url)
    return event


def _calendar(name: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//klik//Opgaver//DA")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", "Europe/Copenhagen")
    return calendar


def _whole_day(task_id: int, day: date, host: str) -> Event:
    event = Event()
    event.add("uid", f"opgave-{task_id}@{host}")
    # The day counts to its end, so an event ends on the next (RFC 5545, 3.6.1).
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("transp", "TRANSPARENT")
    return event


def _summary(row: TaskRow, several: bool) -> str:
    number = f"{row.number} " if row.number else ""
    return f"Frist: {number}{row.title}{f' ({row.municipality})' if several else ''}"


def as_ics(work: Work, selection: Selection, host: str, address: Callable[[int], str]) -> bytes:
    """Every deadline of the selection as an event of that whole day.

    ``host`` makes the events' ids world-wide; ``address`` gives a task's web address. A withdrawn task comes
    along as cancelled, so that a calendar that read it earlier takes it out again.
    """
    calendar = _calendar("klik: frister")
    several = work.actor is None or work.actor.municipality_id is None
    for row in listing.every_row(work, selection, withdrawn=True):
        if row.deadline is not None:
            calendar.add_component(_event(row, host, address(row.id), several))
    return calendar.to_ical()


def _event(row: TaskRow, host: str, url: str, several: bool) -> Event:
    assert row.deadline is not None
    event = _whole_day(row.id, row.deadline, host)
    event.add("dtstamp", row.changed_at)
    event.add("last-modified", row.changed_at)
    event.add("sequence", row.deadline_version + (1 if row.withdrawn else 0))
    event.add("status", "CANCELLED" if row.withdrawn else "CONFIRMED")
    event.add("summary", _summary(row, several))
    event.add("description", f"{row.project}. {row.status.label}. {row.explanation}.")
    event.add("url", url)
    return event
