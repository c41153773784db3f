"""``klik anonymise``: a person's right to be forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from klik.cli import data_option, installation, problem
from klik.commands.insight import person_with
from klik.services.errors import RefusedError
from klik.services.people import privacy


@click.command("anonymise")
@click.argument("mail", metavar="MAIL")
@click.option("--yes", is_flag=True, help="Spørg ikke.")
@data_option
@click.pass_context
def command(context: click.Context, mail: str, yes: bool) -> None:
    """Glem, hvem personen med adressen MAIL var. Det kan ikke fortrydes."""
    if not yes and not click.confirm(f"Skal {mail} anonymiseres? Det kan ikke fortrydes"):
        raise click.Abort
    try:
        with installation(context).writing(datetime.now(UTC)) as work:
            privacy.anonymise(work, person_with(work, mail))
    except RefusedError as refused:
        raise problem("\n".join(refused.problems.values())) from refused
    click.echo("Personen er anonymiseret.")
