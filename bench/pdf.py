"""Medians of klik's PDFs against the bare layout engine given the same HTML, asked alternately in one run.

Run from the root of the checkout: `python -m bench.pdf [rounds]`.
"""

import io
import statistics
import sys
import time
from collections.abc import Callable

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from klik.services.documents import ListDocument, TaskDocument
from klik.services.rendering import FONTS, Renderer
from klik.services.rendering_engine import FontsFetched, font_rules, read_faces
from klik.services.rendering_pages import Pages
from tests.services.rendering_samples import a_list, a_task


def bare_engine() -> Callable[[str], bytes]:
    """WeasyPrint in this process, with shared fonts and style sheet and a plain PDF as the result."""
    faces = read_faces(FONTS)
    fonts = FontConfiguration()
    style = CSS(
        string=font_rules(faces) + Pages().stylesheet, font_config=fonts, url_fetcher=FontsFetched(faces)
    )

    def draw(page: str) -> bytes:
        target = io.BytesIO()
        HTML(string=page).write_pdf(target, font_config=fonts, stylesheets=[style])
        return target.getvalue()

    return draw


def milliseconds(work: Callable[[], bytes]) -> float:
    before = time.perf_counter()
    work()
    return (time.perf_counter() - before) * 1_000


def compare(name: str, rounds: int, ours: Callable[[], bytes], bare: Callable[[], bytes]) -> None:
    size = len(ours())
    bare()
    pairs = [(milliseconds(ours), milliseconds(bare)) for _ in range(rounds)]
    klik, engine = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"{name:32} {klik:8.0f} ms {engine:8.0f} ms {klik / engine:6.2f} x {size / 1_000:8.0f} kB")  # noqa: T201


def main(rounds: int) -> None:
    pages, bare = Pages(), bare_engine()
    tasks: dict[str, TaskDocument] = {
        "task, no comments": a_task(0),
        "task, 3 comments": a_task(3),
        "task, 40 comments": a_task(40),
    }
    lists: dict[str, ListDocument] = {"list of 200": a_list(200), "list of 500": a_list(500)}
    print(f"{'':32} {'klik':>11} {'engine':>11} {'ratio':>8} {'size':>11}")  # noqa: T201
    with Renderer() as renderer:
        print(f"first PDF, cold child {milliseconds(lambda: renderer.task_pdf(a_task(0))):.0f} ms")  # noqa: T201
        for name, task in tasks.items():
            page = pages.task(task, "opgave.json")
            compare(name, rounds, lambda t=task: renderer.task_pdf(t, b"{}"), lambda p=page: bare(p))
        for name, listing in lists.items():
            page = pages.list(listing)
            compare(
                name, max(rounds // 10, 3), lambda d=listing: renderer.list_pdf(d), lambda p=page: bare(p)
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
