"""The list's deadlines as a calendar file that Outlook and phones read (RFC 5545)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from icalendar import Calendar, Event

from klik.services import listing
from klik.services.filtering import Selection
from klik.services.listing import TaskRow
from klik.services.work import Work


def as_ics(work: Work, selection: Selection, host: str, address: Callable[[int], str]) -> bytes:
    """Every deadline of the selection as an event of that whole day.

    ``host`` makes the events' ids world-wide; ``address`` gives a task's web address. A withdrawn task comes
    along as cancelled, so that a calendar that read it earlier takes it out again.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//klik//Opgaver//DA")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "klik: frister")
    calendar.add("x-wr-timezone", "Europe/Copenhagen")
    several = work.actor is None or work.actor.municipality_id is None
    for row in listing.every_row(work, selection, withdrawn=True):
        if row.deadline is not None:
            calendar.add_component(_event(row, host, address(row.id), several))
    return calendar.to_ical()


def _event(row: TaskRow, host: str, url: str, several: bool) -> Event:
    assert row.deadline is not None
    event = Event()
    event.add("uid", f"opgave-{row.id}@{host}")
    # The day counts to its end, so an event ends on the next (RFC 5545, 3.6.1).
    event.add("dtstart", row.deadline)
    event.add("dtend", row.deadline + timedelta(days=1))
    event.add("dtstamp", row.changed_at)
    event.add("last-modified", row.changed_at)
    event.add("sequence", row.deadline_version + (1 if row.withdrawn else 0))
    event.add("status", "CANCELLED" if row.withdrawn else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    number = f"{row.number} " if row.number else ""
    event.add("summary", f"Frist: {number}{row.title}{f' ({row.municipality})' if several else ''}")
    event.add("description", f"{row.project}. {row.status.label}. {row.explanation}.")
    event.add("url", url)
    return event
