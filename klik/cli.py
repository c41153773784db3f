"""The `klik` command."""

import click


@click.group(help="KLIK: kommunernes implementeringsopgaver.")
def main() -> None:
    """Collect the commands of klik."""
