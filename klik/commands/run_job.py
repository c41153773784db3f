"""``klik run-job``: one job, now."""

from __future__ import annotations

import json
import os
import signal
import threading
from datetime import datetime
from types import FrameType

import click

from klik import dispatcher, jobs, logs
from klik.cli import FOUND_A_PROBLEM, data_option, installation, problem
from klik.domain import cpr
from klik.installation import Installation
from klik.services.deleting import sanity
from klik.services.errors import RefusedError


@click.command("run-job")
@click.argument("name", metavar="NAVN")
@click.option("--json", "as_json", is_flag=True, help="Skriv resultatet som JSON.")
@click.option(
    "--today",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Bekræft, hvilken dag det er, når klik har sagt, at uret ser forkert ud.",
)
@click.option("--loop", "in_a_loop", is_flag=True, hidden=True)
@data_option
@click.pass_context
def command(context: click.Context, name: str, as_json: bool, day: datetime | None, in_a_loop: bool) -> None:
    """Kør et job nu, klik's eller en udvidelses, og skriv i én sætning, hvad det gjorde."""
    if name not in jobs.JOBS and "." not in name:
        # Said before any plug-in is loaded: theirs carry a prefix.
        raise click.UsageError(
            f"Jobbet “{name}” findes ikke. klik har {', '.join(sorted(jobs.JOBS))}; "
            "en udvidelses job begynder med dens navn og et punktum."
        )
    house = installation(context)
    names = sorted({*jobs.JOBS, *house.registry.jobs})
    if name not in names:
        raise click.UsageError(f"Jobbet “{name}” findes ikke. Der er {', '.join(names)}.")
    logs.set_up(house.settings.log_level, cpr.mask)
    if in_a_loop:
        if name != "deliver":
            raise click.UsageError("--loop findes kun for deliver.")
        dispatcher.loop(house, _until_told())
        return
    now = jobs.wall_clock()
    if day is not None:
        _confirm(house, now, day)
    carry_out = jobs.run if name in jobs.JOBS else jobs.run_of_plugin
    outcome = carry_out(house, name, now, f"{now.isoformat()} manuelt")
    if outcome is None:
        raise click.UsageError("Jobbet kører allerede.")
    if as_json:
        row = {"job": name, "sentence": outcome.sentence, "ok": outcome.well}
        click.echo(json.dumps(row, ensure_ascii=False))
    else:
        click.echo(outcome.sentence)
    if not outcome.well:
        raise SystemExit(FOUND_A_PROBLEM)


def _confirm(house: Installation, now: datetime, day: datetime) -> None:
    try:
        with house.writing(now) as work:
            sanity.confirm(work, day.date())
    except RefusedError as error:
        raise problem(str(error)) from error


def _until_told() -> threading.Event:
    """Set at SIGTERM, SIGINT, and when the worker that started this process is gone."""
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)

    def watch_parent() -> None:
        # Not sys.stdin: Python dies in its own end while a thread holds the reader.
        while os.read(0, 1024):
            pass
        stopped.set()

    threading.Thread(target=watch_parent, daemon=True).start()
    return stopped
