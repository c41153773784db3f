"""The tasks of a package one after the other: drawn now, or taken out of the archive file of an erased one."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Protocol

from sqlalchemy import select

from klik.models import DeletionItem, MunicipalTask
from klik.services import access, packing
from klik.services.exports import contents
from klik.services.exports.contents import Contents
from klik.services.filestore import MissingFileError
from klik.services.packing import Folder, Member
from klik.services.tasks import drawn
from klik.services.tasks.drawn import Drawn, Undrawn
from klik.services.work import Actor, Work

IN_ARCHIVE = frozenset({"arkiveret", "slettet"})
LOST = "Arkivfilen mangler eller er beskadiget på serveren."
_OF_THE_PACKAGE = frozenset({packing.MANIFEST, packing.CHECKSUMS})


class House(drawn.House, Protocol):
    """What gathering needs of an installation: the same as drawing."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A task of a package, as the index tells it; ``sha256`` and ``pdf`` are the PDF's hash and path."""

    task_id: int
    number: str
    title: str
    status: str = ""
    deadline: date | None = None
    code: str = ""
    files: int = 0
    pdf: str = ""
    sha256: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """A task's entry with its folder; without one when it could not be packed."""

    entry: Entry
    folder: Folder | None = None
    data: bytes = b""

    @property
    def content(self) -> bytes:
        """The PDF."""
        assert self.folder is not None
        with self.folder.members[0].open() as file:
            return file.read()


def gather(
    house: House, actor: Actor, now: datetime, asked: Contents, told: Callable[[int], None]
) -> Iterator[Gathered]:
    """Every task asked for, in order, one answer each; ``told`` as by drawn.tasks. Not in a transaction.

    A folder is to be read before the next answer is asked for.
    """
    with house.reading(now, actor) as work:
        ids = contents.task_ids(work, asked)
        archives = _archives(work, asked)
    done = 0
    live = [task_id for task_id in ids if task_id not in archives]
    with closing(drawn.tasks(house, actor, now, live, lambda _got: told(done))) as answers:
        for done, task_id in enumerate(ids):
            if task_id in archives:
                yield from _archived(house, task_id, archives[task_id])
            else:
                answer = next(answers)
                if isinstance(answer, Undrawn):
                    yield from _undrawn(house, actor, now, asked, answer)
                else:
                    yield _packed(house, answer)
            told(done + 1)


def _archives(work: Work, asked: Contents) -> Mapping[int, str]:
    """The hashes of the archive files of what is no longer drawn."""
    if asked.deletion_id is None:
        return {}
    rows = work.session.execute(
        select(DeletionItem.municipal_task_id, DeletionItem.archive_sha256).where(
            contents.fetchable(work, asked.deletion_id),
            DeletionItem.state.in_(IN_ARCHIVE),
            DeletionItem.archive_sha256.is_not(None),
        )
    )
    return {task_id: sha256 for task_id, sha256 in rows if sha256 is not None}


def _packed(house: House, answer: Drawn) -> Gathered:
    document = answer.export.document
    entry = partial(
        Entry,
        answer.export.municipal_task_id,
        document.number,
        document.title,
        document.status,
        document.deadline,
        document.identifier,
    )
    try:
        folder = packing.folder(house, answer)
    except MissingFileError:
        return Gathered(entry(missing=("PDF-filen blev ikke fundet igen på serveren.",)))
    files = len(folder.members) - 2
    return Gathered(
        entry(files=files, pdf=folder.members[0].path, sha256=answer.sha256, missing=folder.missing),
        folder,
        answer.export.embedded,
    )


def _undrawn(
    house: House, actor: Actor, now: datetime, asked: Contents, answer: Undrawn
) -> Iterator[Gathered]:
    """Archived and erased since the package was begun, or really not to be had: then it is named."""
    with house.reading(now, actor) as work:
        archive = _archives(work, asked).get(answer.task_id)
        name = work.session.execute(
            select(MunicipalTask.task_number, MunicipalTask.title).where(
                MunicipalTask.id == answer.task_id, access.visible(work)
            )
        ).one_or_none()
    if archive is not None:
        yield from _archived(house, answer.task_id, archive)
        return
    number, title = name or (None, f"Opgave {answer.task_id}")
    yield Gathered(Entry(answer.task_id, number or "", title, missing=(answer.sentence,)))


def _archived(house: House, task_id: int, sha256: str) -> Iterator[Gathered]:
    """The one folder of an archive file, which stays open while it is copied."""
    if not packing.is_whole(house.archive, sha256):
        yield Gathered(Entry(task_id, "", f"Slettet opgave {task_id}", missing=(LOST,)))
        return
    with zipfile.ZipFile(house.archive.path(sha256)) as archive:
        names = [name for name in archive.namelist() if name not in _OF_THE_PACKAGE]
        pdf = next(name for name in names if name.endswith(".pdf") and name.count("/") == 1)
        names.sort(key=lambda name: name != pdf)
        folder_name = pdf.partition("/")[0]
        data = archive.read(f"{folder_name}/{packing.DATA_NAME}")
        task, manifest = json.loads(data), json.loads(archive.read(packing.MANIFEST))
        missing = tuple(sentence.removeprefix(f"{folder_name}: ") for sentence in manifest["missing"])
        hashes = {line["path"]: line["sha256"] for line in manifest["files"]}
        entry = Entry(
            task_id,
            task["number"],
            task["title"],
            task["status"],
            date.fromisoformat(task["deadline"]) if task["deadline"] else None,
            task["identifier"],
            len(names) - 2,
            pdf,
            hashes[pdf],
            missing,
        )
        members = tuple(Member(name, opened=partial(archive.open, name)) for name in names)
        yield Gathered(entry, Folder(folder_name, members, missing), data)
