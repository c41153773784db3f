"""``klik worker``: the clock and the dispatcher."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import click

from klik import logs
from klik.cli import data_option, installation
from klik.domain import cpr


@click.command("worker")
@data_option
@click.pass_context
def command(context: click.Context) -> None:
    """Kør de faste job og send mails, indtil processen stoppes."""
    house = installation(context)
    from klik.worker import Worker  # not before a wrong setting has been told

    logs.set_up(house.settings.log_level, cpr.mask)
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    if house.settings.smtp is None:
        click.echo("Advarsel: KLIK_SMTP_URL er ikke sat, så mails venter.", err=True)
    worker = Worker(house, own_process=True)
    worker.start()
    click.echo("klik worker: i gang")
    stopped.wait()
    worker.stop()
    click.echo("klik worker: stoppet")
