"""The command ``klik``: settings are checked first, every fault ends with the exit code docs/operations.md names."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from klik import settings, speaking
from klik.commands import danish
from klik.settings import SettingsError

if TYPE_CHECKING:
    from klik.installation import Installation

danish.speak()
FOUND_A_PROBLEM = 1
WRONG_SETTINGS = 78
DATA = "klik.data"
NO_SUCH_TABLE = "42P01"  # PostgreSQL's code

# Command → module under klik.commands; imported only when asked for, so that one command does not pay for the others.
MODULES: dict[str, str] = {
    "anonymise": "anonymise",
    "check": "check",
    "content": "content",
    "db": "database",
    "demo": "demo",
    "export": "export",
    "import": "import_file",
    "insight": "insight",
    "mail-in": "mail_in",
    "outbox": "outbox",
    "plugins": "plugins",
    "publish": "publish",
    "run-job": "run_job",
    "serve": "serve",
    "user": "user",
    "worker": "worker",
}


class Commands(click.Group):
    """The core's commands by name, and each plug-in's under the plug-in's own."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; a database that does not answer is told in one sentence."""
        try:
            return super().invoke(context)
        except Exception as error:
            if said := _database_fault(error):
                raise problem(said) from error
            raise

    def list_commands(self, _context: click.Context) -> list[str]:
        """Every command there is."""
        return sorted(MODULES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command, its module imported now; an unknown word may be a plug-in's name."""
        if name in MODULES:
            return danish.name_the_parts(import_module(f"klik.commands.{MODULES[name]}").command)
        return _plugin_command(context, name)


class PluginCommands(click.Group):
    """A plug-in's commands; one that raises is told in one sentence, and ends with 1."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command. What click itself raises, and a fault of the database, is told as everywhere."""
        try:
            with speaking.while_called(f"{context.info_name}.kommando/{context.info_name}"):
                return super().invoke(context)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            if _database_fault(error):
                raise
            raise problem(_command_fault(context, error)) from None


def _command_fault(context: click.Context, error: Exception) -> str:
    """Note that the plug-in's command failed, where there is a database to note it in; the sentence for it."""
    from klik.jobs import wall_clock  # not for `klik --help`
    from klik.plugins.guard import fault_of, where

    plugin, command = str(context.info_name), str(context.invoked_subcommand)
    house = installation(context)
    house.registry.guard.failed(f"{plugin}.kommando/{command}", fault_of(error), error)
    if not house.database.sqlite or Path(str(house.database.url.database)).exists():
        house.note_faults(wall_clock())
    return f"Kommandoen {command} fra udvidelsen {plugin.upper()} fejlede: {fault_of(error)}{where(error)}"


def _database_fault(error: Exception) -> str | None:
    """A sentence for a database that is away or empty; None when it is another fault."""
    from sqlalchemy.exc import DBAPIError, OperationalError  # not for `klik --help`

    if not isinstance(error, DBAPIError):
        return None
    line = str(error.orig).splitlines()[0]
    if "no such table" in line or getattr(error.orig, "sqlstate", None) == NO_SUCH_TABLE:
        return "Databasen mangler tabeller. Kør klik db upgrade."
    return f"Databasen svarer ikke, som den skal: {line}" if isinstance(error, OperationalError) else None


def _plugin_command(context: click.Context, name: str) -> click.Command | None:
    from klik.plugins.manager import GROUP, pages_and_commands  # only when no core command has the name

    # A word that is nobody's name is wrong use; it must not need an installation to be told so.
    if name not in {point.name for point in entry_points(group=GROUP)}:
        return None
    house = installation(context)
    for plugin, _pages, commands in pages_and_commands(house.registry):
        if plugin == name and commands:
            good = [each for each in commands if isinstance(each, click.Command) and each.name]
            group = PluginCommands(name, commands=good, help=f"Kommandoer fra udvidelsen {name}.")
            return danish.name_the_parts(group)
    if fault := house.registry.guard.faults().get(f"{name}.klik_commands"):
        raise problem(f"Udvidelsen {name.upper()} kan ikke vise sine kommandoer: {fault}.")
    return None


def data_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--data MAPPE`` on the command itself, as on ``klik``."""
    return click.option(
        "--data",
        metavar="MAPPE",
        expose_value=False,
        callback=_note_data,
        help="Mappen med klik's data; det samme som KLIK_DATA.",
    )(command)


def _note_data(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value:
        context.meta[DATA] = value


def data_folder(context: click.Context) -> Path:
    """The data folder: ``--data``, else what the settings say."""
    chosen = context.meta.get(DATA)
    return Path(chosen).absolute() if chosen else settings.data_folder(settings.given())


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@data_option
@click.version_option(package_name="klik", message="klik %(version)s")
def klik() -> None:
    """klik – KOMBITs implementeringsopgaver i de 98 kommuner."""


danish.name_the_parts(klik)


def load_settings(context: click.Context) -> settings.Settings:
    """The checked settings; Exits with 78 and every fault."""
    environment = dict(os.environ) | {"KLIK_DATA": str(data_folder(context))}
    try:
        checked = settings.load(environment)
    except SettingsError as error:
        raise wrong_settings(error.problems) from error
    for warning in checked.warnings:
        click.echo(f"Advarsel: {warning}", err=True)
    return checked


def installation(context: click.Context) -> Installation:
    """The installation the settings describe; closed when the command ends. Exits with 78 on faulty content."""
    root = context.find_root()
    root.ensure_object(dict)
    if "installation" not in root.obj:
        checked = load_settings(context)  # before the imports, which take longer than the settings may
        from klik.content.loading import ContentErrors
        from klik.installation import Installation

        try:
            root.obj["installation"] = Installation(checked)
        except ContentErrors as error:
            raise wrong_settings(error.problems) from error
        root.call_on_close(root.obj["installation"].close)
    return root.obj["installation"]


def wrong_settings(problems: Iterable[object]) -> SystemExit:
    """Say every fault on the error stream, a line each, and end with 78."""
    for each in problems:
        click.echo(str(each), err=True)
    return SystemExit(WRONG_SETTINGS)


def problem(text: str) -> SystemExit:
    """Say on the error stream what was found, and end with 1."""
    click.echo(text, err=True)
    return SystemExit(FOUND_A_PROBLEM)


def main() -> None:
    """Entry point."""
    klik.main(args=sys.argv[1:], prog_name="klik")
