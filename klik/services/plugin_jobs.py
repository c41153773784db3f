"""The jobs that plug-ins declare: each once for its Danish day or hour, as klik itself, in a transaction of its own."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from klik.domain.deadlines import danish_today
from klik.plugins.contributions import Job
from klik.plugins.manager import Registry, plugin_of
from klik.services import for_plugins, job_runs
from klik.services.work import Work

PATIENCE = 60.0
DAILY = "dag"
DONE = "Udført."


class House(Protocol):
    """What running a plug-in's job needs of an installation."""

    @property
    def registry(self) -> Registry:
        """Who has jobs."""

    def writing(self, now: datetime, *, queued: bool = True) -> AbstractContextManager[Work]:
        """A transaction that is stored."""


def period(job: Job, now: datetime) -> str:
    """The name of the Danish day, or of the hour, that ``now`` lies in; an hour that comes twice is two."""
    return danish_today(now).isoformat() if job.every == DAILY else f"{now:%Y-%m-%dT%H}Z"


def key_of(job: Job) -> str:
    """What the guard knows a job by."""
    return f"{job.key}/arbejde"


def run(house: House, job: Job, now: datetime, stretch: str) -> str | None:
    """Do the job for a period: what is wrong, in Danish, empty when it went well; None when it was not its turn.

    It is not when it is done or being done elsewhere, when it failed within the hour, or while it rests. A job that
    fails leaves nothing behind and is tried again for the same period.
    """
    if house.registry.guard.rests(key_of(job)):
        return None
    with house.writing(now) as work:
        if not job_runs.take(work, job.key, stretch):
            return None
    # Not queued: until the job asks for its tables, a slow one keeps nobody else from writing.
    with house.writing(now, queued=False) as work:
        if _carried_out(work, job):
            job_runs.finish(work, job.key, stretch, DONE)
            return ""
    fault = house.registry.guard.faults().get(key_of(job), "fejlede")
    with house.writing(now) as work:
        job_runs.fail(work, job.key, stretch, fault)
    return fault


def _carried_out(work: Work, job: Job) -> bool:
    context = for_plugins.context(work, plugin_of(job.key))

    def question() -> bool:
        job.run(context)
        return True

    return work.registry.guard.ask(key_of(job), question, False, store=context.store, patience=PATIENCE)
