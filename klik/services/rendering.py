"""PDFs made in disposable child processes, so that no document can hurt the process that asked for it.

`Renderer` keeps a small pool of children, each good for 50 documents. A document that hangs, crashes or eats
memory costs its child and is drawn again in a plain layout that says so.
"""

import contextlib
import hashlib
import json
import logging
import math
import os
import queue
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from klik import paths
from klik.services.documents import (
    ListDocument,
    MeetingDocument,
    PageDocument,
    RoleCardDocument,
    TaskDocument,
)
from klik.services.rendering_child import PDF, read_frame, write_frame
from klik.services.rendering_child import UNAVAILABLE as UNAVAILABLE_HERE
from klik.services.rendering_pages import Pages

FONTS = paths.PACKAGE / "static" / "vendor" / "dkfds" / "fonts"
EMBEDDED_NAME = "opgave.json"
EMBEDDED_DESCRIPTION = "Opgavens data i maskinlæsbar form"
UNAVAILABLE = (
    "PDF kan ikke laves på denne server, fordi programbiblioteket Pango mangler. Bed driften køre: "
    "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
)
IMPOSSIBLE = (
    "PDF-filen kunne ikke laves, fordi indholdet er for stort eller har en opbygning, "
    "der ikke kan sættes op på sider. Del teksten i mindre stykker, og prøv igen."
)
BUSY = "Der laves mange PDF-filer lige nu. Prøv igen om et øjeblik."
# A card's looks from the roomiest to the tightest (print.css), in points. Twenty systems with the longest names need 6;
# 5.5 is the floor of what can be read, and what does not fit in it goes on to a second page.
CARD_SIZES = ("10", "9", "8", "7", "6.5", "6-tight", "5.5-tight")
FITTING_SECONDS = 15.0  # a card is laid out three or four times to find the size that fits
KEPT_ENVIRONMENT = ("PATH", "HOME", "PYTHONPATH", "LD_LIBRARY_PATH", "FONTCONFIG_FILE", "FONTCONFIG_PATH")

log = logging.getLogger(__name__)


class RenderingError(Exception):
    """No PDF could be made, not even in the plain layout; the text is a Danish sentence for the user."""


class PdfUnavailable(RenderingError):  # noqa: N818
    """This machine cannot make PDFs at all; the text names the command that changes that."""


class RendererBusy(RenderingError):  # noqa: N818
    """Others had every child for as long as one waits; asking again later may well succeed."""


class _ChildError(Exception):
    """The child gave no PDF; the text says how it failed, for the log."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost, a list more by its rows, and how many documents a child lives."""

    seconds: float = 20.0
    cpu_seconds: int = 20
    seconds_per_row: float = 0.03
    start_seconds: float = 60.0
    memory_bytes: int = 1024**3
    documents_per_child: int = 50


