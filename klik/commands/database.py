"""``klik db``: the tables of the installation."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from klik import settings as settings_module
from klik.cli import data_folder, data_option, installation, problem
from klik.services import schema


@click.group("db")
def command() -> None:
    """Databasen: opgrader, kontroller, tag og indlæs sikkerhedskopi."""


def make_secret(data: Path) -> None:
    """Give an installation that has none a secret key of its own, readable by its owner only."""
    file = settings_module.secret_file(data)
    if os.environ.get("KLIK_SECRET_KEY") or file.exists():
        return
    data.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(secrets.token_urlsafe(48))


@command.command()
@data_option
@click.pass_context
def upgrade(context: click.Context) -> None:
    """Bring databasens tabeller op til denne version af klik."""
    make_secret(data_folder(context))
    house = installation(context)
    schema.upgrade(house.database, house.registry)
    click.echo("Databasen er opgraderet.")


@command.command()
@data_option
@click.pass_context
def check(context: click.Context) -> None:
    """Kontroller, at databasens tabeller er, som klik venter."""
    house = installation(context)
    differences = schema.differences(house.database, house.registry)
    if differences:
        raise problem("\n".join(differences))
    click.echo("Databasens tabeller er, som de skal være.")
