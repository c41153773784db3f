"""``klik check``: does everything hold that must always hold?"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from klik.cli import FOUND_A_PROBLEM, data_option, installation
from klik.services import invariants


@click.command("check")
@click.option("--json", "as_json", is_flag=True, help="Skriv fejlene som JSON.")
@data_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Kontroller database, filer og revisionsspor; slutter med 1, når noget er galt."""
    house = installation(context)
    with house.reading(datetime.now(UTC)) as work:
        found = list(invariants.faults(work.session, house.files))
    if as_json:
        rows = [{"name": fault.name, "says": fault.says, "count": fault.count} for fault in found]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif found:
        for fault in found:
            click.echo(str(fault), err=True)
    else:
        click.echo(f"I orden: {len(invariants.all_invariants()) + 2} kontroller, ingen fejl.")
    if found:
        raise SystemExit(FOUND_A_PROBLEM)
