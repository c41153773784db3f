"""``klik outbox``: the ledger of notices, and sending one again."""

from __future__ import annotations

import json
from datetime import datetime

import click

from klik import jobs
from klik.cli import data_option, installation, problem
from klik.domain.calendar import clock
from klik.services.errors import NotFoundError, RefusedError
from klik.services.notices import account as notice_account
from klik.services.notices.account import STATES, NoticeRow, Question


@click.group("outbox")
def command() -> None:
    """Regnskabet over varsler: vis det, eller send et igen."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Skriv listen som JSON.")
@click.option("--state", "states", multiple=True, type=click.Choice(list(STATES)), help="Kun denne tilstand.")
@data_option
@click.pass_context
def list_(context: click.Context, as_json: bool, states: tuple[str, ...]) -> None:
    """Vis varslerne, det nyeste først."""
    house = installation(context)
    with house.reading(jobs.wall_clock()) as work:
        rows = notice_account.rows(work, Question(states=frozenset(states)))
    if as_json:
        click.echo(json.dumps([_plain(row) for row in rows], ensure_ascii=False, indent=2))
        return
    if not rows:
        click.echo("Der er ingen varsler.")
    for row in rows:
        when = clock(row.sent_at or row.created_at)
        click.echo(f"{row.id}  {row.state_label}  {row.address}  {row.occasion_label}  {when}  {row.heading}")


def _plain(row: NoticeRow) -> dict[str, object]:
    return {
        "id": row.id,
        "dedupe_key": row.dedupe_key,
        "state": row.state,
        "recipient": row.address,
        "occasion": row.occasion,
        "created": _iso(row.created_at),
        "sent": _iso(row.sent_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


@command.command()
@click.argument("notice", metavar="ID", type=click.IntRange(1, 2**31 - 1))
@data_option
@click.pass_context
def resend(context: click.Context, notice: int) -> None:
    """Send den mail, der bærer varslet med dette ID, igen."""
    house = installation(context)
    try:
        with house.writing(jobs.wall_clock()) as work:
            address = notice_account.resend(work, notice)
    except NotFoundError as error:
        raise problem(f"Varsel {notice} findes ikke, eller ingen mail har båret det endnu.") from error
    except RefusedError as error:
        raise problem(str(error)) from error
    click.echo(f"Mailen til {address} sendes igen.")
