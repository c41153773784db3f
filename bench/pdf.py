"""Medians of klik's PDFs against the layout engine given the same HTML, asked alternately in one run.

Run from the root of the checkout: `python -m bench.pdf [rounds] [documents] [rows …]`. Clock and processor time, the
latter of this process and the renderer's children together, which a busy machine changes less. ``engine`` is WeasyPrint
with shared fonts and style sheet and a plain PDF as the result; ``naive`` reads fonts and style sheet each time.
"""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from bench.measuring import tell
from klik.services.documents import TextPart
from klik.services.rendering import FONTS, Limits, Renderer
from klik.services.rendering_engine import FontsFetched, font_rules, read_faces
from klik.services.rendering_pages import Pages
from tests.services.rendering_samples import a_list, a_task

TICKS = os.sysconf("SC_CLK_TCK")
EMBEDDED = b'{"format": "klik-opgave/1"}' * 100


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds by the clock and of processor time, of this process and its children."""

    clock: float
    work: float


def fonts_and_style() -> tuple[FontConfiguration, CSS]:
    """As the engine has them."""
    faces, fonts = read_faces(FONTS), FontConfiguration()
    fetcher = FontsFetched(faces)
    return fonts, CSS(string=font_rules(faces) + Pages().stylesheet, font_config=fonts, url_fetcher=fetcher)


def bare_engine() -> Callable[[str], bytes]:
    """WeasyPrint in this process, with shared fonts and style sheet and a plain PDF as the result."""
    fonts, style = fonts_and_style()
    return lambda page: _drawn(page, fonts, style)


def naive(page: str) -> bytes:
    """WeasyPrint as one calls it who does not know that fonts and style sheet can be shared."""
    return _drawn(page, *fonts_and_style())


def _drawn(page: str, fonts: FontConfiguration, style: CSS) -> bytes:
    target = io.BytesIO()
    HTML(string=page).write_pdf(target, font_config=fonts, stylesheets=[style])
    return target.getvalue()


def children() -> list[int]:
    """The ids of this process's children."""
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # a thread that ended meanwhile
            found += map(int, (task / "children").read_text().split())
    return found


def work() -> float:
    """Milliseconds of processor time so far, of this process, its children now, and those that have ended."""
    spent = os.times()
    of_children = 0
    for child in children():
        fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        of_children += int(fields[11]) + int(fields[12])
    return 1_000 * (
        spent.user + spent.system + spent.children_user + spent.children_system + of_children / TICKS
    )


def cost(what: Callable[[], object], times: int = 1) -> Cost:
    """What one call costs, over so many: processor time comes in ticks of ten milliseconds."""
    clock, busy = time.perf_counter(), work()
    for _ in range(times):
        what()
    return Cost((time.perf_counter() - clock) * 1_000 / times, (work() - busy) / times)


def in_turn(asked: dict[str, Callable[[], object]], rounds: int, times: int = 3) -> dict[str, list[Cost]]:
    """The costs of each, asked in turn."""
    for what in asked.values():
        what()
    found: dict[str, list[Cost]] = {name: [] for name in asked}
    for _ in range(rounds):
        for name, what in asked.items():
            found[name].append(cost(what, times))
    return found


def told(name: str, found: dict[str, list[Cost]]) -> None:
    """One line: milliseconds of each, lowest to highest, and the ratios of the first to the others."""
    work_of = {each: [one.work for one in costs] for each, costs in found.items()}
    shown = "  ".join(
        f"{each} {statistics.median(values):.0f} ({min(values):.0f}-{max(values):.0f})"
        for each, values in work_of.items()
    )
    first, *others = found
    ratios = "  ".join(
        f"/{other}: work {_ratio(found[first], found[other], 'work')}, "
        f"clock {_ratio(found[first], found[other], 'clock')}"
        for other in others
    )
    tell(f"{name:22} work, ms: {shown}  {ratios}")


def _ratio(ours: Sequence[Cost], theirs: Sequence[Cost], of: str) -> str:
    pairs = [getattr(one, of) / getattr(other, of) for one, other in zip(ours, theirs, strict=True)]
    return f"{statistics.median(pairs):.2f} ({min(pairs):.2f}-{max(pairs):.2f})"


