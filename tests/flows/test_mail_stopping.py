"""Told to stop in the midst of a conversation: what nobody has begun goes back, and the process ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from klik import jobs
from klik.installation import Installation
from klik.models import Mail
from klik.services.notices import delivery
from klik.services.notices.ledger import NoticeDraft, enqueue
from klik.services.notices.recipients import Recipient
from klik.settings import Settings
from tests import make
from tests.flows.site import environment
from tests.sink import Sink, running_sink, wait_until

ROOT = Path(__file__).parent.parent.parent
COUNT = 60
WALL = 2.0  # seconds for a whole conversation; the real one is a minute

# A dispatcher as the worker's child is one, but with a shorter wall.
DISPATCHER = f"""
import signal, threading
from klik import jobs, settings
from klik.installation import Installation
from klik.services.notices import delivery

told = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: told.set())
house = Installation(settings.load(), plugins=[])
delivery.deliver(
    house.writing, jobs.wall_clock, jobs.sender(house), ["core.mail"], stop=told.is_set, patience={WALL}
)
house.close()
"""


def _fill(house: Installation) -> None:
    with house.writing(jobs.wall_clock()) as work:
        drafts = [
            NoticeDraft(
                occasion="proeve",
                dedupe_key=f"p/{number}",
                recipient=Recipient(None, f"p{number}@by{number}.example", make.KOEGE, "postkasse"),
                heading="Prøve",
                sentence="En prøve.",
                path="/opgaver",
            )
            for number in range(COUNT)
        ]
        enqueue(work, drafts)
    jobs.digests(house, jobs.wall_clock())


def _hanging(sink: Sink) -> None:
    sink.behaviour.hang |= {f"p{number}@by{number}.example" for number in range(COUNT)}


def _mails(house: Installation) -> set[tuple[str, str | None]]:
    with house.database.reading() as session:
        return {(state, owner) for state, owner in session.execute(select(Mail.state, Mail.lease_owner))}


def _all_arrive_once(house: Installation, sink: Sink) -> None:
    sink.behaviour.hang.clear()
    later = jobs.wall_clock() + timedelta(minutes=6)
    delivery.deliver(house.writing, lambda: later, jobs.sender(house), ["core.mail"])
    assert sorted(sink.by_id().values()) == [1] * COUNT


def test_a_process_told_to_stop_while_its_relay_hangs(house_settings: Settings) -> None:
    with running_sink() as sink:
        house = Installation(replace(house_settings, smtp=sink.address), plugins=[])
        _fill(house)
        _hanging(sink)
        process = subprocess.Popen(
            [sys.executable, "-c", DISPATCHER], env=environment(house_settings, sink), cwd=ROOT
        )
        wait_until(lambda: any(state == "claimed" for state, _owner in _mails(house)), 30)
        process.send_signal(signal.SIGTERM)
        told = time.monotonic()
        assert process.wait(30) == 0
        took = time.monotonic() - told
        assert _mails(house) == {("pending", None)}
        _all_arrive_once(house, sink)
        house.close()
    assert took < WALL + 5


def test_lanes_that_still_hang_keep_no_process_alive(house_settings: Settings) -> None:
    with running_sink() as sink:
        house = Installation(replace(house_settings, smtp=sink.address), plugins=[])
        _fill(house)
        _hanging(sink)
        stop = threading.Event()
        threading.Timer(0.3, stop.set).start()
        delivery.deliver(
            house.writing, jobs.wall_clock, jobs.sender(house), ["core.mail"], stop=stop.is_set, patience=0.6
        )
        lanes = [thread for thread in threading.enumerate() if thread.name == "mail-lane"]
        assert lanes
        assert all(lane.daemon for lane in lanes)
        assert _mails(house) == {("pending", None)}
        _all_arrive_once(house, sink)
        house.close()
