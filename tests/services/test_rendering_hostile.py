"""Documents that want to read, to call out, to hang or to crash."""

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from klik.services.documents import CommentLine, TextPart
from klik.services.rendering import IMPOSSIBLE, Limits, Renderer, RenderingError
from klik.services.rendering_engine import NothingFetched
from tests.services.rendering_samples import EXPORTED_AT, a_list, a_task
from tests.services.test_rendering import text_of

CANARY = "KANARIEFUGL"
# {url} is a server that counts its visitors, {file} a file that holds the canary.
VECTORS = (
    '<img src="{url}">',
    '<img src="{file}">',
    '<img srcset="{url} 2x">',
    "<img src=\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'><image href='{url}'/></svg>\">",
    '<picture><source srcset="{url}"><img src="{url}"></picture>',
    '<link rel="stylesheet" href="{url}">',
    '<link rel="stylesheet" href="{file}">',
    '<link rel="attachment" href="{url}">',
    '<link rel="attachment" href="{file}">',
    '<link rel="icon" href="{url}">',
    '<a rel="attachment" href="{file}">fil</a>',
    '<a rel="attachment" href="{url}">fil</a>',
    '<a href="{file}" download="x">fil</a>',
    '<object data="{url}"></object>',
    '<object data="{file}" type="text/plain"></object>',
    '<embed src="{url}">',
    '<embed src="{file}" type="image/svg+xml">',
    '<iframe src="{url}"></iframe>',
    '<iframe src="{file}"></iframe>',
    "<style>@import url({url});</style>",
    '<style>@import "{file}";</style>',
    "<style>@font-face {{ font-family: x; src: url({url}) }} p {{ font-family: x }}</style><p>x</p>",
    "<style>@font-face {{ font-family: x; src: local('DejaVu Sans'), url({file}) }}</style>",
    "<style>p {{ background: url({url}) }}</style><p>x</p>",
    "<style>p::before {{ content: url({url}) }}</style><p>x</p>",
    "<style>p::before {{ content: url({file}) }}</style><p>x</p>",
    "<style>li {{ list-style-image: url({url}) }}</style><ul><li>x</li></ul>",
    "<style>@page {{ background: url({url}); @top-left {{ content: url({file}) }} }}</style>",
    "<style>@color-profile x {{ src: url({url}) }}</style>",
    "<style>p {{ border-image: url({url}) 1 }}</style><p>x</p>",
    "<p style=\"background-image: url('{url}')\">x</p>",
    "<p style=\"mask: url('{file}')\">x</p>",
    '<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><image href="{file}"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><use href="{url}#a"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><use href="{file}#a"/></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><style>@import url({url});</style></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><text><tref href="{file}"/></text></svg>',
    '<base href="{url}"><img src="a.png"><link rel="stylesheet" href="a.css">',
    '<meta http-equiv="refresh" content="0;url={url}">',
    '<input type="image" src="{url}"><video poster="{url}" src="{url}"></video>',
    '<script src="{url}"></script><script>fetch("{url}")</script>',
    '<?xml-stylesheet href="{url}"?><!DOCTYPE x [<!ENTITY e SYSTEM "{file}">]>&e;',
    '<body background="{url}"><table background="{url}"><tr><td background="{url}">x</td></tr></table>',
)
HEAVY = {
    "deep boxes": "<div>" * 4_000 + "bund",
    "deep quotes": "<blockquote>" * 2_000 + "bund",
    "deep lists": "<ul><li>" * 1_000 + "bund",
    "deep tables": "<table><tr><td>" * 250 + "bund",
    "deep emphasis": "<em><strong>" * 1_500 + "bund",
    "a long word": "a" * 100_000 + " bund",
    "line breaks": "a<br>" * 10_000 + "bund",
    "table rows": "<table>" + "<tr><td>a</td><td>b</td></tr>" * 10_000 + "</table>bund",
    "table columns": "<table><tr>" + "<td>a</td>" * 4_000 + "</tr></table>bund",
    "table spans": "<table><tr><td colspan=1000000000 rowspan=1000000000>bund</table>",
    "a long address": '<a href="https://a.dk/' + "a" * 100_000 + '">bund</a>',
    "stacked accents": "a" + "\u0301\u0316" * 50_000 + " bund",
    "turning text": "\u202e\u2066abc" * 8_000 + " bund",
    "unprintable": "a\0b\x01\x1b\ufffe\ud800c bund",
    "many spans": "<span>a </span>" * 20_000 + "bund",
    "preformatted": "<pre>" + "a\n" * 20_000 + "</pre>bund",
    "list items": "<ol>" + "<li>a</li>" * 15_000 + "</ol>bund",
    "headings": "<h1>a</h1>" * 8_000 + "bund",
    "a long list number": '<ol start="' + "9" * 40 + '"><li>bund</li></ol>',
    "own styles": "<style>* { position: absolute; width: 1e9px } @page { size: 1px }</style><p>bund</p>",
    "many lists in lists": "<ol><li>" * 400 + "bund",
}


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


def harmless(pdf: bytes) -> bool:
    return CANARY not in text_of(pdf) and CANARY.encode() not in pdf and b"/EmbeddedFile" not in pdf


def test_nothing_in_a_task_is_fetched_or_read(renderer: Renderer, visitors: Visitors, canary: Path) -> None:
    assert len(VECTORS) >= 40
    for vector in VECTORS:
        markup = vector.format(url=visitors.address + "/x", file=canary.as_uri())
        comment = CommentLine(EXPORTED_AT, "Ib", markup)
        task = a_task(0, texts=(TextPart("Tekst", markup + "<p>til stede</p>"),), comments=(comment,))
        pdf = renderer.task_pdf(task)
        assert harmless(pdf), vector
        assert "til stede" in text_of(pdf) or "<script" in vector or "<style" in vector or "<iframe" in vector
    assert visitors.paths == []


def test_the_engine_refuses_even_what_was_not_cleaned(
    renderer: Renderer, visitors: Visitors, canary: Path
) -> None:
    for vector in VECTORS:
        markup = vector.format(url=visitors.address + "/x", file=canary.as_uri())
        page = f'<!doctype html><html lang="da"><title>x</title><body><p>til stede</p>{markup}'
        assert harmless(renderer._draw(page, EXPORTED_AT)), vector  # past the cleaning, on purpose
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
def test_heavy_documents_come_out_in_the_plain_layout_at_worst() -> None:
    assert len(HEAVY) >= 20
    plain = set()
    with Renderer(limits=Limits(cpu_seconds=2, seconds=60)) as renderer:

        def draw(name: str, markup: str) -> None:
            text = text_of(renderer.task_pdf(a_task(0, texts=(TextPart("Beskrivelse", markup),))))
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
        assert {"deep boxes", "deep emphasis", "table rows"} <= plain
        assert "Intern note" in text_of(renderer.task_pdf(a_task()))


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