class Renderer:
    """Makes PDFs; thread-safe. Use it as a context manager or call `close()`.

    `fonts` is searched for IBM Plex Sans (woff2); without it the system's fonts are used. `children` PDFs are
    made at the same time; further callers wait up to `limits.seconds` for their turn.
    """

    def __init__(self, fonts: Path = FONTS, *, children: int = 2, limits: Limits | None = None) -> None:
        self._fonts = fonts
        self._limits = limits or Limits()
        self._pages = Pages()
        self._closed = False
        self.children = children
        # Last in, first out: a warm child is taken before a new one is started.
        self._places: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(children):
            self._places.put(None)

    def task_pdf(self, document: TaskDocument, embedded_json: bytes | None = None) -> bytes:
        """The PDF of one task, with its data embedded as `opgave.json` when given.

        The same document gives the same bytes. Raises `RenderingError`, `PdfUnavailable`.
        """
        embedded = embedded_json or b""
        name = EMBEDDED_NAME if embedded else ""
        try:
            return self._draw(self._pages.task(document, name), document.exported_at, embedded)
        except (_ChildError, RecursionError) as problem:
            log.warning("task %s drawn in the plain layout: %s", document.number, problem)
        page = self._pages.task_in_plain_layout(document, name)
        return self._draw_plain(page, document.exported_at, embedded)

    def list_pdf(self, document: ListDocument) -> bytes:
        """The PDF of a whole list; a long one is drawn in parts, by all children.

        Raises `RenderingError`, `PdfUnavailable`.
        """
        extra = self._limits.seconds_per_row * len(document.rows)
        try:
            return self._list_in_parts(document, self._pages.list(document), extra)
        except (_ChildError, RecursionError) as problem:
            log.warning("list %s drawn in the plain layout: %s", document.title, problem)
        page = self._pages.list_in_plain_layout(document)
        return self._draw_plain(page, document.exported_at, extra_seconds=extra)

    def _list_in_parts(self, document: ListDocument, pages: list[str], extra: float) -> bytes:
        if len(pages) == 1:
            return self._draw(pages[0], document.exported_at, extra_seconds=extra)

        def draw(page: str) -> bytes:
            return self._draw(page, document.exported_at, extra_seconds=extra / len(pages))

        with ThreadPoolExecutor(self.children, thread_name_prefix="klik-list") as threads:
            parts = list(threads.map(draw, pages))
        number = self._pages.list_number(document)
        lengths = [len(part) for part in parts]
        return self._draw(number, document.exported_at, b"".join(parts), extra, parts=lengths)

    def meeting_pdf(self, document: MeetingDocument) -> bytes:
        """The PDF of a mødepakke. Raises `RenderingError`, `PdfUnavailable`."""
        try:
            return self._draw(self._pages.meeting(document), document.exported_at)
        except (_ChildError, RecursionError) as problem:
            log.warning("the meeting of %s drawn without charts: %s", document.municipality, problem)
        return self._draw_plain(self._pages.meeting(document, with_charts=False), document.exported_at)

    def page_pdf(self, document: PageDocument) -> bytes:
        """The PDF of a plug-in's page. Raises `RenderingError`, `PdfUnavailable`."""
        return self._draw_plain(self._pages.page(document), document.exported_at)

    def role_card_pdf(self, document: RoleCardDocument) -> bytes:
        """The PDF of a municipality's roles on one A4. Raises `RenderingError`, `PdfUnavailable`."""
        try:
            page = self._pages.role_card(document)
            return self._draw(page, document.exported_at, extra_seconds=FITTING_SECONDS, sizes=CARD_SIZES)
        except (_ChildError, RecursionError) as problem:
            log.warning("the roles of %s drawn without fitting: %s", document.municipality, problem)
        page = self._pages.role_card(document, size=CARD_SIZES[-1])
        return self._draw_plain(page, document.exported_at, extra_seconds=FITTING_SECONDS)

    def close(self) -> None:
        """Ends the children; those at work end when their document is done."""
        self._closed = True
        for _ in range(self.children):
            try:
                child = self._places.get_nowait()
            except queue.Empty:
                break
            if child is not None:
                child.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _draw_plain(
        self, page: str, exported_at: datetime, embedded: bytes = b"", extra_seconds: float = 0
    ) -> bytes:
        try:
            return self._draw(page, exported_at, embedded, extra_seconds)
        except _ChildError as problem:
            log.error("not even the plain layout could be drawn: %s", problem)
            raise RenderingError(IMPOSSIBLE) from problem

    def _draw(
        self,
        page: str,
        exported_at: datetime,
        embedded: bytes = b"",
        extra_seconds: float = 0,
        parts: Sequence[int] = (),
        sizes: Sequence[str] = (),
    ) -> bytes:
        content = page.encode("utf-8")
        description = {
            "identifier": hashlib.sha256(content + b"\0" + embedded).hexdigest()[:32],
            "exported_at": exported_at.isoformat(),
            "cpu_seconds": self._limits.cpu_seconds + math.ceil(extra_seconds),
            "embedded_name": EMBEDDED_NAME,
            "embedded_description": EMBEDDED_DESCRIPTION,
            "parts": parts,
            "sizes": sizes,
        }
        child = self._take_child()
        try:
            pdf = child.draw(
                (json.dumps(description).encode(), content, embedded), self._limits.seconds + extra_seconds
            )
        except BaseException:
            child.end()
            self._places.put(None)
            raise
        self._give_back(child)
        return pdf

    def _take_child(self) -> "_Child":
        if self._closed:
            raise RuntimeError("the renderer is closed")
        try:
            child = self._places.get(timeout=self._limits.seconds)
        except queue.Empty:
            raise RendererBusy(BUSY) from None
        try:
            return child or self._new_child()
        except BaseException:
            self._places.put(None)
            raise

    def _give_back(self, child: "_Child") -> None:
        successor: _Child | None = child
        try:
            if self._closed or child.documents >= self._limits.documents_per_child:
                successor = None
                child.end()
                # The successor starts now, so that it is warm when its first document comes.
                successor = None if self._closed else self._new_child()
        except (OSError, _ChildError) as problem:
            # The PDF is drawn; whoever comes next starts a child, and is told if that fails again.
            log.warning("no successor of a child that drew its documents: %s", problem)
        finally:
            self._places.put(successor)

    def _new_child(self) -> "_Child":
        return _Child(self._fonts if self._fonts.is_dir() else None, self._pages.stylesheet, self._limits)


class _Child:
    """One process of `rendering_child`, its pipes and its private folder."""

    def __init__(self, fonts: Path | None, stylesheet: str, limits: Limits) -> None:
        self.documents = 0
        self._limits = limits
        folder = tempfile.TemporaryDirectory(prefix="klik-pdf-")
        environment = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "klik.services.rendering_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=folder.name,
                env={**environment, "TMPDIR": folder.name, "LC_ALL": "C.UTF-8"},
            )
        except OSError:
            folder.cleanup()
            raise
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._jobs, self._answers = self._process.stdin, self._process.stdout
        self.end = weakref.finalize(self, _end, self._process, folder)
        settings = {
            "fonts": str(fonts.resolve()) if fonts else "",
            "stylesheet": stylesheet,
            "memory_bytes": limits.memory_bytes,
        }
        self._send(json.dumps(settings).encode())

    def draw(self, job: tuple[bytes, bytes, bytes], seconds: float) -> bytes:
        """The PDF of a job within so many seconds; `_ChildError` or `PdfUnavailable` otherwise."""
        if self.documents == 0:
            with self._killed_after(self._limits.start_seconds):
                greeting = read_frame(self._answers)
            if greeting == UNAVAILABLE_HERE:
                raise PdfUnavailable(UNAVAILABLE)
        self.documents += 1
        with self._killed_after(seconds):
            for frame in job:
                self._send(frame)
            outcome, answer = read_frame(self._answers), read_frame(self._answers)
        if answer is None:
            raise _ChildError("the child ended or ran out of time")
        if outcome != PDF:
            raise _ChildError(answer.decode("utf-8", "replace"))
        return answer

    @contextlib.contextmanager
    def _killed_after(self, seconds: float) -> Iterator[None]:
        guard = threading.Timer(seconds, self._process.kill)
        guard.start()
        try:
            yield
        finally:
            guard.cancel()
            guard.join()

    def _send(self, frame: bytes) -> None:
        try:
            write_frame(self._jobs, frame)
        except OSError:
            raise _ChildError("the child ended or ran out of time") from None


def _end(process: "subprocess.Popen[bytes]", folder: "tempfile.TemporaryDirectory[str]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        # Unsent bytes to a dead child are nobody's loss.
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()
    folder.cleanup()
