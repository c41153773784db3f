"""``klik import package``: a municipality's whole content, as ``klik export --format zip`` wrote it."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from klik.cli import problem
from klik.installation import Installation
from klik.services import house_package
from klik.services.errors import RefusedError
from klik.services.house_package import Opened, Report

PACKAGE = "package"


def read_package(house: Installation, file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Check the package, read it in (or only try), and say what was or would be made."""
    try:
        with _bar("Kontrollerer") as told, house_package.opened(file, told) as package:
            report = _read(house, package, dry_run)
            place, sha256 = package.place, package.sha256
    except RefusedError as refused:
        raise problem("\n".join(refused.problems.values())) from refused
    if as_json:
        facts = {"place": place, "sha256": sha256, "new": report.new, "there": report.there, **asdict(report)}
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
    else:
        _say(report, place)
    if report.wrong:
        raise problem("Pakken er ikke læst ind: noget i den er forkert.")
    if dry_run:
        click.echo("Prøve: intet er ændret.", err=True)


def _read(house: Installation, package: Opened, dry_run: bool) -> Report:
    with _bar("Indlæser") as told, house.writing(datetime.now(UTC)) as work:
        return house_package.read_in(work, house.files, package, keep=not dry_run, told=told)


def _say(report: Report, place: str) -> None:
    for counts in report.tables.values():
        if counts.new or counts.there:
            click.echo(f"{counts.new:>7} ny  {counts.there:>7} her i forvejen  {counts.title}")
    for sentence in (*report.remarks, *report.wrong):
        click.echo(sentence)
    click.echo(f"{place}: {report.new} ny, {report.there} her i forvejen, {len(report.wrong)} forkert")


@contextmanager
def _bar(label: str) -> Any:
    """A progress bar on a terminal that hears how much of how much is done."""
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def told(done: int, whole: int) -> None:
            bar.length = max(whole, 1)
            bar.update(done - bar.pos)

        yield told
