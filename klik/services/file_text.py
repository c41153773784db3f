"""The text of an uploaded file, read in a process of its own, and how many CPR numbers stand in it and where.

Images are not read, nor are files that no program can open without a password. Limits: seconds, memory, characters.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from dataclasses import dataclass

from klik.domain import cpr, filetypes
from klik.services.errors import RefusedError

SECONDS = 8
MEMORY = 1024 * 1024 * 1024
READ = frozenset({"docx", "pdf", "pptx", "txt", "csv", "xlsx"})
_PLAIN = frozenset({"txt", "csv"})
_MOST_PLACES = 3
log = logging.getLogger("klik.files")


@dataclass(frozen=True, slots=True)
class Found:
    """How many CPR numbers a file seems to hold and where; ``whole`` false when it could not be read to its end."""

    count: int
    places: tuple[str, ...]
    whole: bool = True


def search(name: str, content: bytes) -> Found:
    """Look through a file whose type was checked (``filetypes.check``)."""
    ending = filetypes.extension(name)
    if ending not in READ:
        return Found(0, ())
    if ending in _PLAIN:
        return _counted([("", _decoded(content))])
    return _in_a_child(ending, content)


def refuse_cpr(name: str, content: bytes, *, not_cpr: bool = False, key: str = "file") -> None:
    """Raise RefusedError (``key``) for a CPR number in the name, or one in the text that the writer has not ticked."""
    if cpr.find(name):
        raise RefusedError(
            {
                key: "Filens navn ser ud til at indeholde et CPR-nummer. Giv filen et andet navn, og vælg den igen."
            }
        )
    if not_cpr:
        return
    found = search(name, content)
    if found.count:
        raise RefusedError({key: sentence(found)})
    if not found.whole:
        raise RefusedError(
            {
                key: "Filen er for stor til at blive set igennem for CPR-numre. Vælg den igen, og sæt kryds ved, at "
                "der ingen er, eller del den op."
            }
        )


def sentence(found: Found) -> str:
    """ "Filen ser ud til at indeholde 3 CPR-numre (ark “Borgere”) …" """
    numbers = "et CPR-nummer" if found.count == 1 else f"{found.count} CPR-numre"
    shown = ", ".join(found.places[:_MOST_PLACES])
    more = " m.fl." if len(found.places) > _MOST_PLACES else ""
    place = f" ({shown}{more})" if shown else ""
    return (
        f"Filen ser ud til at indeholde {numbers}{place}, og CPR-numre hører ikke hjemme i klik. Filen er ikke gemt. "
        "Fjern numrene, og vælg filen igen, eller vælg den igen, og sæt kryds ved, at det er noget andet."
    )


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "utf-16") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("cp1252", errors="replace")


def _counted(parts: list[tuple[str, str]], *, whole: bool = True) -> Found:
    count, places = 0, []
    for place, text in parts:
        if found := len(cpr.find(text)):
            count += found
            if place:
                places.append(place)
    # The name of a sheet is the writer's own word.
    return Found(count, tuple(cpr.mask(place) for place in places), whole)


def _in_a_child(ending: str, content: bytes) -> Found:
    """A process of its own: a file made to be heavy costs its limits and nothing else."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "klik.services.file_text_child", ending, str(SECONDS), str(MEMORY)],
            input=content,
            capture_output=True,
            timeout=SECONDS + 2,
            check=False,
        )
    except subprocess.TimeoutExpired:
        log.warning("a file took too long to be looked through")
        return Found(0, (), whole=False)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        log.warning("a file could not be looked through; the reader ended with %s", done.returncode)
        return Found(0, (), whole=False)
    return Found(told["count"], tuple(told["places"]), told["whole"])
