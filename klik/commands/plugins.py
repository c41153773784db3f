"""``klik plugins``: what is installed, and whether it is in use; a new one; and the reference of the hooks."""

from __future__ import annotations

import json

import click

from klik.cli import data_option, installation
from klik.commands import hook_reference, new_plugin


@click.group("plugins", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Skriv listen som JSON.")
@data_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Vis de installerede udvidelser."""
    if context.invoked_subcommand is not None:
        return
    infos = installation(context).registry.plugins
    if as_json:
        rows = [
            {
                "name": info.name,
                "distribution": info.distribution,
                "version": info.version,
                "hooks": list(info.hooks),
                "state": info.state,
            }
            for info in infos
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not infos:
        click.echo("Der er ingen udvidelser installeret.")
    for info in infos:
        click.echo(f"{info.name}  {info.version}  ({info.distribution})  {info.state}")
        for hook in info.hooks:
            click.echo(f"    {hook}")


command.add_command(new_plugin.command)
command.add_command(hook_reference.command)
