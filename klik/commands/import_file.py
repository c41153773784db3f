"""``klik import``: read a file in through an importer, a plug-in's or klik's own."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from klik.cli import data_option, installation, problem
from klik.commands.packages import PACKAGE, read_package
from klik.installation import Installation
from klik.services import importing, views
from klik.services.errors import ForbiddenError, NotFoundError, RefusedError

SHOWN = ("forkert", "ny", "ændret", "fjernet")


@click.command("import")
@click.argument("kind", metavar="SLAGS")
@click.argument("file", metavar="FIL", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--municipality", metavar="KODE", type=int, help="Den kommune, filen gælder, fx 259.")
@click.option("--dry-run", is_flag=True, help="Vis, hvad der ville ske; intet ændres.")
@click.option("--json", "as_json", is_flag=True, help="Skriv rapporten som JSON.")
@data_option
@click.pass_context
def command(
    context: click.Context, kind: str, file: Path, municipality: int | None, dry_run: bool, as_json: bool
) -> None:
    """Indlæs en fil, fx klik import ksd.r23 rapport.csv --municipality 259.

    En kommunes hele indhold, som klik export --format zip har gemt det, læses med klik import package pakke.zip.
    En hel drejebog af KLIK-opgaver læses med klik import core.drejebog drejebog.xlsx; den bliver til kladder.
    """
    house = installation(context)
    if kind == PACKAGE:
        if municipality is not None:
            raise click.BadParameter(
                "en pakke siger selv, hvilken kommune den er fra", param_hint="--municipality"
            )
        read_package(house, file, dry_run=dry_run, as_json=as_json)
        return
    if municipality is not None and not _known(house, municipality):
        raise click.BadParameter(f"{municipality} er ingen kommune", param_hint="--municipality")
    try:
        with house.writing(datetime.now(UTC)) as work:
            report = importing.run(
                work, kind, file.read_bytes(), file.name, keep=not dry_run, municipality=municipality
            )
    except NotFoundError as missing:
        with house.reading(datetime.now(UTC)) as work:
            kinds = ", ".join((PACKAGE, *importing.kinds(work)))
        raise click.BadParameter(f"{kind} kendes ikke; der er {kinds}", param_hint="SLAGS") from missing
    except ForbiddenError as forbidden:
        raise problem("Det kan kun en person, der er logget ind: indlæs filen i klik.") from forbidden
    except RefusedError as refused:
        raise problem("\n".join(refused.problems.values())) from refused
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False, indent=2))
    else:
        for row in report.rows:
            if row.outcome in SHOWN:
                click.echo(f"{row.number:>6}  {row.outcome:<8}  {row.text}")
        for sentence in report.sentences:
            click.echo(sentence)
        outcomes = (*SHOWN, "uændret")
        click.echo(", ".join(f"{report.count(word)} {word}" for word in outcomes))
    if report.count(importing.WRONG):
        raise problem("Filen er ikke indlæst: ret de forkerte rækker.")
    if dry_run:
        click.echo("Prøve: intet er ændret.", err=True)


def _known(house: Installation, code: int) -> bool:
    with house.reading(datetime.now(UTC)) as work:
        return bool(views.municipality_views(work, [code], None))
