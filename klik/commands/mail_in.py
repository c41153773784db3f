"""``klik mail-in``: messages that came back, from a mail server's pipe or from a folder of mail."""

from __future__ import annotations

import hashlib
import mailbox
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import click

from klik import jobs
from klik.cli import data_option, installation
from klik.installation import Installation
from klik.services import deleting
from klik.services.notices.bounces import acting

LARGEST = 10 * 1024 * 1024
# Tells the mail server to keep the message and come again (sysexits.h, EX_TEMPFAIL).
COME_AGAIN = 75
READ = ".klik-laest"
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Taken:
    """The first ten megabytes of a message, and the digest of all of it."""

    start: bytes
    digest: str


@click.command("mail-in")
@click.option("--folder", type=click.Path(path_type=Path), metavar="MAPPE", help="Læs en Maildir eller mbox.")
@click.option("--recipient", default="", metavar="ADRESSE", help="Adressen, som mailen kom til.")
@data_option
@click.pass_context
def command(context: click.Context, folder: Path | None, recipient: str) -> None:
    """Læs mails, der er kommet retur: én fra standard input, eller alle i en mappe."""
    if folder is not None and not folder.exists():
        raise click.UsageError(f"Mappen {folder} findes ikke.")
    try:
        house = installation(context)
        if folder is None:
            _store(house, _take(sys.stdin.buffer), recipient)
            return
        read, known = _folder(house, folder, recipient)
    except (Exception, SystemExit) as fault:
        # A message is never lost: whatever is wrong here, the mail server or the folder keeps it.
        click.echo(f"Mailen kunne ikke gemmes nu ({type(fault).__name__}); prøv igen senere.", err=True)
        raise SystemExit(COME_AGAIN) from None
    click.echo(f"{jobs.counted(read, 'mail', 'mails')} er læst; {known} var læst før.")


def _take(stream: BinaryIO) -> _Taken:
    digest, start = hashlib.sha256(), b""
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        start += chunk[: LARGEST - len(start)]
    return _Taken(start, digest.hexdigest())


def _store(house: Installation, taken: _Taken, recipient: str) -> bool:
    with house.writing(jobs.wall_clock()) as work:
        bounce = acting.receive(
            work, taken.start, house.settings.secret_key, digest=taken.digest, delivered_to=recipient
        )
        if bounce is not None:
            deleting.note_notified(work)
    return bounce is not None


def _folder(house: Installation, folder: Path, recipient: str) -> tuple[int, int]:
    """How many messages were new, and how many had been read before."""
    new = known = 0
    if folder.is_dir():
        for file in _maildir(folder):
            with file.open("rb") as stream:
                taken = _take(stream)
            stored = _store(house, taken, recipient)
            new, known = new + stored, known + (not stored)
            _move(file, folder / READ)
    else:
        for taken in _mbox(folder):
            stored = _store(house, taken, recipient)
            new, known = new + stored, known + (not stored)
    return new, known


def _maildir(folder: Path) -> list[Path]:
    return sorted(file for place in ("new", "cur") for file in (folder / place).glob("*") if file.is_file())


def _move(file: Path, read: Path) -> None:
    """Into ``cur`` of the folder of what has been read; after it is stored, so that a crash only reads it twice."""
    for place in ("cur", "new", "tmp"):
        (read / place).mkdir(parents=True, exist_ok=True)
    name = file.name if ":2," in file.name else f"{file.name}:2,S"
    file.replace(read / "cur" / name)


def _mbox(file: Path) -> Iterator[_Taken]:
    """Every message of an mbox; it is left as it is, and each is known again by its digest."""
    box = mailbox.mbox(file, create=False)
    try:
        with suppress(mailbox.ExternalClashError, OSError):
            box.lock()
        for key in box.iterkeys():
            with box.get_file(key) as stream:
                yield _take(stream)
    finally:
        with suppress(OSError):
            box.unlock()
        box.close()
