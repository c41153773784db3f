"""A process that publishes in children it forks, each traced and killed where it is told to.

Everything is imported once, before the first fork: starting Python anew for each of hundreds of deaths would be
most of the time. It reads one JSON line a death and answers with the child's exit code (-9: killed).
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import select, text

from klik import jobs
from klik.cli import klik
from klik.commands import publish as _loaded_now  # noqa: F401 - the command line would load it in each child
from klik.installation import Installation
from klik.models import DeletionItem, Mail, Municipality, MunicipalTask, TaskStep, guards
from klik.services import correcting, publishing
from klik.services.deleting import erasing, sweeping, tombstones
from klik.services.publishing import Draft
from klik.services.work import Work
from tests import make
from tests.conftest import make_settings
from tests.flows import packers
from tests.services.deletion_world import DUE

ANYBODY = ctypes.c_ulong(-1)
SET_TRACER = 0x59616D61
KEY = "4f0e7c52-6b1d-4c0b-9c53-2f6f0a4b7d11"


def publish(folder: Path) -> int:
    """What `klik publish` does, with its exit code."""
    try:
        klik.main(["publish", str(folder / "opgave.toml"), "--data", str(folder)], prog_name="klik")
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def planned(folder: Path) -> int:
    """What the worker does every minute; 1 when there was nothing to publish."""
    house = Installation(make_settings(folder))
    now = jobs.wall_clock()
    outcome = jobs.run(house, "publish-planned", now, f"{now.isoformat()} manuelt")
    house.close()
    return int(outcome != jobs.Outcome("1 planlagt opgave er udgivet."))


def naive(folder: Path) -> int:
    """What somebody would write who does not think of the power going: a transaction for each municipality."""
    house = Installation(make_settings(folder))
    with house.database.writing() as session:
        version = make.task(session)
        codes = session.scalars(select(Municipality.id)).all()
    for code in codes:
        with house.database.writing() as session:
            make.municipal_task(session, version, municipality=code)
    house.close()
    return 0


def corrected(work: Work, days: int = 14) -> Draft:
    """The published task in other words and with a deadline that many days later."""
    draft = publishing.draft_of(work, 1)
    deadline = date(2026, 12, 1) + timedelta(days=days)
    return replace(draft, title="Udpeg to", deadline_parameter=deadline.isoformat())


def correct(folder: Path) -> int:
    """Correct the task; 1 when the same press had been stored already."""
    house = Installation(make_settings(folder))
    with house.writing(make.NOW + timedelta(days=1)) as work:
        done = correcting.correct(work, 1, corrected(work), "Rettet.", KEY, version=1)
    house.close()
    return int(done.repeated)


def naive_correct(folder: Path) -> int:
    """A correction of somebody who does not think of the power going: a transaction for each copy."""
    house = Installation(make_settings(folder))
    with house.database.writing() as session:
        session.add(TaskStep(task_id=1, at=make.NOW, act="ret", state="udgivet"))
        ids = session.scalars(select(MunicipalTask.id)).all()
    for copy_id in ids:
        with house.database.writing() as session:
            session.get_one(MunicipalTask, copy_id).title = "Udpeg to"
    house.close()
    return 0


def deliver(folder: Path) -> int:
    """Hand over what waits, to the mail server that the folder's settings name."""
    house = Installation(make_settings(folder), plugins=[])
    jobs.send_due(house, jobs.wall_clock)
    house.close()
    return 0


def deliver_naively(folder: Path) -> int:
    """Hand over and note it afterwards, as somebody would who does not think of the power going."""
    house = Installation(make_settings(folder), plugins=[])
    with house.database.reading() as session:
        pending = Mail.state == "pending"
        waiting = session.execute(select(Mail.id, Mail.address, Mail.content).where(pending)).all()
    relay = house.settings.smtp
    assert relay
    for mail_id, address, content in waiting:
        with smtplib.SMTP(relay.host, relay.port) as client:
            client.sendmail("klik@klik.example", [address], content)
        with house.database.writing() as session:
            session.get_one(Mail, mail_id).state = "sent"
    house.close()
    return 0


