"""The PDFs of tasks as they are kept: drawn once for the same content of the same day, proven for ever.

The content decides the code, the bytes and the hash. Each step is its own: what a PDF holds is collected in one
transaction, drawn outside any, stored on disk, and its proof is written in another.
"""

from __future__ import annotations

import hashlib
import io
import logging
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pikepdf
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from klik.models import ExportProof
from klik.services.errors import ForbiddenError, NotFoundError
from klik.services.filestore import FileStore
from klik.services.keeping import Keep
from klik.services.rendering import PdfUnavailable, Renderer, RendererBusy, RenderingError
from klik.services.tasks import exporting, unchanged
from klik.services.tasks.exporting import TaskExport
from klik.services.work import Actor, Work
from klik.settings import Settings

TOGETHER = 20  # tasks collected in one transaction
HEARTBEAT = 1.0  # seconds
GONE = "Opgaven findes ikke længere, eller du har ikke længere adgang til den."
UNREADABLE = "Opgaven kunne ikke læses. Fejlen står i driftens log."
log = logging.getLogger("klik.drawn")


class House(Protocol):
    """What drawing needs of an installation."""

    files: FileStore
    archive: FileStore
    kept: Keep
    settings: Settings

    @property
    def renderer(self) -> Renderer:
        """Makes the PDFs."""

    def reading(self, now: datetime, actor: Actor | None = None) -> AbstractContextManager[Work]:
        """A transaction for looking."""

    def writing(self, now: datetime, actor: Actor | None = None) -> AbstractContextManager[Work]:
        """A transaction that is stored."""


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


@dataclass(frozen=True, slots=True)
class Undrawn:
    """A task that has no PDF, and why in a Danish sentence for people."""

    task_id: int
    sentence: str


def task(house: House, actor: Actor | None, now: datetime, task_id: int) -> Drawn:
    """The PDF of one task, drawn unless the same content was drawn today. Not to be called in a transaction.

    Raises NotFoundError, ForbiddenError, RenderingError.
    """
    with house.reading(now, actor) as work:
        export = exporting.collect(work, house.files, task_id, house.settings.base_url)
        kept = _kept(work, house.archive, [export])
    if export.content_key in kept:
        return kept[export.content_key]
    content = house.renderer.task_pdf(export.document, export.embedded)
    drawn = Drawn(export, hashlib.sha256(content).hexdigest(), len(content))
    _store(house, now, drawn, content)
    return drawn


def tasks(
    house: House,
    actor: Actor | None,
    now: datetime,
    task_ids: Sequence[int],
    told: Callable[[int], None] = lambda _: None,
) -> Generator[Drawn | Undrawn, None, None]:
    """The PDFs of many tasks in the order asked for, one answer an id; as many at once as the renderer has children.

    A task that cannot be read or drawn is answered by ``Undrawn``; what concerns all of them is raised: no PDFs on
    this machine (PdfUnavailable), no right to export (ForbiddenError), a database or a disk that fails.
    ``told`` hears how many the caller has got, after each and at least once a second, and may raise to stop. Closing
    the generator stops too, at once: a drawing under way is thrown away. What is drawn is stored as soon as it is
    there, so the same call resumes by itself and dying loses the drawings under way, one a child. At most forty tasks
    are held. Not to be called in a transaction.
    """
    with _Desk(house, actor, now) as desk:
        got = 0
        ahead: list[_Ordered] = []
        for portion in (*_portions(task_ids), ()):
            # The next portion is on its way while this one is waited for.
            at_hand, ahead = ahead, desk.order(portion)
            for each in at_hand:
                yield desk.answer(each, lambda: told(got))  # noqa: B023
                got += 1
                told(got)


