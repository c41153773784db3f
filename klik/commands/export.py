"""``klik export``: a municipality's tasks as files, as the municipality itself would take them home."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click
from click._termui_impl import ProgressBar

from klik.cli import data_option, installation, problem
from klik.installation import Installation
from klik.models import Municipality
from klik.services import (
    auditing,
    calendar_file,
    filtering,
    house_package,
    list_document,
    listing,
    packing,
    tables,
)
from klik.services.criteria import QueryTooLongError
from klik.services.errors import RefusedError
from klik.services.filtering import Selection
from klik.services.packing import Folder
from klik.services.people import acting
from klik.services.rendering import RenderingError
from klik.services.tasks import drawn
from klik.services.tasks.drawn import Undrawn
from klik.services.work import Actor, Work

WRONG_USE = 2
EVERY_TASK = "fuldfoerte=ja"
FORMATS = ("pdf", "zip", "xlsx", "csv", "ics")


@click.command("export")
@click.option("--municipality", "code", required=True, type=click.IntRange(101, 999), help="Kommunens kode.")
@click.option(
    "--filter",
    "query",
    metavar="FILTER",
    help=f"Filteret, som i adressen. Uden det er det alle opgaver ({EVERY_TASK}), og i en ZIP kommunens hele indhold.",
)
@click.option("--format", "kind", required=True, type=click.Choice(FORMATS), help="Hvad der skal laves.")
@click.option("-o", "--output", "target", required=True, type=click.Path(path_type=Path, dir_okay=False))
@data_option
@click.pass_context
def command(context: click.Context, code: int, query: str | None, kind: str, target: Path) -> None:
    """Gem en kommunes opgaver som én PDF-liste, Excel, CSV, kalender eller ZIP.

    En ZIP har en PDF for hver opgave og alle opgavernes filer. Uden --filter er den kommunens hele indhold, som
    klik import package læser ind i et andet klik.
    """
    house = installation(context)
    now = datetime.now(UTC)
    try:
        with house.reading(now) as work:
            municipality = work.session.get(Municipality, code)
            actor = acting.administrator_of(municipality, "klik export") if municipality else None
        if actor is None:
            click.echo(f"Der er ingen kommune med koden {code}.", err=True)
            raise SystemExit(WRONG_USE)
        if kind == "zip" and query is None:
            _whole_house(house, actor, now, target)
            return
        query = EVERY_TASK if query is None else query
        if kind == "zip":
            count = _packed(house, actor, now, query, target)
        else:
            count = _listed(house, actor, now, query, kind, target)
    except (RefusedError, QueryTooLongError, RenderingError) as error:
        raise problem(str(error)) from error
    click.echo(f"{target}: {'1 opgave' if count == 1 else f'{count} opgaver'} fra {actor.place}.")


def _selection(work: Work, query: str) -> Selection:
    selection = filtering.select_tasks(work, filtering.read(work.registry, query))
    for remark in selection.remarks:
        click.echo(f"Advarsel: {remark}", err=True)
    return selection


def _listed(house: Installation, actor: Actor, now: datetime, query: str, kind: str, target: Path) -> int:
    base_url = house.settings.base_url
    with house.reading(now, actor) as work:
        selection = _selection(work, query)
        count = listing.count(work, selection).total
        tables.require_reasonable(count)
        document = list_document.collect(work, selection) if kind == "pdf" else None
        if kind == "ics":
            host = urlsplit(base_url).hostname or "klik"
            content = calendar_file.as_ics(work, selection, host, lambda task: f"{base_url}/opgaver/{task}")
        elif document is None:
            with target.open("wb") as file:
                tables.WRITERS[kind](work, selection, file)
            return count
    if document is not None:
        content = house.renderer.list_pdf(document)
    target.write_bytes(content)
    return count


def _whole_house(house: Installation, actor: Actor, now: datetime, target: Path) -> None:
    with house.reading(now, actor) as work:
        count = len(house_package.task_ids(work))
    with click.progressbar(length=count, label="Pakker") as bar:
        written = house_package.write(house, actor, now, target, lambda done: bar.update(done - bar.pos))
    for sentence in written.missing:
        click.echo(f"Advarsel: {sentence}", err=True)
    tasks = "1 opgave" if written.tasks == 1 else f"{written.tasks} opgaver"
    click.echo(f"{target}: alt fra {actor.place}, {tasks} og {written.rows} rækker i tabellerne.")


def _packed(house: Installation, actor: Actor, now: datetime, query: str, target: Path) -> int:
    with house.reading(now, actor) as work:
        ids = [row.id for row in listing.every_row(work, _selection(work, query))]
    with click.progressbar(length=len(ids), label="Pakker") as bar:
        return packing.write(target, _folders(house, actor, now, ids, bar))


def _folders(
    house: Installation, actor: Actor, now: datetime, ids: list[int], bar: ProgressBar[int]
) -> Iterator[Folder | Undrawn]:
    for pdf in drawn.tasks(house, actor, now, ids):
        bar.update(1)
        if isinstance(pdf, Undrawn):
            click.echo(f"Advarsel: {packing.lacking(pdf)}", err=True)
            yield pdf
            continue
        folder = packing.folder(house, pdf)
        for sentence in folder.missing:
            click.echo(f"Advarsel: {sentence}", err=True)
        with house.writing(now) as work:
            # An operator's copy is no receipt of the municipality's: a deletion does not count it as fetched.
            auditing.record(
                work,
                "eksportér-opgave",
                f"kommuneopgave/{pdf.export.municipal_task_id}",
                {"sha256": pdf.sha256, "størrelse": pdf.size},
                pdf.export.municipality_id,
            )
        yield folder
