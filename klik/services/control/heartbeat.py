"""Whether worker and dispatcher are alive, as the control sees it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, func, select

from klik.domain.calendar import in_denmark
from klik.models import ControlReport, Heartbeat, JobRun, Notice
from klik.services.job_runs import DISPATCHER, NAMES, WORKER
from klik.services.work import Work

SILENT = timedelta(minutes=30)
# The control runs from six in the morning (klik.worker), every quarter of an hour.
FIRST_LOOK = 6, 30

__all__ = ["DISPATCHER", "SILENT", "WORKER", "control_silence", "silences"]


def silences(work: Work) -> list[str]:
    """A Danish sentence for each process that has been silent for half an hour.

    A dispatcher that never ran is silent when something has waited and jobs have run for that long.
    """
    beats = {each.process: each.at for each in work.session.scalars(select(Heartbeat))}
    waiting_since = work.session.scalar(
        select(func.min(Notice.due_at)).where(
            and_(Notice.mail_id.is_(None), Notice.withdrawn_at.is_(None)), Notice.due_at < work.now - SILENT
        )
    )
    first_run = work.session.scalar(select(func.min(JobRun.started_at)))
    has_run_long = first_run is not None and work.now - first_run > SILENT
    found = []
    for process in (WORKER, DISPATCHER):
        beat = beats.get(process)
        if beat is not None and work.now - beat > SILENT:
            found.append(f"{NAMES[process]} har været tavs i {_long(work.now - beat)}.")
        elif beat is None and process == DISPATCHER and waiting_since and has_run_long:
            found.append(f"{NAMES[process]} har ikke kørt endnu, og der venter varsler.")
    return found


def control_silence(work: Work) -> str | None:
    """That the control itself has not run for half an hour, in a Danish sentence; it rests at night."""
    local = in_denmark(work.now)
    if (local.hour, local.minute) < FIRST_LOOK:
        return None
    last = latest_run(work)
    if last is None:
        return "Den supplerende kontrol har ikke kørt endnu."
    if work.now - last > SILENT:
        return f"Den supplerende kontrol har ikke kørt i {_long(work.now - last)}."
    return None


def latest_run(work: Work) -> datetime | None:
    """When the control last ran."""
    return work.session.scalar(select(ControlReport.at).order_by(ControlReport.at.desc()).limit(1))


def _long(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutter"
    hours = minutes // 60
    return f"{hours} timer" if hours < 48 else f"{hours // 24} dage"
