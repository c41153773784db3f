"""``klik content check``: are the phases and roles in order?"""

from __future__ import annotations

import click

from klik.cli import data_option, load_settings, problem
from klik.content import loading
from klik.content.loading import ContentErrors


@click.group("content")
def command() -> None:
    """Faser, temaer og roller."""


@command.command()
@data_option
@click.pass_context
def check(context: click.Context) -> None:
    """Læs phases/ og roles/, og vis alle fejl."""
    settings = load_settings(context)
    try:
        content = loading.load(settings.phases_dir, settings.roles_dir)
    except ContentErrors as error:
        raise problem("\n".join(str(found) for found in error.problems)) from error
    click.echo(
        f"I orden: {len(content.phases)} faser, {len(content.themes)} temaer og {len(content.roles)} roller."
    )
