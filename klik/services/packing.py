"""Tasks taken home as a ZIP: a folder a task with its PDF, its data and its files, and a manifest of it all.

The same content gives the same bytes: members stand in order, have no time of their own and are stored as they are.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from klik.domain import filetypes, texts
from klik.services.filestore import FileStore, MissingFileError
from klik.services.tasks.drawn import Drawn

MANIFEST, CHECKSUMS = "manifest.json", "manifest-sha256.txt"
DATA_NAME, FILES_FOLDER = "opgave.json", "filer"
FORMAT = "klik-pakke/1"
_NO_TIME = (1980, 1, 1, 0, 0, 0)


class House(Protocol):
    """What packing needs of an installation."""

    files: FileStore
    archive: FileStore


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a package, by its path in it."""

    path: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """What is packed of one task; ``missing`` says in a Danish sentence each what could not be."""

    name: str
    members: tuple[Member, ...]
    missing: tuple[str, ...] = ()


def folder(house: House, drawn: Drawn) -> Folder:
    """A task's PDF, its data as JSON and the files it names; raises MissingFileError when the PDF is gone."""
    name = f"{drawn.name.removesuffix('.pdf')}_{drawn.export.municipal_task_id}"
    members = [
        Member(f"{name}/{drawn.name}", house.archive.get(drawn.sha256)),
        Member(f"{name}/{DATA_NAME}", drawn.export.embedded),
    ]
    missing = []
    taken: set[str] = set()
    for place, file in enumerate(drawn.export.document.attachments, start=1):
        try:
            content = house.files.get(file.sha256)
        except MissingFileError:
            missing.append(f"Filen »{file.name}« mangler på serveren og er ikke med.")
            continue
        safe = _safe(file.name)
        safe = safe if safe.casefold() not in taken else f"{place} {safe}"
        taken.add(safe.casefold())
        members.append(Member(f"{name}/{FILES_FOLDER}/{safe}", content))
    return Folder(name, tuple(members), tuple(missing))


def _safe(name: str) -> str:
    ending = filetypes.extension(name)
    return texts.file_name(name.rpartition(".")[0] if ending else name, ending or "bin")


def write(target: Path, folders: Iterable[Folder], more: Iterable[Member] = ()) -> int:
    """Write the ZIP with its manifest, one folder after the other, then ``more``; returns how many folders."""
    lines: list[dict[str, object]] = []
    missing: list[str] = []
    written = 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package:
        for each in folders:
            lines.extend(_put(package, each.members))
            missing.extend(f"{each.name}: {sentence}" for sentence in each.missing)
            written += 1
        lines.extend(_put(package, more))
        manifest = {"format": FORMAT, "files": lines, "missing": missing}
        content = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True).encode()
        sums = "".join(f"{line['sha256']}  {line['path']}\n" for line in lines).encode()
        _put(package, (Member(MANIFEST, content), Member(CHECKSUMS, sums)))
    return written


def _put(package: zipfile.ZipFile, members: Iterable[Member]) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for member in members:
        entry = zipfile.ZipInfo(member.path, _NO_TIME)
        entry.external_attr = 0o644 << 16
        package.writestr(entry, member.content)
        sha256 = hashlib.sha256(member.content).hexdigest()
        lines.append({"path": member.path, "size": len(member.content), "sha256": sha256})
    return lines
