"""The PDFs of tasks as they are kept: drawn once for the same content of the same day, proven for ever.

The content decides the code, the bytes and the hash. Each step is its own: what a PDF holds is collected in one
transaction, drawn outside any, stored on disk, and its proof is written in another.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from klik.models import ExportProof
from klik.services.errors import NotFoundError
from klik.services.filestore import FileStore
from klik.services.rendering import PdfUnavailable, Renderer, RenderingError
from klik.services.tasks import exporting
from klik.services.tasks.exporting import TaskExport
from klik.services.work import Actor, Work
from klik.settings import Settings

HEARTBEAT = 1.0  # seconds
GONE = "Opgaven findes ikke længere, eller du har ikke længere adgang til den."
log = logging.getLogger("klik.drawn")


class House(Protocol):
    """What drawing needs of an installation."""

    files: FileStore
    archive: FileStore
    settings: Settings

    @property
    def renderer(self) -> Renderer:
        """Makes the PDFs."""

    def reading(self, now: datetime, actor: Actor | None = None) -> AbstractContextManager[Work]:
        """A transaction for looking."""

    def writing(self, now: datetime, actor: Actor | None = None) -> AbstractContextManager[Work]:
        """A transaction that is stored."""


@dataclass(frozen=True, slots=True)
class Undrawn:
    """A task that has no PDF, and why in a Danish sentence for people."""

    task_id: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """A task's PDF in the archive folder, and the export it was drawn from."""

    export: TaskExport
    sha256: str
    size: int

    @property
    def name(self) -> str:
        """What the file is saved as."""
        return self.export.file_name


def task(house: House, actor: Actor | None, now: datetime, task_id: int) -> Drawn:
    """The PDF of one task, drawn unless the same content was drawn today. Not to be called in a transaction.

    Raises NotFoundError, ForbiddenError, RenderingError.
    """
    with house.reading(now, actor) as work:
        export = exporting.collect(work, house.files, task_id, house.settings.base_url)
        kept = _kept(work, house.archive, export)
    return kept or _drawn(house, now, export)


def tasks(
    house: House,
    actor: Actor | None,
    now: datetime,
    task_ids: Sequence[int],
    told: Callable[[int], None] = lambda _: None,
) -> Iterator[Drawn | Undrawn]:
    """The PDFs of many tasks in the order asked for, one answer an id. Resumes by itself.

    ``told`` hears how many the caller has got, after each and at least once a second, and may raise to stop.
    """
    with ThreadPoolExecutor(1) as pool:
        for got, task_id in enumerate(task_ids):
            drawing = pool.submit(task, house, actor, now, task_id)
            while not futures.wait([drawing], HEARTBEAT).done:
                told(got)
            try:
                yield drawing.result()
            except NotFoundError:
                yield Undrawn(task_id, GONE)
            except PdfUnavailable:
                raise
            except RenderingError as problem:
                yield Undrawn(task_id, str(problem))
            told(got + 1)


def _kept(work: Work, archive: FileStore, export: TaskExport) -> Drawn | None:
    for sha256, size in work.session.execute(
        select(ExportProof.sha256, ExportProof.size).where(ExportProof.content_key == export.content_key)
    ):
        if size is not None and archive.path(sha256).exists():
            return Drawn(export, sha256, size)
    return None


def _drawn(house: House, now: datetime, export: TaskExport) -> Drawn:
    content = house.renderer.task_pdf(export.document, export.embedded)
    sha256 = hashlib.sha256(content).hexdigest()
    with house.writing(now) as work:
        prove(work, export, sha256, len(content))
    # The proof comes first: a file nobody knows of is worse than a proof whose file is drawn again.
    house.archive.put(content)
    return Drawn(export, sha256, len(content))


def prove(work: Work, export: TaskExport, sha256: str, size: int) -> None:
    """Write down that this file is genuine; the same file twice is one proof."""
    dialect = sqlite if work.session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(ExportProof).values(
        kind="opgave",
        code=export.document.identifier,
        content_key=export.content_key,
        sha256=sha256,
        size=size,
        municipality_id=export.municipality_id,
        municipal_task_id=export.municipal_task_id,
        task_number=export.task_number,
        project=export.document.project[:60],
        exported_by=export.document.exported_by[:200],
        exported_at=work.now,
    )
    work.session.execute(statement.on_conflict_do_nothing(index_elements=["content_key", "sha256"]))
