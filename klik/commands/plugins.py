"""``klik plugins``: what is installed, and whether it is in use."""

from __future__ import annotations

import json

import click

from klik.cli import data_option, installation


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="Skriv listen som JSON.")
@data_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Vis de installerede udvidelser."""
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
