"""``klik publish``: a task from a TOML file to the municipalities."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from klik.cli import data_option, installation, problem
from klik.domain.calendar import long_date
from klik.installation import Installation
from klik.models import Task
from klik.services.errors import NotFoundError, RefusedError
from klik.services.idempotency import earlier_result
from klik.services.publishing import Draft, Published, RecipientChoice, check, draft_of, publish, recipients
from klik.services.publishing.file import KEY_OF, DraftFile, read_draft, write_draft
from klik.services.publishing.preview import Preview, preview
from klik.services.work import Work

WRONG_USE = 2


@click.command("publish")
@click.argument("file", metavar="FIL.toml", type=click.Path(path_type=Path), required=False)
@click.option("--to", "to", metavar="MODTAGERE", help="Modtagere i stedet for filens; se ovenfor.")
@click.option("--dry-run", is_flag=True, help="Vis, hvad der ville ske, og gem intet.")
@click.option(
    "--export",
    "task_id",
    metavar="OPGAVE",
    type=click.IntRange(1, 2**31 - 1),
    help="Skriv opgaven med dette id (som i /udgivelser/12) ud i stedet for at udgive.",
)
@click.option("--json", "as_json", is_flag=True, help="Skriv svaret som JSON.")
@data_option
@click.pass_context
def command(
    context: click.Context,
    file: Path | None,
    to: str | None,
    dry_run: bool,
    task_id: int | None,
    as_json: bool,
) -> None:
    """Udgiv en KLIK-opgave til kommunerne.

    MODTAGERE er all (alle, der har projektets system; ellers alle 98), alle (alle 98), 101,147 (kommunekoder),
    bølge:ky/b1, region:Sjælland eller undtagen:101,147.

    Alt gemmes på én gang eller slet ikke. Samme fil til samme modtagere udgives kun én gang: anden gang siges,
    hvilken opgave den blev til, intet ændres, og kommandoen ender med 1. Skal teksten udgives igen som en ny
    opgave, så ret filen, fx nummeret.

    Med --export skrives en opgave ud som den fil, den kan læses fra: i FIL.toml, som ikke må findes i forvejen, eller
    på skærmen.
    """
    if task_id is not None:
        _export(installation(context), task_id, file)
        return
    if file is None:
        raise click.UsageError("Skriv navnet på filen, der skal udgives.")
    if not file.is_file():
        click.echo(f"{file}: filen findes ikke.", err=True)
        raise SystemExit(WRONG_USE)
    found = read_draft(file)
    choice = _choice(found, to)
    house = installation(context)
    now = datetime.now(UTC)
    key = hashlib.sha256(file.read_bytes() + repr(choice).encode()).hexdigest()
    try:
        with (house.reading if dry_run else house.writing)(now) as work:
            repeated = not dry_run and earlier_result(work.session, key) is not None
            codes = () if repeated else _codes(work, file, found, choice)
            if dry_run:
                _show(preview(work, found.draft, codes), found.draft, as_json)
                return
            answer = _answer(work, publish(work, found.draft, codes, key), as_json)
    except RefusedError as error:
        raise problem(_listed(file, _by_key(error.problems))) from error
    if repeated:
        raise problem(answer)
    click.echo(answer)


def _export(house: Installation, task_id: int, file: Path | None) -> None:
    with house.reading(datetime.now(UTC)) as work:
        try:
            draft = draft_of(work, task_id)
        except NotFoundError as missing:
            raise problem(f"Der er ingen opgave med id {task_id}.") from missing
        kept = work.session.get_one(Task, task_id).recipients
    text = write_draft(draft, RecipientChoice.parse(kept) if kept else None)
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with file.open("x", encoding="utf-8", newline="") as written:
            written.write(text)
    except FileExistsError as there:
        raise problem(f"{file}: filen findes allerede og er ikke ændret.") from there
    except OSError as error:
        raise problem(f"{file}: filen kan ikke skrives.") from error
    click.echo(f"Skrevet: {draft.number} i {file}")


def _choice(found: DraftFile, to: str | None) -> RecipientChoice:
    if not to:
        return found.recipients
    try:
        return RecipientChoice.parse(to)
    except RefusedError as error:
        click.echo(str(error), err=True)
        raise SystemExit(WRONG_USE) from error


def _codes(work: Work, file: Path, found: DraftFile, choice: RecipientChoice) -> tuple[int, ...]:
    """The recipients when nothing is wrong; ends with 1 and every problem of file and draft otherwise."""
    told = {name for name, _sentence in found.problems}
    problems = list(found.problems)
    codes: tuple[int, ...] = ()
    if "" not in told:
        problems += [row for row in _by_key(check(work, found.draft)) if row[0] not in told]
        try:
            codes = recipients(work, choice, found.draft.project)
        except RefusedError as error:
            problems += _by_key(error.problems)
    if problems:
        raise problem(_listed(file, problems))
    return codes


def _by_key(problems: Mapping[str, str]) -> list[tuple[str, str]]:
    """Problems of a draft under the keys of the file."""
    return [(KEY_OF.get(name.partition(".")[0], name), sentence) for name, sentence in problems.items()]


def _listed(file: Path, problems: Iterable[tuple[str, str]]) -> str:
    return "\n".join(
        ": ".join(part for part in (file.name, name, sentence) if part) for name, sentence in problems
    )


def _answer(work: Work, published: Published, as_json: bool) -> str:
    task = work.session.get_one(Task, published.task_id)
    if as_json:
        return _json(
            {
                "task_id": task.id,
                "number": task.task_number,
                "municipalities": published.municipalities,
                "notices": published.notices,
                "path": f"/udgivelser/{task.id}",
                "repeated": published.repeated,
            }
        )
    word = "Allerede udgivet" if published.repeated else "Udgivet"
    rest = " Intet er ændret." if published.repeated else f" Se /udgivelser/{task.id}."
    return f"{word}: {task.task_number} til {_counts(published.municipalities, published.notices)}.{rest}"


def _counts(municipalities: int, notices: int) -> str:
    return (
        f"{municipalities} {'kommune' if municipalities == 1 else 'kommuner'}; "
        f"{notices} {'varsel' if notices == 1 else 'varsler'}"
    )


def _show(ahead: Preview, draft: Draft, as_json: bool) -> None:
    if as_json:
        click.echo(_json(asdict(ahead)))
        return
    click.echo(f"Prøve, intet er gemt: {ahead.number} {draft.title}")
    click.echo(f"Modtagere: {_counts(ahead.municipalities, ahead.notices)}")
    for region, count in ahead.by_region:
        click.echo(f"    {region}: {count}")
    if ahead.first and ahead.last:
        last = f" til {long_date(ahead.last)}" if ahead.last != ahead.first else ""
        click.echo(f"Frist: {long_date(ahead.first)}{last}")
    if ahead.undated:
        click.echo(f"Fristen kan endnu ikke beregnes for {', '.join(ahead.undated)}")
    if ahead.overdue:
        click.echo(f"Fristen er allerede overskredet for {', '.join(ahead.overdue)}")
    if ahead.vacant:
        click.echo(f"Den ansvarlige rolle er ubesat i {len(ahead.vacant)}: {', '.join(ahead.vacant)}")
    for task in ahead.similar:
        click.echo(f"Ligner {task.number} {task.title}")


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, ensure_ascii=False, indent=2, default=str)
