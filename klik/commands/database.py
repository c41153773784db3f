"""``klik db``: the tables of the installation."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.engine import make_url

from klik import settings as settings_module
from klik.cli import data_folder, data_option, installation, load_settings, problem, wrong_settings
from klik.services import backup, invariants, schema
from klik.services.backup import BackupError


@click.group("db")
def command() -> None:
    """Databasen: opgrader, kontroller, tag og indlæs sikkerhedskopi."""


def make_secret(data: Path) -> None:
    """Give an installation that has none a secret key of its own, readable by its owner only."""
    file = settings_module.secret_file(data)
    if settings_module.given().get("KLIK_SECRET_KEY"):
        return
    try:
        if file.exists():
            return
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(48))
    except OSError as error:
        raise wrong_settings([settings_module.unwritable(data)]) from error


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


@command.command("backup")
@click.argument("file", metavar="FIL", type=click.Path(path_type=Path))
@data_option
@click.pass_context
def backup_command(context: click.Context, file: Path) -> None:
    """Tag en sikkerhedskopi af database og filer, mens klik kører."""
    house = installation(context)
    try:
        size = backup.backup(house.database, house.files, file, datetime.now(UTC))
    except BackupError as error:
        raise problem(str(error)) from error
    click.echo(f"Sikkerhedskopien ligger i {file} ({size:,} byte).".replace(",", "."))


@command.command("restore")
@click.argument("file", metavar="FIL", type=click.Path(path_type=Path))
@data_option
@click.pass_context
def restore_command(context: click.Context, file: Path) -> None:
    """Indlæs en sikkerhedskopi i en tom installation, og kontroller den."""
    make_secret(data_folder(context))
    settings = load_settings(context)
    try:
        backup.restore(file, make_url(settings.database_url), settings.data)
    except BackupError as error:
        raise problem(str(error)) from error
    house = installation(context)
    with house.reading(datetime.now(UTC)) as work:
        found = list(invariants.faults(work.session, house.files))
    if found:
        raise problem("\n".join(["Sikkerhedskopien er indlæst, men er ikke hel:", *map(str, found)]))
    click.echo("Sikkerhedskopien er indlæst og kontrolleret.")
