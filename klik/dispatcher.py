"""The dispatcher: composes and sends mails in a loop, until it is told to stop."""

from __future__ import annotations

import logging
import threading

from klik.installation import Installation
from klik.jobs import send_due, wall_clock
from klik.services import job_runs
from klik.services.notices.delivery import owner_name

log = logging.getLogger("klik.dispatcher")
PAUSE = 2.0  # seconds between two looks
BEAT = 15  # looks between two heartbeats


def loop(house: Installation, stopped: threading.Event, *, patient: bool = True) -> None:
    """Look every two seconds; a fault is logged and the next look tries again.

    Not ``patient``: nothing waits for the hour at which its recipient is mailed.
    """
    owner = owner_name()
    looks = 0
    while not stopped.is_set():
        try:
            if looks % BEAT == 0:
                with house.writing(wall_clock()) as work:
                    job_runs.beat(work, job_runs.DISPATCHER, owner)
            send_due(house, wall_clock, stopped.is_set, owner, patient=patient)
        except Exception:
            log.exception("the dispatcher could not send")
        looks += 1
        stopped.wait(PAUSE)
