"""Files on a municipality's task: taken in, handed out, removed. Bytes are stored before their row."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from klik.domain import filetypes, texts
from klik.domain.errors import InputError
from klik.models import MunicipalTaskFile, StoredFile
from klik.services import access, auditing, file_text
from klik.services.errors import NotFoundError, RefusedError
from klik.services.filestore import FileStore, MissingFileError
from klik.services.tasks import touching
from klik.services.work import Work

NAME_LIMIT = 150
MOST_FILES = 100
log = logging.getLogger("klik.files")


class FileLostError(Exception):
    """The row is there, but the bytes are missing or damaged; ``name`` is the file's name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Download:
    """A file as it is handed out; ``name`` is safe on every system."""

    name: str
    media_type: str
    content: bytes


def add(
    work: Work, files: FileStore, task_id: int, name: str, content: bytes, *, not_cpr: bool = False
) -> MunicipalTaskFile:
    """Attach a file; raises RefusedError ("file"), ForbiddenError, NotFoundError. A refusal stores nothing.

    ``not_cpr`` is the writer's word that what looks like CPR numbers in the file is something else.
    """
    task = access.task_to_change(work, task_id)
    name, media_type = checked(name, content)
    file_text.refuse_cpr(name, content, not_cpr=not_cpr)
    # Two uploads to one task go one after the other, so that neither the count nor a double is missed.
    work.session.refresh(task, with_for_update=True)
    there = work.session.scalar(
        select(func.count())
        .where(MunicipalTaskFile.municipal_task_id == task.id)
        .select_from(MunicipalTaskFile)
    )
    refuse_too_many(there or 0)
    sha256 = store(work, files, content, media_type)
    double = work.session.scalar(
        select(MunicipalTaskFile.name).where(
            MunicipalTaskFile.municipal_task_id == task.id, MunicipalTaskFile.sha256 == sha256
        )
    )
    refuse_double(double)
    assert work.actor is not None
    row = MunicipalTaskFile(
        municipality_id=task.municipality_id,
        municipal_task_id=task.id,
        sha256=sha256,
        name=name,
        added_by=work.actor.person_id,
        added_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    _note(work, row, "vedhæft-fil", old=None, new=name)
    return row


def remove(work: Work, task_id: int, file_id: int) -> None:
    """Take a file off the task; its bytes are swept up later when nothing refers to them."""
    access.task_to_change(work, task_id)
    row = access.municipal_file(work, task_id, file_id)
    work.session.delete(row)
    work.session.flush()
    _note(work, row, "fjern-fil", old=row.name, new=None)


def own(work: Work, files: FileStore, task_id: int, file_id: int) -> Download:
    """The municipality's own file; raises NotFoundError, FileLostError."""
    row = access.municipal_file(work, task_id, file_id)
    return handed_out(work, files, row.name, row.sha256)


def from_kombit(work: Work, files: FileStore, task_id: int, file_id: int) -> Download:
    """A file KOMBIT put on the task; raises NotFoundError, FileLostError."""
    row = access.task_file(work, task_id, file_id)
    return handed_out(work, files, row.name, row.sha256)


def checked(name: str, content: bytes) -> tuple[str, str]:
    """The name as it is stored and the media type; raises RefusedError ("file") for what may not be attached."""
    last = name.replace("\\", "/").rpartition("/")[2]
    try:
        kept = texts.clean(last, field="Filens navn", limit=NAME_LIMIT, required=True)
        return kept, filetypes.check(kept, content)
    except InputError as error:
        raise RefusedError({"file": str(error)}) from error


def refuse_too_many(there: int) -> None:
    """Raise RefusedError where a task has as many files as it may have."""
    if there >= MOST_FILES:
        raise RefusedError({"file": f"Opgaven har {there} filer og må højst have {MOST_FILES}."})


def refuse_double(name: str | None) -> None:
    """Raise RefusedError where the same bytes are on the task already, under this name."""
    if name is not None:
        raise RefusedError({"file": f"Den samme fil ligger allerede på opgaven med navnet “{name}”."})


def store(work: Work, files: FileStore, content: bytes, media_type: str) -> str:
    """Store the bytes and the row that says they are there; raises RefusedError where the disk does not take them."""
    try:
        sha256 = files.put(content)
    except OSError as error:
        log.exception("a file could not be stored")
        raise RefusedError(
            {"file": "Filen kunne ikke gemmes på serveren lige nu. Prøv igen, eller kontakt driften."}
        ) from error
    insert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    work.session.execute(
        insert(StoredFile).on_conflict_do_nothing(index_elements=["sha256"]),
        [{"sha256": sha256, "size": len(content), "media_type": media_type, "created_at": work.now}],
    )
    return sha256


def handed_out(work: Work, files: FileStore, name: str, sha256: str) -> Download:
    """The file with a name that is safe on every system; raises NotFoundError, FileLostError."""
    stored = work.session.get(StoredFile, sha256)
    if stored is None:
        raise NotFoundError
    try:
        content = files.get(sha256)
    except MissingFileError as error:
        log.error("stored file %s is missing or damaged", sha256)
        raise FileLostError(name) from error
    ending = filetypes.extension(name)
    stem = name.rpartition(".")[0] if ending else name
    return Download(texts.file_name(stem, ending or "bin"), stored.media_type, content)


def _note(work: Work, row: MunicipalTaskFile, action: str, *, old: str | None, new: str | None) -> None:
    touching.write_down(work, row, "file", old, new)
    auditing.record(
        work,
        action,
        f"kommuneopgave/{row.municipal_task_id}",
        {"fil": row.id, "sha256": row.sha256},
        row.municipality_id,
    )