def delete(folder: Path) -> int:
    """What the worker does after the last day, on that day: archive, read again, erase, sweep."""
    house = Installation(make_settings(folder), plugins=[])
    started = time.monotonic()
    erasing.delete_due(house, lambda: DUE + timedelta(seconds=time.monotonic() - started), 600)
    sweeping.sweep(house, DUE + timedelta(seconds=time.monotonic() - started))
    house.close()
    return 0


def delete_naively(folder: Path) -> int:
    """Erase, and make the archive file afterwards, as somebody would who does not think of the power going."""
    house = Installation(make_settings(folder), plugins=[])
    with house.database.writing() as session:
        for guard in guards.all_guards():
            session.execute(text(f"drop trigger {guard.name}"))
        ids = session.scalars(select(DeletionItem.id).where(DeletionItem.deletion_id == 1)).all()
    archives = []
    for item_id in ids:
        with house.writing(DUE) as work:
            item = work.session.get_one(DeletionItem, item_id)
            task = work.session.get_one(MunicipalTask, item.municipal_task_id)
            content = f"{task.title} {task.local_text}".encode()
            tombstones.clear(work, item)
            item.state, item.erased_at, item.verified_at = "slettet", DUE, DUE
            item.archive_sha256 = hashlib.sha256(content).hexdigest()
        archives.append(content)
    for content in archives:
        house.archive.put(content)
    house.close()
    return 0


PUBLISHERS: dict[str, Callable[[Path], int]] = {
    "publish": publish,
    "planned": planned,
    "naive": naive,
    "correct": correct,
    "naive-correct": naive_correct,
    "deliver": deliver,
    "deliver-naively": deliver_naively,
    "package": packers.package,
    "package-naively": packers.package_naively,
    "delete": delete,
    "delete-naively": delete_naively,
}


def _in_child(who: str, folder: Path, traced: bool) -> None:
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    if traced:
        ctypes.CDLL(None).prctl(SET_TRACER, ANYBODY, 0, 0, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
    code = 70
    try:
        code = PUBLISHERS[who](folder)
    finally:
        os._exit(code)


def _traced_by(child: int) -> bool:
    status = Path(f"/proc/{child}/status").read_text()
    return "TracerPid:\t0\n" not in status


def _lines(log: Path) -> int:
    return len(log.read_text().splitlines()) if log.exists() else 0


def _kill_at_line(child: int, log: Path, lines: int) -> None:
    """Kill it once its log has so many lines; it may come to its end before."""
    while _lines(log) < lines and Path(f"/proc/{child}/stat").read_text().split(")")[1].split()[0] != "Z":
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)


def _run(who: str, folder: Path, trace: list[str], lines: int, after: float | None) -> int:
    child = os.fork()
    if child == 0:
        _in_child(who, folder, bool(trace))
    if lines:
        _kill_at_line(child, folder / packers.DRAWN, lines)
    tracer = None
    if trace:
        os.waitpid(child, os.WUNTRACED)
        tracer = subprocess.Popen(["strace", "-qq", "-p", str(child), *trace], stderr=subprocess.DEVNULL)
        while not _traced_by(child) and tracer.poll() is None:
            time.sleep(0.001)
        os.kill(child, signal.SIGCONT)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    _child, status = os.waitpid(child, 0)
    if tracer:
        tracer.wait()
    return os.waitstatus_to_exitcode(status)


def main() -> None:
    """Answer line by line until there are no more."""
    for line in sys.stdin:
        order = json.loads(line)
        code = _run(order["who"], Path(order["folder"]), order["trace"], order["lines"], order["after"])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


class Driver:
    """The process seen from a test."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.flows.publishers"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        who: str,
        folder: Path,
        trace: list[str] | None = None,
        *,
        lines: int = 0,
        after: float | None = None,
    ) -> int:
        """The exit code of one publisher on one folder, under strace with these options, or killed: when its log
        has so many lines, or after so long."""
        order = {"who": who, "folder": str(folder), "trace": trace or [], "lines": lines, "after": after}
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=60)


if __name__ == "__main__":
    main()
