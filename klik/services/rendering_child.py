"""The disposable process that draws PDFs: reads one job at a time from stdin, answers on stdout.

Started by `rendering.Renderer`, never by hand. A job is three frames: a JSON description, the
HTML, and the file to embed or nothing. Where the description has the lengths of parts, the third frame is those
parts, drawn before, and the HTML is of one page with nothing but its number. Where it has sizes, the roomiest that
fits on one page is drawn. An answer is two: one word, then the
PDF or the name of the error.
Before the first job it says that it is ready, or that PDFs cannot be made on this machine.
The process may read its own code, the system's fonts and nothing else, and may not reach a network.
"""

import contextlib
import ctypes
import json
import logging
import os
import resource
import struct
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from klik import paths

LENGTH = struct.Struct(">Q")
READY, UNAVAILABLE, PDF, PROBLEM = b"ready", b"unavailable", b"pdf", b"problem"
OPEN_FILES = 64
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
FORBIDDEN = (
    "socket.",
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.system",
    "urllib.",
    "ftplib.",
)


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The next frame, None when the other end has closed."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None


def write_frame(stream: IO[bytes], body: bytes) -> None:
    stream.write(LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def main() -> None:
    jobs, answers = _private_pipes()
    settings = json.loads(read_frame(jobs) or b"{}")
    _leave_the_network()
    _limit_resources(settings["memory_bytes"])
    try:
        from klik.services.rendering_engine import Engine
    except OSError:  # Pango is missing
        write_frame(answers, UNAVAILABLE)
        return
    engine = Engine(Path(settings["fonts"]) if settings["fonts"] else None, settings["stylesheet"])
    _forbid_reaching_out()
    write_frame(answers, READY)
    while (description := read_frame(jobs)) is not None:
        page, embedded = read_frame(jobs), read_frame(jobs)
        if page is None or embedded is None:
            return
        order = json.loads(description)
        _limit_cpu(order["cpu_seconds"])
        try:
            work = engine.join if order["parts"] else engine.fitted if order["sizes"] else engine.pdf
            pdf = work(order, page.decode("utf-8"), embedded)
        except BaseException as problem:  # whatever a hostile page provokes, the parent is told its name
            write_frame(answers, PROBLEM)
            write_frame(answers, type(problem).__name__.encode())
            if not isinstance(problem, Exception) or isinstance(problem, MemoryError):
                return
        else:
            write_frame(answers, PDF)
            write_frame(answers, pdf)


def _private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes to the parent under numbers of their own, so that no library writes into them."""
    jobs, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    logging.getLogger("weasyprint").addHandler(logging.NullHandler())
    logging.getLogger("fontTools").addHandler(logging.NullHandler())
    return jobs, answers


def _leave_the_network() -> None:
    """Where the system allows it the process has no network at all; elsewhere the other barriers must do."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).unshare(CLONE_NEWUSER | CLONE_NEWNET)


def _limit_resources(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_cpu(seconds: int) -> None:
    """So much processor time from now on; the limit counts the whole life of the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (spent + seconds, hard))


def _forbid_reaching_out() -> None:
    """From here on Python code in this process opens only its own files and no connection or program."""
    installed = (folder for folder in sys.path if folder.endswith("-packages"))
    own = tuple(
        str(Path(folder).resolve()) + os.sep
        for folder in (paths.PACKAGE, sys.prefix, sys.base_prefix, tempfile.gettempdir(), *installed)
    )

    def guard(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path = arguments[0]
            if isinstance(path, str | bytes) and not os.path.realpath(os.fsdecode(path)).startswith(own):
                raise PermissionError("the renderer may not open this file")
        elif event.startswith(FORBIDDEN):
            raise PermissionError("the renderer may not reach out")

    sys.addaudithook(guard)


if __name__ == "__main__":
    main()
