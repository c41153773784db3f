"""Documents that want to read, to call out, to hang or to crash."""

import http.server
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from klik.services.documents import CommentLine, TextPart
from klik.services.rendering import IMPOSSIBLE, Limits, Renderer, RenderingError
from klik.services.rendering_engine import NothingFetched
from tests.services.hostile_samples import HEAVY, VECTORS
from tests.services.rendering_samples import EXPORTED_AT, a_list, a_task
from tests.services.test_rendering import text_of

CANARY = "KANARIEFUGL"
# With KLIK_TEST_ROUNDS all is drawn past the cleaning under strace too, and heavy documents get what the house gives.
THOROUGH = "KLIK_TEST_ROUNDS" in os.environ
FONTS = (
    *("/usr/share/fonts", "/usr/local/share/fonts", "/etc/fonts"),
    *("/usr/share/fontconfig", "/var/cache/fontconfig"),
)
PASS_BY = 1 if THOROUGH else 11
HEAVY_LIMITS = Limits() if THOROUGH else Limits(cpu_seconds=2, seconds=60)


@dataclass(frozen=True)
class Reached:
    """What a child did beyond its memory: how many files it opened, which of them are not its own, other calls."""

    opened: int
    foreign: tuple[str, ...]
    calls: tuple[str, ...]