def steady(rounds: int) -> None:
    """Tasks in steady state, beside the engine alone and used naively."""
    pages, bare = Pages(), bare_engine()
    with Renderer(children=1) as renderer:
        first = cost(lambda: renderer.task_pdf(a_task(0)))
        tell(
            f"first PDF, cold child: clock {first.clock:.0f} ms, work {first.work:.0f} ms; at rest {_at_rest()}"
        )
        one_page = a_task(0, texts=a_task().texts[:1], panels=(), attachments=())
        for name, task in {"one page": one_page, "two pages": a_task(0), "40 comments": a_task(40)}.items():
            page = pages.task(task, "opgave.json")
            found = in_turn(
                {
                    "klik": lambda task=task: renderer.task_pdf(task, EMBEDDED),  # type: ignore[misc]
                    "engine": lambda page=page: bare(page),  # type: ignore[misc]
                    "naive": lambda page=page: naive(page),  # type: ignore[misc]
                },
                rounds,
            )
            told(name, found)


def _at_rest() -> str:
    (child,) = children()
    lines = dict(
        line.split(":", 1) for line in Path(f"/proc/{child}/smaps_rollup").read_text().splitlines()[1:]
    )
    return f"{int(lines['Rss'].split()[0]) // 1024} MB, {int(lines['Pss'].split()[0]) // 1024} MB of its own"


def growth(documents: int) -> None:
    """Memory, open files and threads over many documents, of this process and of its child."""
    task = a_task(1, texts=a_task().texts[:1])
    for name, limits in {"recycled": Limits(), "one child": Limits(documents_per_child=10**9)}.items():
        with Renderer(children=1, limits=limits) as renderer, _watched(name, documents) as look:
            for number in range(documents):
                renderer.task_pdf(task, EMBEDDED)
                look(number + 1)


@contextmanager
def _watched(name: str, documents: int) -> Iterator[Callable[[int], None]]:
    seen: list[tuple[int, int, int, int]] = []

    def look(number: int) -> None:
        # The first tenth warms up; a child is looked at when it has drawn as many documents as the one before.
        if number == documents // 10 or number == documents:
            (child,) = children()
            seen.append((_megabytes("self"), _megabytes(str(child)), _count("fd"), _count("task")))

    yield look
    (parent, child, files, threads), (parent_after, child_after, files_after, threads_after) = seen
    times = 1_000 / (documents * 9 / 10)
    tell(
        f"memory, {name:10} per 1,000 documents: parent {(parent_after - parent) * times / 1024:+.1f} MB, "
        f"child {(child_after - child) * times / 1024:+.1f} MB (at the end {child_after // 1024} MB); "
        f"open files {files}->{files_after}, threads {threads}->{threads_after}"
    )


def _megabytes(process: str) -> int:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def _count(folder: str) -> int:
    return sum(1 for _ in Path(f"/proc/self/{folder}").iterdir())


def long_tables(sizes: Sequence[int]) -> None:
    """Lists by their rows, and a table inside a task's text."""
    limits = Limits(seconds=600, cpu_seconds=600)
    with Renderer(limits=limits) as renderer:
        renderer.list_pdf(a_list(10))
        for rows in sizes:
            document = a_list(rows)
            found = [
                cost(lambda document=document: renderer.list_pdf(document))
                for _ in range(1 if rows > 1_000 else 3)
            ]  # type: ignore[misc]
            tell(
                f"list of {rows:5}: {statistics.median(one.work for one in found) / rows:.2f} ms of work a row, "
                f"{statistics.median(one.clock for one in found) / rows:.2f} by the clock"
            )
        for rows in (50, 200):
            table = "<table>" + "<tr><td>Rolle</td><td>32.03.10</td><td>Læse</td></tr>" * rows + "</table>"
            task = a_task(0, texts=(TextPart("Beskrivelse", table),))
            spent = cost(lambda task=task: renderer.task_pdf(task), 3)  # type: ignore[misc]
            tell(f"a task with a table of {rows:3} rows: {spent.work / rows:.2f} ms of work a row")


def main(rounds: int, documents: int, sizes: Sequence[int]) -> None:
    """Everything in turn."""
    tell(f"load {os.getloadavg()[0]:.1f}")
    steady(rounds)
    long_tables(sizes)
    if documents:
        growth(documents)
    tell(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]]
    main(given[0] if given else 15, given[1] if given[1:] else 1_000, given[2:] or (500, 2_000, 5_000))
