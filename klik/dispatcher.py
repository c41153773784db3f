"""The dispatcher: composes and sends mails in a loop, until it is told to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from klik.installation import Installation
from klik.jobs import send_due, wall_clock
from klik.services import job_runs, quarantine
from klik.services.notices.delivery import owner_name

log = logging.getLogger("klik.dispatcher")
PAUSE = 2.0  # seconds between two looks
BEAT = 30.0  # seconds between two heartbeats
RUN = 30.0  # seconds after which a look begins no more mails: 98,000 of them keep nothing new waiting


def loop(house: Installation, stopped: threading.Event, *, patient: bool = True) -> None:
    """Look every two seconds; a fault is logged and the next look tries again.

    Not ``patient``: nothing waits for the hour at which its recipient is mailed.
    """
    owner = owner_name()
    beaten = float("-inf")
    while not stopped.is_set():
        try:
            began = time.monotonic()
            if began - beaten >= BEAT:
                with house.writing(wall_clock()) as work:
                    job_runs.beat(work, job_runs.DISPATCHER, owner)
                    quarantine.catch_up(work)
                beaten = began
            send_due(house, wall_clock, _until(stopped, began + RUN), owner, patient=patient)
        except Exception:
            log.exception("the dispatcher could not send")
        stopped.wait(PAUSE)


def _until(stopped: threading.Event, end: float) -> Callable[[], bool]:
    return lambda: stopped.is_set() or time.monotonic() >= end
