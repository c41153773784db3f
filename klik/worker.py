"""The worker: a clock that asks each job "what is due?", and the dispatcher beside it."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from klik import dispatcher, jobs
from klik.domain.calendar import in_denmark
from klik.installation import Installation
from klik.services import job_runs, plugin_jobs
from klik.services.notices.delivery import owner_name

log = logging.getLogger("klik.worker")
QUICK_TICK = 3  # seconds between two looks whether somebody waits for a slow job
TICK = 20  # seconds: where one worker dies, another has its jobs within half a minute
WATCH = 5  # seconds between two looks at the dispatcher's process
EPOCH = datetime(2000, 1, 1, tzinfo=jobs.UTC)
# Before the earliest hour at which anybody is mailed, so that the day's mail holds all of the day.
FIRST_HOUR = 5
DAYTIME = frozenset({"scan-deadlines", "control"})


class Worker:
    """Runs the jobs of one installation; any number may run, the database lets one of them win each period.

    With ``own_process`` the dispatcher is a child that is started again when it dies; otherwise it is a
    thread (the demo runs all of klik in one process). ``patient`` false, only in a thread: mails do not wait for
    their recipients' hours.
    """

    def __init__(self, house: Installation, *, own_process: bool = False, patient: bool = True) -> None:
        self._house = house
        self._own_process = own_process
        self._patient = patient
        self._name = owner_name()
        self._stopped = threading.Event()
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(4)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._dispatcher: threading.Thread | None = None
        self._first = True
        self._next_look = 0.0
        self._slow_lane = threading.Lock()
        self._plugin_lane = threading.Lock()

    def start(self) -> None:
        """Start the clocks and the dispatcher; returns at once."""
        ticks = ((self.tick, TICK), (self.tick_slowly, QUICK_TICK), (self.tick_for_plugins, TICK))
        for tick, seconds in ticks:
            self._scheduler.add_job(
                tick,
                "interval",
                seconds=seconds,
                id=tick.__name__,
                next_run_time=jobs.wall_clock(),
                max_instances=1 if tick == self.tick else 2,
            )
        self._scheduler.start()
        target = self._mind_child if self._own_process else self._send
        self._dispatcher = threading.Thread(target=target, name="dispatcher", daemon=True)
        self._dispatcher.start()

    def stop(self) -> None:
        """Let what runs come to its end, give long work back, and stop."""
        self._stopped.set()
        self._house.stopping.set()
        self._scheduler.shutdown(wait=True)
        if self._dispatcher is not None:
            self._dispatcher.join(70)

    def tick(self) -> None:
        """Run every quick job whose period has no run yet."""
        now = jobs.wall_clock()
        first, self._first = self._first, False
        try:
            with self._house.writing(now) as work:
                job_runs.beat(work, job_runs.WORKER, self._name)
        except Exception:
            log.exception("the worker's heartbeat could not be stored")
        for job in jobs.JOBS.values():
            if not job.slow and (first or in_season(job.name, now)):
                self._run(job, now)

    def tick_slowly(self) -> None:
        """The same for the slow jobs, on a thread of their own: no reminder waits for a large file.

        A job that somebody waits for runs at once, every few seconds if need be.
        """
        # Asked again while a large file is being made: nothing to do, and nothing to complain of in the log.
        if not self._slow_lane.acquire(blocking=False):
            return
        try:
            self._run_slow()
        finally:
            self._slow_lane.release()

    def _run_slow(self) -> None:
        look = time.monotonic() >= self._next_look
        if look:
            self._next_look = time.monotonic() + TICK
        for job in jobs.JOBS.values():
            if job.slow and self._is_waited_for(job):
                self._run(job, jobs.wall_clock(), at_once=True)
            elif job.slow and look:
                self._run(job, jobs.wall_clock())

    def tick_for_plugins(self) -> None:
        """The plug-ins' own jobs, on a thread of their own: one that hangs keeps none of klik's waiting."""
        if not self._plugin_lane.acquire(blocking=False):
            return
        try:
            for job in self._house.registry.jobs.values():
                now = jobs.wall_clock()
                if self._stopped.is_set():
                    return
                if job.every == plugin_jobs.DAILY and in_denmark(now).hour < FIRST_HOUR:
                    continue
                try:
                    jobs.run_of_plugin(self._house, job.key, now, plugin_jobs.period(job, now))
                except Exception:
                    log.exception("the job %s failed", job.key)
        finally:
            self._plugin_lane.release()

    def _is_waited_for(self, job: jobs.Job) -> bool:
        if job.waits is None or self._stopped.is_set():
            return False
        try:
            with self._house.reading(jobs.wall_clock()) as work:
                return job.waits(work)
        except Exception:
            log.exception("whether the job %s is waited for could not be seen", job.name)
            return False

    def _run(self, job: jobs.Job, now: datetime, *, at_once: bool = False) -> None:
        if job.every is None or self._stopped.is_set():
            return
        try:
            stretch = now.isoformat(timespec="seconds") if at_once else period(job.every, now)
            jobs.run(self._house, job.name, now, stretch)
        except Exception:
            log.exception("the job %s failed", job.name)

    def _send(self) -> None:
        dispatcher.loop(self._house, self._stopped, patient=self._patient)

    def _mind_child(self) -> None:
        while not self._stopped.is_set():
            child = subprocess.Popen(
                [sys.executable, "-m", "klik", "run-job", "deliver", "--loop"],
                env=os.environ | {"KLIK_DATA": str(self._house.settings.data)},
                stdin=subprocess.PIPE,  # its end tells the child that the worker is gone
            )
            while child.poll() is None and not self._stopped.wait(WATCH):
                pass
            if child.poll() is None:
                child.terminate()
                child.wait(65)
            elif not self._stopped.is_set():
                log.error("the dispatcher ended with %s and is started again", child.returncode)
                self._stopped.wait(1)
            if child.stdin:
                child.stdin.close()


def in_season(job: str, now: datetime) -> bool:
    """Whether the job may run at this hour in Denmark."""
    return job not in DAYTIME or in_denmark(now).hour >= FIRST_HOUR


def period(every: timedelta, now: datetime) -> str:
    """The name of the stretch of time that ``now`` lies in, the same for every worker."""
    start = EPOCH + (now - EPOCH) // every * every
    return start.isoformat(timespec="minutes")
