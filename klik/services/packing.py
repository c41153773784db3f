"""Tasks taken home as a ZIP: a folder a task with its PDF, its data and its files, and a manifest of it all.

The same content gives the same bytes: members stand in order, have no time of their own and are stored as they are.
Files are copied in pieces, so that memory does not grow with their size or with the number of tasks.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import IO, Protocol, Self

from klik.domain import filetypes, texts
from klik.services.filestore import FileStore
from klik.services.tasks.drawn import Drawn, Undrawn

MANIFEST, CHECKSUMS = "manifest.json", "manifest-sha256.txt"
DATA_NAME, FILES_FOLDER = "opgave.json", "filer"
FORMAT = "klik-pakke/1"
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_PIECE = 1 << 20


class House(Protocol):
    """What packing needs of an installation."""

    files: FileStore
    archive: FileStore


@dataclass(frozen=True, slots=True)
class Member:
    """A file of a package, by its path in it; what may be large is ``opened`` when it is written."""

    path: str
    content: bytes = b""
    opened: Callable[[], IO[bytes]] | None = None

    def open(self) -> IO[bytes]:
        """The content to be read in pieces."""
        return self.opened() if self.opened else io.BytesIO(self.content)


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
        if not is_whole(house.files, file.sha256):
            missing.append(f"Filen »{file.name}« mangler på serveren og er ikke med.")
            continue
        safe = _safe(file.name)
        safe = safe if safe.casefold() not in taken else f"{place} {safe}"
        taken.add(safe.casefold())
        opened = partial(house.files.path(file.sha256).open, "rb")
        members.append(Member(f"{name}/{FILES_FOLDER}/{safe}", opened=opened))
    return Folder(name, tuple(members), tuple(missing))


def is_whole(store: FileStore, sha256: str) -> bool:
    """Whether the file is there with the bytes its name promises."""
    try:
        with store.path(sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _safe(name: str) -> str:
    ending = filetypes.extension(name)
    return texts.file_name(name.rpartition(".")[0] if ending else name, ending or "bin")


def write(
    target: Path,
    folders: Iterable[Folder | Undrawn],
    more: Iterable[Member] = (),
    facts: Callable[[Package], Mapping[str, object]] = lambda _package: {},
) -> int:
    """Write the ZIP with its manifest, one folder after the other, then ``more``; returns how many folders.

    A task without a PDF is said to be missing. ``facts`` of the package as it is then stand in the manifest too.
    """
    written = 0
    with Package(target) as package:
        for each in folders:
            if isinstance(each, Undrawn):
                package.lack(lacking(each))
                continue
            package.add(each)
            for sentence in each.missing:
                package.lack(f"{each.name}: {sentence}")
            written += 1
        for member in more:
            package.put(member)
        package.finish(**facts(package))
    return written


def lacking(task: Undrawn) -> str:
    """What a package says of a task that has no folder in it."""
    return f"Opgave {task.task_id}: {task.sentence}"


class Package:
    """A ZIP that is being written, and what its manifest will say."""

    def __init__(self, target: Path) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)
        self._lines: list[dict[str, object]] = []
        self._missing: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def add(self, folder: Folder) -> None:
        """A task's folder."""
        for member in folder.members:
            self.put(member)

    def content_key(self, place: str) -> str:
        """The hash of what is in it so far, and what is not."""
        text = json.dumps([place, self._lines, self._missing])
        return hashlib.sha256(text.encode()).hexdigest()

    def lack(self, sentence: str) -> None:
        """Say in the manifest what could not be packed."""
        self._missing.append(sentence)

    def put(self, member: Member) -> None:
        """A file, remembered with its hash."""
        sha256, size = self._written(member)
        self._lines.append({"path": member.path, "size": size, "sha256": sha256})

    def _written(self, member: Member) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        with member.open() as source:
            entry = zipfile.ZipInfo(member.path, _NO_TIME)
            entry.external_attr = 0o644 << 16
            with self._zip.open(entry, "w") as target:
                while piece := source.read(_PIECE):
                    digest.update(piece)
                    target.write(piece)
                    size += len(piece)
        return digest.hexdigest(), size

    def finish(self, **facts: object) -> None:
        """Write the manifest, in both forms; ``facts`` are what else it says."""
        manifest = {"format": FORMAT, "files": self._lines, "missing": self._missing, **facts}
        content = json.dumps(manifest, ensure_ascii=False, indent=2, sort_keys=True).encode()
        sums = "".join(f"{line['sha256']}  {line['path']}\n" for line in self._lines).encode()
        for name, text in ((MANIFEST, content), (CHECKSUMS, sums)):
            self._written(Member(name, text))
