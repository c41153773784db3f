"""Whether the clock can be believed: what is deleted by date stops when the date itself looks wrong.

The last believable moment is kept as a mark that every job moves on, and only by less than 36 hours at a time. A
clock that leaps leaves the mark behind, however many rows are written under the wrong time, and is believed again
when it comes back; one that is right after a long stop is believed when a person has said which day it is.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from klik.domain.calendar import clock, long_date
from klik.models import AuditEntry, Heartbeat, JobRun
from klik.services import auditing, job_runs
from klik.services.errors import RefusedError
from klik.services.work import Work

MARK = "ur"
# Reliability: a night and a day without the worker are ordinary, a leap of more is asked about.
MOST_AHEAD = timedelta(hours=36)
# Jobs that start together store their moments in any order.
MOST_BEHIND = timedelta(minutes=10)


def note(work: Work) -> None:
    """Move the mark on to now, when now can be believed."""
    marked = _marked(work)
    moment = marked or _newest(work) or work.now
    if _fits(moment, work.now):
        moment = max(moment, work.now)
    if moment != marked:
        job_runs.beat(work, MARK, at=moment)


def _marked(work: Work) -> datetime | None:
    return work.session.scalar(select(Heartbeat.at).where(Heartbeat.process == MARK))


def _newest(work: Work) -> datetime | None:
    """The newest act or run there is, where no job has set the mark yet; without the runs that began just now."""
    moments = [
        work.session.scalar(select(func.max(AuditEntry.at))),
        work.session.scalar(select(func.max(JobRun.finished_at))),
    ]
    return max((moment for moment in moments if moment), default=None)


def _fits(marked: datetime, now: datetime) -> bool:
    return marked - MOST_BEHIND <= now <= marked + MOST_AHEAD


def doubt(work: Work) -> str | None:
    """Why the clock is not believed, in Danish; None when it is."""
    marked = _marked(work)
    if marked is None or _fits(marked, work.now):
        return None
    return (
        f"Uret ser forkert ud: det viser {clock(work.now)}, men klik var sidst i gang {clock(marked)}. "
        "Intet slettes, før uret er stillet. Er det rigtigt, så bekræft dagen: "
        f"klik run-job delete-due --today {work.today}"
    )


def confirm(work: Work, day: date) -> None:
    """A person says which day it is; raises RefusedError when the clock says another one."""
    if day != work.today:
        raise RefusedError(
            {"today": f"Uret siger {long_date(work.today)}, ikke {long_date(day)}. Stil uret, og prøv igen."}
        )
    job_runs.beat(work, MARK)
    auditing.record(work, "clock-confirmed", f"day/{day}")
