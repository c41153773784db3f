"""KOMBIT's files on a KLIK-opgave: every municipality reads them, and its history tells when they come and go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, literal, select, update

from klik.domain.life import Act, State
from klik.models import MunicipalTask, StoredFile, Task, TaskChange, TaskFile
from klik.services import access, auditing, file_text
from klik.services.errors import NotFoundError, RefusedError
from klik.services.filestore import FileStore
from klik.services.publishing import steps
from klik.services.publishing.drafts import actor_id, require_publisher
from klik.services.tasks import attachments
from klik.services.tasks.attachments import Download
from klik.services.work import Work

FIELD = "kombit_file"


@dataclass(frozen=True, slots=True)
class KombitFile:
    """A file as KOMBIT's page lists it; ``size`` in bytes."""

    id: int
    name: str
    size: int
    added_at: datetime


def of(work: Work, task_id: int) -> tuple[KombitFile, ...]:
    """KOMBIT's files on a task, by name."""
    require_publisher(work)
    rows = work.session.execute(
        select(TaskFile.id, TaskFile.name, StoredFile.size, TaskFile.added_at)
        .join(StoredFile, StoredFile.sha256 == TaskFile.sha256)
        .where(TaskFile.task_id == task_id)
        .order_by(TaskFile.name, TaskFile.id)
    )
    return tuple(KombitFile(*row) for row in rows)


def add(
    work: Work, files: FileStore, task_id: int, name: str, content: bytes, *, not_cpr: bool = False
) -> TaskFile:
    """Put a file on the task; raises RefusedError ("file"), NotFoundError. A refusal stores nothing."""
    task = _open_task(work, task_id)
    name, media_type = attachments.checked(name, content)
    file_text.refuse_cpr(name, content, not_cpr=not_cpr)
    there = {file.sha256: file.name for file in _rows(work, task.id)}
    attachments.refuse_too_many(len(there))
    sha256 = attachments.store(work, files, content, media_type)
    attachments.refuse_double(there.get(sha256))
    row = _row(work, task.id, sha256, name)
    work.session.flush()
    _note(work, task, row, "vedhæft-kombits-fil", old=None, new=name)
    return row


def remove(work: Work, task_id: int, file_id: int) -> str:
    """Take a file off the task for every municipality, and return its name; its bytes are swept up later."""
    task = _open_task(work, task_id)
    row = _file(work, task_id, file_id)
    work.session.delete(row)
    work.session.flush()
    _note(work, task, row, "fjern-kombits-fil", old=row.name, new=None)
    return row.name


def read(work: Work, files: FileStore, task_id: int, file_id: int) -> Download:
    """The file as KOMBIT itself fetches it; raises NotFoundError, FileLostError."""
    access.published_task(work, task_id)
    row = _file(work, task_id, file_id)
    return attachments.handed_out(work, files, row.name, row.sha256)


def copy(work: Work, source_id: int, task_id: int) -> int:
    """Put another task's files on this one too, each once, and say how many came."""
    task = _open_task(work, task_id)
    access.published_task(work, source_id)
    there = {file.sha256 for file in _rows(work, task.id)}
    wanted = [file for file in _rows(work, source_id) if file.sha256 not in there]
    for file in wanted[: max(0, attachments.MOST_FILES - len(there))]:
        row = _row(work, task.id, file.sha256, file.name)
        work.session.flush()
        _note(work, task, row, "vedhæft-kombits-fil", old=None, new=file.name)
    return len(wanted)


def _open_task(work: Work, task_id: int) -> Task:
    """The task, held until the end, so that two uploads go one after the other."""
    task = access.published_task(work, task_id)
    work.session.execute(select(Task.id).where(Task.id == task.id).with_for_update())
    if task.state == State.WITHDRAWN.value:
        raise RefusedError({"file": "Opgaven er trukket tilbage, så dens filer ændres ikke."})
    return task


def _rows(work: Work, task_id: int) -> list[TaskFile]:
    return list(
        work.session.scalars(select(TaskFile).where(TaskFile.task_id == task_id).order_by(TaskFile.id))
    )


def _file(work: Work, task_id: int, file_id: int) -> TaskFile:
    row = work.session.scalar(select(TaskFile).where(TaskFile.id == file_id, TaskFile.task_id == task_id))
    if row is None:
        raise NotFoundError
    return row


def _row(work: Work, task_id: int, sha256: str, name: str) -> TaskFile:
    row = TaskFile(task_id=task_id, sha256=sha256, name=name, added_by=actor_id(work), added_at=work.now)
    work.session.add(row)
    return row


def _note(work: Work, task: Task, row: TaskFile, action: str, *, old: str | None, new: str | None) -> None:
    """The audit row, a line in KOMBIT's history, and in two statements one in every copy's, which is new to all."""
    auditing.record(work, action, f"task/{task.id}", {"file": row.id, "sha256": row.sha256})
    steps.note(work, task, Act.ADD_FILE if new else Act.REMOVE_FILE, row.name)
    there = (MunicipalTask.task_id == task.id, MunicipalTask.erased_at.is_(None))
    copies = select(
        MunicipalTask.municipality_id,
        MunicipalTask.id,
        literal(work.now, TaskChange.at.type),
        literal(actor_id(work), TaskChange.person_id.type),
        literal(FIELD),
        literal(old, TaskChange.old.type),
        literal(new, TaskChange.new.type),
        literal("klik"),
    ).where(*there)
    work.session.execute(
        insert(TaskChange).from_select(
            ["municipality_id", "municipal_task_id", "at", "person_id", "field", "old", "new", "via"], copies
        )
    )
    work.session.execute(
        update(MunicipalTask)
        .where(*there)
        .values(changed_at=work.now)
        .execution_options(synchronize_session=False)
    )
