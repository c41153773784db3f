"""What a package says of itself: the index as a PDF, the text to read first, and the code on both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from klik.domain.calendar import long_date
from klik.domain.deadlines import danish_today
from klik.services import packing
from klik.services.documents import ListDocument
from klik.services.exports.gathering import Entry
from klik.services.work import Actor

INDEX_NAME, READ_ME, TASKS_NAME = "indhold.pdf", "læs-mig.txt", "opgaver.json"
COLUMNS = ("Nummer", "Opgave", "Status", "Deadline", "Kode", "Filer", "Med")


def content_key(kind: str, place: str, day: str, entries: Sequence[Entry]) -> str:
    """The hash of what is in a package: the same tasks, as they are, of the same day give the same."""
    what = [[each.task_id, each.sha256, each.files, each.missing] for each in entries]
    text = json.dumps([kind, place, day, what])
    return hashlib.sha256(text.encode()).hexdigest()


def lacks(entries: Sequence[Entry]) -> tuple[str, ...]:
    """What is missing, a sentence each, with the task's name before it."""
    return tuple(f"{_name(each)}: {sentence}" for each in entries for sentence in each.missing)


def _name(entry: Entry) -> str:
    return f"{entry.number} {entry.title}".strip()


def index(
    words: Sequence[str], entries: Sequence[Entry], code: str, actor: Actor, now: datetime
) -> ListDocument:
    """A line a task: what it is, how it stands, its own code, and what is with it."""
    return ListDocument(
        title="Indhold",
        criteria=tuple(words),
        columns=COLUMNS,
        rows=tuple(
            (
                each.number,
                each.title,
                each.status,
                each.deadline,
                each.code,
                str(each.files),
                "Ja" if not each.missing else ("Delvist" if each.pdf else "Mangler"),
            )
            for each in entries
        ),
        exported_at=now,
        exported_by=actor.place,
        identifier=code,
        municipality=actor.place if actor.municipality_id is not None else "",
        omitted=lacks(entries),
    )


def facts(entries: Sequence[Entry], code: str) -> dict[str, object]:
    """What a manifest says beside the files: the package's code, and each task that is packed."""
    tasks = [
        {
            "id": each.task_id,
            "number": each.number,
            "title": each.title,
            "code": each.code,
            "pdf": each.pdf,
            "sha256": each.sha256,
            "files": each.files,
        }
        for each in entries
        if each.pdf
    ]
    return {"code": code, "tasks": tasks}


def manifest(entries: Sequence[Entry], code: str) -> bytes:
    """The manifest of a document that has no files beside it."""
    values = {"format": packing.FORMAT, "missing": lacks(entries), **facts(entries, code)}
    return json.dumps(values, ensure_ascii=False, indent=2, sort_keys=True).encode()


def read_me(entries: Sequence[Entry], code: str, actor: Actor, now: datetime, base_url: str) -> bytes:
    """What is in the package and how it is checked, for whoever opens it years from now."""
    packed = sum(bool(each.pdf) for each in entries)
    missing = lacks(entries)
    lines = [
        f"Opgaver fra klik, hentet af {actor.place} {long_date(danish_today(now))}.",
        "",
        f"Pakken har {_tasks(packed)}. Hver opgave har sin egen mappe med en PDF,",
        "opgavens data (opgave.json) og dens filer.",
        "",
        f"{INDEX_NAME}: oversigten, en linje for hver opgave.",
        f"{TASKS_NAME}: alle opgavers data i én fil til maskiner.",
        "manifest.json: alle filer med størrelse og SHA-256, og hvad der mangler.",
        "manifest-sha256.txt: det samme til programmet sha256sum.",
        "",
        "Sådan ser du, om filerne er hele: pak ud, stil dig i mappen, og skriv",
        "    sha256sum -c manifest-sha256.txt",
        "I Windows viser Get-FileHash (PowerShell) en fils SHA-256.",
        "",
        f"Pakkens kode er {code}. Om pakken og hver PDF er ægte, kan slås op på",
        f"    {base_url}/verificer",
        "med koden eller filen, også når opgaverne er slettet i klik.",
        "",
        *(["Mangler:", *(f"- {each}" for each in missing)] if missing else ["Intet mangler."]),
    ]
    # Windows shows a text with the mark before it in the right letters.
    return ("\ufeff" + "\r\n".join(lines) + "\r\n").encode()


def _tasks(count: int) -> str:
    return "1 opgave" if count == 1 else f"{count} opgaver"
