"""``klik insight``: a person's right to see what klik knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import click

from klik.cli import data_option, installation, problem
from klik.models import Person
from klik.services.people import directory, privacy
from klik.services.work import Work


@click.command("insight")
@click.argument("mail", metavar="MAIL")
@click.option("--json", "as_json", is_flag=True, help="Skriv det som JSON.")
@data_option
@click.pass_context
def command(context: click.Context, mail: str, as_json: bool) -> None:
    """Vis alt, hvad klik ved om personen med adressen MAIL."""
    with installation(context).reading(datetime.now(UTC)) as work:
        facts = privacy.insight(work, person_with(work, mail))
    click.echo(json.dumps(facts, ensure_ascii=False, indent=2) if as_json else privacy.readable(facts))


def person_with(work: Work, mail: str) -> Person:
    """The person with this address; ends the command with 1 when there is none."""
    person = directory.by_address(work, mail)
    if person is None:
        raise problem(f"Der er ingen person med adressen {mail}.")
    return person