class Visitors(http.server.ThreadingHTTPServer):
    """A server that remembers every path it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.paths: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(http.server.BaseHTTPRequestHandler):
    server: Visitors

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CANARY.encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def visitors() -> Iterator[Visitors]:
    with Visitors() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def canary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hemmelig") / "kanarie.txt"
    path.write_text(f"<svg xmlns='http://www.w3.org/2000/svg'><text id='a'>{CANARY}</text></svg>")
    return path


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Renderer, Callable[[], Reached]]]:
    """A renderer whose one child is followed by strace, and a call that ends it and tells what it reached for."""
    log = tmp_path / "strace"
    with Renderer(children=1, limits=Limits(documents_per_child=1_000)) as renderer:
        renderer.task_pdf(a_task(1))
        child = renderer._places.get()
        assert child is not None
        pid = child._process.pid
        renderer._places.put(child)
        calls = "trace=network,open,openat,openat2,creat,execve,execveat,fork,vfork"
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", calls, "-o", str(log), "-p", str(pid)], stderr=subprocess.DEVNULL
        )
        for _ in range(1_000):
            if "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text():
                break
            assert tracer.poll() is None
            time.sleep(0.01)

        def reached() -> Reached:
            tracer.terminate()
            tracer.wait(30)
            assert child._process.poll() is None, "the child was replaced, and its successor is not followed"
            return _reached(log.read_text(errors="replace"), Path(f"/proc/{pid}/cwd").resolve())

        yield renderer, reached
        tracer.kill()
        tracer.wait(30)


def _reached(log: str, folder: Path) -> Reached:
    own = tuple(
        f"{place}/"
        for place in (sys.prefix, sys.base_prefix, folder, *FONTS, Path.home() / ".cache/fontconfig")
    )
    opened = re.findall(r'open(?:at2?)?\((?:\w+, )?"([^"]*)"', log)
    foreign = tuple(path for path in opened if path.startswith("/") and not path.startswith(own))
    calls = re.findall(r"(connect|socket|sendto|execve|execveat|v?fork)\(.*", log)
    return Reached(len(opened), foreign, tuple(calls))


def harmless(pdf: bytes) -> bool:
    return CANARY not in text_of(pdf) and CANARY.encode() not in pdf and b"/EmbeddedFile" not in pdf


def test_nothing_in_a_task_is_fetched_or_read(
    watched: tuple[Renderer, Callable[[], Reached]],
    visitors: Visitors,
    canary: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert len(VECTORS) >= 40
    renderer, reached = watched
    for vector in VECTORS:
        markup = vector.format(url=visitors.address + "/x", file=canary.as_uri())
        comment = CommentLine(EXPORTED_AT, "Ib", markup)
        task = a_task(0, texts=(TextPart("Tekst", markup + "<p>til stede</p>"),), comments=(comment,))
        pdf = renderer.task_pdf(task)
        assert harmless(pdf), vector
        assert "til stede" in text_of(pdf) or "<script" in vector or "<style" in vector or "<iframe" in vector
    for vector in VECTORS[::PASS_BY]:
        assert harmless(renderer._draw(bare_page(vector, visitors, canary), EXPORTED_AT)), vector
    seen = reached()
    assert seen.calls == ()
    assert seen.foreign == ()
    assert visitors.paths == []
    with capsys.disabled():
        print(  # noqa: T201 - the figure is the point
            f"\nS6: {len(VECTORS)} vectors, strace saw 0 connections, 0 programs, {seen.opened} files opened, "
            f"0 outside fonts and own assets"
        )


def bare_page(vector: str, visitors: Visitors, canary: Path) -> str:
    """A page with the vector as it is: past the cleaning, on purpose."""
    markup = vector.format(url=visitors.address + "/x", file=canary.as_uri())
    return f'<!doctype html><html lang="da"><title>x</title><body><p>til stede</p>{markup}'


def test_what_the_engine_reaches_for_would_be_seen(
    watched: tuple[Renderer, Callable[[], Reached]], canary: Path
) -> None:
    log = (
        f'7 openat(AT_FDCWD, "{canary}", O_RDONLY) = 3\n7 openat(AT_FDCWD, "/etc/fonts/fonts.conf", O_RDONLY) = 3\n'
        "7 socket(AF_INET, SOCK_STREAM, 0) = 4\n7 connect(4, {sa_family=AF_INET}) = 0\n"
    )
    seen = _reached(log, canary.parent.parent / "andet")
    assert seen.foreign == (str(canary),)
    assert seen.calls == ("socket", "connect")
    renderer, reached = watched
    child = renderer._places.get()
    assert child is not None
    renderer._places.put(child)
    # A page of signs nobody has drawn yet makes the child look into the system's fonts.
    renderer.task_pdf(a_task(0, title="ﷺ ꙮ ⠿ ♞ ☃"))
    assert reached().opened > 0


def test_the_engine_refuses_even_what_was_not_cleaned(
    renderer: Renderer, visitors: Visitors, canary: Path
) -> None:
    for vector in VECTORS:
        assert harmless(renderer._draw(bare_page(vector, visitors, canary), EXPORTED_AT)), vector
    assert visitors.paths == []


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/x", "file:///etc/hostname", "data:text/plain,x", "klik-font:x"]
)
def test_the_fetcher_alone_refuses_every_address(address: str) -> None:
    with pytest.raises(PermissionError):
        NothingFetched().fetch(address)


def test_the_vectors_would_be_seen(visitors: Visitors, canary: Path) -> None:
    """The counter counts: without our fetcher the engine asks for the picture and embeds the file."""
    program = (
        "import sys, weasyprint; url, file = sys.argv[1:]; "
        "page = f'<img src={url}/sonde><link rel=attachment href={file}>'; "
        "weasyprint.HTML(string=page).write_pdf(sys.stdout.buffer)"
    )
    arguments = [sys.executable, "-c", program, visitors.address, canary.as_uri()]
    pdf = subprocess.run(arguments, capture_output=True, check=True, timeout=60).stdout
    assert visitors.paths == ["/sonde"]
    assert not harmless(pdf)
    visitors.paths.clear()


@pytest.mark.parametrize(
    "attempt",
    [
        "open({path!r}).read()",
        "os.open({path!r}, os.O_RDONLY)",
        "__import__('socket').create_connection(('127.0.0.1', 9))",
        "__import__('subprocess').run(['true'])",
        "os.system('true')",
        "__import__('urllib.request').request.urlopen('file://' + {path!r})",
    ],
)
def test_the_child_is_shut_in(attempt: str, canary: Path, tmp_path: Path) -> None:
    lines = (
        "import os, socket, subprocess, urllib.request",
        "from klik.services.rendering_child import _forbid_reaching_out",
        "_forbid_reaching_out()",
        "try:",
        "    " + attempt.format(path=str(canary)),
        "except PermissionError:",
        "    raise SystemExit(7)",
    )
    outcome = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        timeout=60,
        check=False,
        capture_output=True,
    )
    assert outcome.returncode == 7, outcome.stderr


@pytest.mark.hard
def test_heavy_documents_come_out_in_the_plain_layout_at_worst(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(HEAVY) >= 20
    plain = set()
    with Renderer(limits=HEAVY_LIMITS) as renderer:

        def draw(name: str, markup: str) -> None:
            pdf = renderer.task_pdf(a_task(0, texts=(TextPart("Beskrivelse", markup),)))
            # Signs on top of each other take the reader of the test long, on a busy machine more than a minute.
            text = text_of(pdf, seconds=300)
            if "bund" in text and ("Enkel opsætning" in text):
                plain.add(name)
            outcomes[name] = "bund" in text

        outcomes: dict[str, bool] = {}
        names = list(HEAVY)
        halves = [
            threading.Thread(target=lambda part=part: [draw(name, HEAVY[name]) for name in part])
            for part in (names[::2], names[1::2])
        ]
        for half in halves:
            half.start()
        for half in halves:
            half.join()
        assert [name for name in HEAVY if not outcomes.get(name)] == []
        assert {"deep boxes", "deep emphasis"} | (set() if THOROUGH else {"table rows"}) <= plain
        assert "Intern note" in text_of(renderer.task_pdf(a_task()))
        most = address_space(renderer)
    assert most == HEAVY_LIMITS.memory_bytes
    with capsys.disabled():
        print(  # noqa: T201 - the figure is the point
            f"\nS6: {len(HEAVY)} hostile documents, {len(plain)} in the plain layout, 0 lost, "
            f"no child may have more than {most // 2**20} MiB"
        )


def address_space(renderer: Renderer) -> int:
    """Bytes the system grants the child that drew last; what it does not grant no document can take."""
    child = renderer._places.get()
    assert child is not None
    renderer._places.put(child)
    limits = Path(f"/proc/{child._process.pid}/limits").read_text()
    found = re.search(r"^Max address space +(\d+) ", limits, re.MULTILINE)
    assert found is not None, limits
    return int(found[1])


def test_a_document_that_breaks_the_layout_is_set_plainly_and_says_so(renderer: Renderer) -> None:
    markup = (
        "<p>før &amp; nu</p><table><tr><td>celle</td><td>nabo</td></tr></table>" + "<em>" * 3_000 + "bund"
    )
    text = text_of(renderer.task_pdf(a_task(3, texts=(TextPart("Beskrivelse", markup),)), b"{}"))
    for words in (
        "Enkel opsætning",
        "før & nu",
        "celle | nabo",
        "bund",
        "intern note",
        "Udfører: Åge Sørensen",
    ):
        assert words in text


def test_too_much_for_any_layout_is_an_error_in_danish() -> None:
    endless = a_task(0, texts=(TextPart("Beskrivelse", "ord " * 300_000),))
    with Renderer(limits=Limits(seconds=1)) as renderer:
        with pytest.raises(RenderingError) as refused:
            renderer.task_pdf(endless)
        assert str(refused.value) == IMPOSSIBLE
    with Renderer(limits=Limits(cpu_seconds=1, seconds=30)) as renderer, pytest.raises(RenderingError):
        renderer.task_pdf(endless)


def test_a_list_that_breaks_the_layout_is_set_plainly() -> None:
    with Renderer(limits=Limits(cpu_seconds=2, seconds=60, seconds_per_row=0)) as renderer:
        text = text_of(renderer.list_pdf(a_list(800)))
    assert "Enkel opsætning" in text
    assert "MI 799" in text


def test_a_killed_child_is_replaced_and_its_folder_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Renderer(children=1) as renderer:
        first = renderer.task_pdf(a_task(1))
        assert len(list(tmp_path.iterdir())) == 1
        child = renderer._places.get()
        assert child is not None
        child._process.kill()
        renderer._places.put(child)
        assert "Enkel opsætning" in text_of(renderer.task_pdf(a_task(1)))
        assert renderer.task_pdf(a_task(1)) == first
    assert list(tmp_path.iterdir()) == []


@pytest.mark.hard
def test_the_parent_keeps_its_size_over_300_documents() -> None:
    task = a_task(1, texts=())
    with Renderer() as renderer:

        def draw(times: int) -> None:
            for _ in range(times):
                renderer.task_pdf(task, b"{}")

        draw(20)
        before, files = resident(), open_files()
        threads = [threading.Thread(target=draw, args=(150,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert resident() - before <= 20_000_000
        assert open_files() <= files + 4


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def resident() -> int:
    """Bytes of memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
