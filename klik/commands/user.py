"""``klik user``: give somebody access, or take it, from the command line; the first administrator comes this way."""

from __future__ import annotations

import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from klik.cli import data_option, installation, problem
from klik.domain.rights import Level
from klik.services import people
from klik.services.errors import RefusedError
from klik.services.people import NewPerson, directory, new_passwords


@click.group("user")
def command() -> None:
    """Personer: giv adgang, og luk adgang."""


@command.command()
@click.argument("mail", metavar="MAIL")
@click.option("--name", "name", required=True, help="Personens navn.")
@click.option("--level", required=True, type=click.Choice([level.value for level in Level]), help="Adgangen.")
@click.option("--municipality", type=int, help="Kommunens kode, fx 259; ikke for KOMBIT og leverandører.")
@click.option("--systems", default="", help="Systemer, adskilt af komma, fx kp,ky.")
@click.option("--organisation", default="", help="Leverandørens navn.")
@click.option("--phone", default="", help="Telefonnummer.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Fil med adgangskoden på første linje.",
)
@click.option("--password-stdin", is_flag=True, help="Læs adgangskoden fra standardinput.")
@data_option
@click.pass_context
def add(
    context: click.Context,
    mail: str,
    name: str,
    level: str,
    municipality: int | None,
    systems: str,
    organisation: str,
    phone: str,
    password_file: Path | None,
    password_stdin: bool,
) -> None:
    """Giv personen med adressen MAIL adgang; viser en adgangskode, når der ikke er givet en."""
    if password_file and password_stdin:
        raise click.UsageError("Brug enten --password-file eller --password-stdin.")
    given = _given_password(password_file, password_stdin)
    password = given or secrets.token_urlsafe(18)
    new = NewPerson(
        name=name,
        email=mail,
        level=Level(level),
        phone=phone,
        municipality_id=municipality,
        organisation=organisation,
        systems=tuple(code.strip() for code in systems.split(",") if code.strip()),
    )
    try:
        with installation(context).writing(datetime.now(UTC)) as work:
            member = people.add(work, new)
            known = member.person.password_hash is not None
            if given or not known:
                new_passwords.store(work, member.person, password)
            shown = f"{member.person.name} ({member.person.email}) har fået adgang som {Level(level).label}."
    except RefusedError as refused:
        raise problem("\n".join(refused.problems.values())) from refused
    click.echo(shown)
    if known and not given:
        click.echo("Personen beholder sin nuværende adgangskode.")
    elif not given:
        click.echo(f"Adgangskode: {password}")


def _given_password(file: Path | None, stdin: bool) -> str | None:
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if file:
        return (file.read_text("utf-8").splitlines() or [""])[0]
    return None


@command.command()
@click.argument("mail", metavar="MAIL")
@data_option
@click.pass_context
def disable(context: click.Context, mail: str) -> None:
    """Luk al adgang for personen med adressen MAIL, og log vedkommende ud med det samme."""
    with installation(context).writing(datetime.now(UTC)) as work:
        person = directory.by_address(work, mail)
        if person is None:
            raise problem(f"Der er ingen person med adressen {mail}.")
        open_memberships = [member for member in person.memberships if member.active]
        for member in open_memberships:
            people.close(work, member)
        left = [directory.left_open(work, member) for member in open_memberships]
        tasks, held = sum(len(each.tasks) for each in left), sum(len(each.holdings) for each in left)
        shown = person.name
    click.echo(f"{shown} har ikke længere adgang.")
    if tasks or held:
        click.echo(f"Skal overdrages: åbne opgaver {tasks}, roller {held}.")
