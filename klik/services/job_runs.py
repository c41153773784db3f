"""The book of the worker: which job ran for which period, and which process was alive when."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from klik.db import rows_changed
from klik.models import Heartbeat, JobRun
from klik.services.work import Work

WORKER = "worker"
DISPATCHER = "dispatcher"
KEPT = timedelta(days=30)
SILENT = timedelta(minutes=10)
# A plug-in's job whose process is gone after so long is taken over, and one that failed is tried again.
TAKEN_OVER = timedelta(minutes=5)
TRIED_AGAIN = timedelta(hours=1)
NAMES = {WORKER: "Arbejdsprocessen", DISPATCHER: "Mailafsendelsen"}


def begin(work: Work, job: str, period: str) -> bool:
    """Take the job for a period; False when another process has it already."""
    dialect = sqlite if work.session.get_bind().dialect.name == "sqlite" else postgresql
    statement = (
        dialect.insert(JobRun)
        .values(job=job, period=period, started_at=work.now)
        .on_conflict_do_nothing(index_elements=["job", "period"])
        .returning(JobRun.id)
    )
    return work.session.scalar(statement) is not None


def take(work: Work, job: str, period: str) -> bool:
    """Take the job for a period as ``begin`` does, or again when it failed an hour ago or its process was lost."""
    dialect = sqlite if work.session.get_bind().dialect.name == "sqlite" else postgresql
    lost = and_(JobRun.outcome.is_(None), JobRun.started_at <= work.now - TAKEN_OVER)
    failed = and_(JobRun.outcome.is_not(None), JobRun.started_at <= work.now - TRIED_AGAIN)
    statement = (
        dialect.insert(JobRun)
        .values(job=job, period=period, started_at=work.now)
        .on_conflict_do_update(
            index_elements=["job", "period"],
            set_={"started_at": work.now, "outcome": None},
            where=and_(JobRun.finished_at.is_(None), or_(lost, failed)),
        )
        .returning(JobRun.id)
    )
    return work.session.scalar(statement) is not None


def fail(work: Work, job: str, period: str, fault: str) -> None:
    """Write down what went wrong; the period is open until the job has come to its end."""
    work.session.execute(
        update(JobRun)
        .where(JobRun.job == job, JobRun.period == period)
        .values(finished_at=None, outcome=f"fejlede: {fault}"[:500])
    )


def finish(work: Work, job: str, period: str, outcome: str) -> None:
    """Write down what it did, in one sentence."""
    work.session.execute(
        update(JobRun)
        .where(JobRun.job == job, JobRun.period == period)
        .values(finished_at=work.now, outcome=outcome[:500])
    )


def beat(work: Work, process: str, detail: str = "", at: datetime | None = None) -> None:
    """Say that a process is alive, now or as of another moment."""
    dialect = sqlite if work.session.get_bind().dialect.name == "sqlite" else postgresql
    values = {"at": at or work.now, "detail": detail[:300]}
    work.session.execute(
        dialect.insert(Heartbeat)
        .values(process=process, **values)
        .on_conflict_do_update(index_elements=["process"], set_=values)
    )


def silences(work: Work) -> list[str]:
    """A Danish sentence for each process that has been silent for more than ten minutes."""
    found = []
    for process, name in NAMES.items():
        beating = work.session.get(Heartbeat, process)
        if beating is None:
            found.append(f"{name} har ikke kørt endnu.")
        elif work.now - beating.at > SILENT:
            found.append(f"{name} har været tavs i {_minutes(work.now, beating.at)} minutter.")
    return found


def _minutes(now: datetime, then: datetime) -> int:
    return int((now - then).total_seconds() // 60)


def latest(work: Work, job: str) -> tuple[datetime, str] | None:
    """When a job last came to its end, and what it said."""
    found = work.session.execute(
        select(JobRun.finished_at, JobRun.outcome)
        .where(JobRun.job == job, JobRun.finished_at.is_not(None))
        .order_by(JobRun.id.desc())
        .limit(1)
    ).first()
    return (found.finished_at, found.outcome) if found else None


def sweep(work: Work) -> int:
    """Forget runs older than thirty days; how many."""
    return rows_changed(work.session, delete(JobRun).where(JobRun.started_at < work.now - KEPT))