def _portions(task_ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (task_ids[first : first + TOGETHER] for first in range(0, len(task_ids), TOGETHER))


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A PDF that is being drawn and stored, and what of."""

    export: TaskExport
    drawn: Future[Drawn]


_Ordered = Drawn | Undrawn | _Drawing


class _Desk:
    """Collects in the caller's thread; threads of its own, one a child, wait for the children and store."""

    def __init__(self, house: House, actor: Actor | None, now: datetime) -> None:
        self._house, self._actor, self._now = house, actor, now
        self._closed = threading.Event()
        self._storing = threading.Lock()
        self._threads = ThreadPoolExecutor(house.renderer.children, thread_name_prefix="klik-drawn")

    def __enter__(self) -> _Desk:
        return self

    def __exit__(self, *_error: object) -> None:
        with self._storing:
            self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def order(self, task_ids: Sequence[int]) -> list[_Ordered]:
        """What is known of each task, its PDF ordered where none of the same content is kept."""
        if not task_ids:
            return []
        with self._house.reading(self._now, self._actor) as work:
            found = list(unchanged.exports(work, self._house, task_ids, self._collect))
            kept = _kept(work, self._house.archive, [each for each in found if isinstance(each, TaskExport)])
        return [
            each if isinstance(each, Undrawn) else kept.get(each.content_key) or self._drawing(each)
            for each in found
        ]

    def _collect(self, work: Work, task_id: int) -> TaskExport | Undrawn:
        try:
            return exporting.collect(work, self._house.files, task_id, self._house.settings.base_url)
        except NotFoundError:
            return Undrawn(task_id, GONE)
        except (SQLAlchemyError, ForbiddenError, OSError):
            raise
        except Exception:
            log.exception("task %s could not be collected", task_id)
            return Undrawn(task_id, UNREADABLE)

    def _drawing(self, export: TaskExport) -> _Drawing:
        return _Drawing(export, self._threads.submit(self._drawn, export))

    def _drawn(self, export: TaskExport) -> Drawn:
        content = self._pdf(export)
        drawn = Drawn(export, hashlib.sha256(content).hexdigest(), len(content))
        with self._storing:
            # Whoever has stopped may have put the database away.
            if not self._closed.is_set():
                _store(self._house, self._now, drawn, content)
        return drawn

    def _pdf(self, export: TaskExport) -> bytes:
        while True:
            try:
                return self._house.renderer.task_pdf(export.document, export.embedded)
            except RendererBusy:
                if self._closed.is_set():
                    raise

    def answer(self, ordered: _Ordered, beat: Callable[[], None]) -> Drawn | Undrawn:
        """What became of a task, waited for with a ``beat`` a second; raises what concerns all tasks."""
        if not isinstance(ordered, _Drawing):
            return ordered
        while not futures.wait([ordered.drawn], HEARTBEAT).done:
            beat()
        try:
            return ordered.drawn.result()
        except PdfUnavailable:
            raise
        except RenderingError as problem:
            return Undrawn(ordered.export.municipal_task_id, str(problem))


def _kept(work: Work, archive: FileStore, exports: Sequence[TaskExport]) -> Mapping[str, Drawn]:
    """What was drawn of the same content before and is still on disk, by content."""
    by_key = {export.content_key: export for export in exports}
    rows = work.session.execute(
        select(ExportProof.content_key, ExportProof.sha256, ExportProof.size).where(
            ExportProof.content_key.in_(by_key)
        )
    )
    return {
        key: Drawn(by_key[key], sha256, size)
        for key, sha256, size in rows
        if size is not None and archive.path(sha256).exists()
    }


def _store(house: House, now: datetime, drawn: Drawn, content: bytes) -> None:
    with house.writing(now) as work:
        prove(work, drawn.export, drawn.sha256, drawn.size, _pages(content))
    # The proof comes first: a file nobody knows of is worse than a proof whose file is drawn again.
    house.archive.put(content)


def prove(work: Work, export: TaskExport, sha256: str, size: int, pages: int) -> None:
    """Write down that this file is genuine; the same file twice is one proof."""
    dialect = sqlite if work.session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(ExportProof).values(
        kind="opgave",
        code=export.document.identifier,
        content_key=export.content_key,
        sha256=sha256,
        size=size,
        pages=pages,
        municipality_id=export.municipality_id,
        municipal_task_id=export.municipal_task_id,
        task_number=export.task_number,
        project=export.document.project[:60],
        exported_by=export.document.exported_by[:200],
        exported_at=work.now,
    )
    work.session.execute(statement.on_conflict_do_nothing(index_elements=["content_key", "sha256"]))


def _pages(content: bytes) -> int:
    with pikepdf.Pdf.open(io.BytesIO(content)) as pdf:
        return len(pdf.pages)
