"""``klik ksd``: the catalogue of blocking types, and what a report would be read as."""

from __future__ import annotations

import json
from pathlib import Path

import click

from klik.plugins import ImportRefusedError, ImportRow
from klik.plugins.ksd.catalogue import CLASSES, task_types
from klik.plugins.ksd.r23 import parse
from klik.plugins.ksd.reading_in import rows_of_report


@click.command("opgavetyper")
@click.option("--klasse", type=click.Choice(["udbetaling", "afgoerelse", "brev"]), help="Kun denne klasse.")
@click.option("--json", "as_json", is_flag=True, help="Skriv listen som JSON.")
def types_command(klasse: str | None, as_json: bool) -> None:
    """Vis de blokerende opgavetyper i KSD."""
    types = [each for each in task_types().values() if klasse in (None, each.blocks)]
    if as_json:
        rows = [
            {"id": each.id, "titel": each.title, "blokerer": each.blocks, "antal": each.seen}
            for each in types
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for each in types:
        click.echo(f"{each.id:>4}  {each.blocks:<10}  {each.title}")


@click.command("vis-r23")
@click.argument("file", metavar="FIL", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def report_command(file: Path) -> None:
    """Vis, hvordan en rapport R23 bliver læst; intet gemmes."""
    wrong = 0
    try:
        with file.open("rb") as stream:
            for found in parse(rows_of_report(stream, file.name)):
                if isinstance(found, ImportRow):
                    wrong += 1
                    click.echo(f"Række {found.number}: {found.text}", err=True)
                else:
                    click.echo(
                        f"{found.month:<7}  {found.count:>6}  {CLASSES[found.blocks]:<45}  {found.title}"
                    )
    except ImportRefusedError as error:
        click.echo(str(error), err=True)
        raise SystemExit(1) from error
    if wrong:
        raise SystemExit(1)
