"""A long list is drawn in parts and put together: nobody can tell, neither by eye nor by ear."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from klik.services import rendering_pages
from klik.services.rendering import Renderer
from tests.services.rendering_samples import a_list
from tests.services.test_rendering import fonts_in, squeezed, structure, text_of

ROWS = 70


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


@pytest.fixture(scope="module")
def joined(renderer: Renderer) -> Iterator[bytes]:
    """A list of three parts."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(rendering_pages, "ROWS_PER_PART", 30)
        yield renderer.list_pdf(a_list(ROWS))


def pages_of(pdf: bytes) -> list[str]:
    return text_of(pdf).split("\f")[:-1]


def test_every_row_is_there_once_in_order_and_every_page_is_numbered(joined: bytes) -> None:
    pages = pages_of(joined)
    assert len(pages) > 4
    for number, page in enumerate(pages, start=1):
        assert f"Side {number} af {len(pages)}" in page
        assert page.count("Side ") == 1
    assert re.findall(r"\bMI (\d{3})\b", " ".join(pages)) == [f"{place:03}" for place in range(ROWS)]
    text = " ".join(pages)
    assert text.count("Om dette dokument") == text.count("Udvalg") == text.count(f"{ROWS} rækker") == 1
    assert "Enkel opsætning" not in text
    assert all("Røde og gule opgaver i KP" in page for page in pages)  # the title, then the running header


def test_the_words_are_those_of_a_list_drawn_at_once(joined: bytes, renderer: Renderer) -> None:
    def words(pdf: bytes) -> str:
        numbered = re.sub(r"Side \d+ af \d+|Røde og gule opgaver i KP|Køge", "", text_of(pdf))
        return squeezed(
            re.sub(r"Opgave\s+Titel\s+Fase\s+Tema\s+Status\s+Deadline\s+Farve\s+Ansvarlig", "", numbered)
        )

    assert sorted(words(joined)) == sorted(words(renderer.list_pdf(a_list(ROWS))))


def test_structure_bookmarks_and_marks_are_of_one_document(joined: bytes, tmp_path: Path) -> None:
    path = tmp_path / "liste.pdf"
    path.write_bytes(joined)
    check = subprocess.run(["qpdf", "--check", path], capture_output=True, timeout=60, check=False)
    assert check.returncode == 0, check.stderr
    with (
        pikepdf.open(io.BytesIO(joined)) as pdf,
        pdf.open_metadata() as metadata,
        pdf.open_outline() as outline,
    ):
        assert metadata["pdfaid:part"] == "3"
        assert metadata["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"
        assert pdf.Root.Metadata.get("/Filter") is None
        assert [len(pdf.Root.OutputIntents), str(pdf.Root.Lang)] == [1, "da"]
        assert [item.title for item in outline.root[0].children] == ["Udvalg", "Listen", "Om dette dokument"]
        there = {page.obj.objgen for page in pdf.pages}
        assert outline.root[0].children[-1].destination[0].objgen == pdf.pages[-1].obj.objgen
        elements = list(structure(pdf))
        assert {element.Pg.objgen for element in elements if "/Pg" in element} == there
        assert all(
            element.get("/P") is not None for element in elements if element.get("/Type") == "/StructElem"
        )
        nums = pdf.Root.StructTreeRoot.ParentTree.Nums
        keys = [int(nums[place]) for place in range(0, len(nums), 2)]
        assert keys == sorted(set(keys))
        marks = {int(nums[place]): nums[place + 1] for place in range(0, len(nums), 2)}
        known = {element.objgen for element in elements}
        for page in pdf.pages:
            used = [int(mark) for mark in re.findall(rb"/MCID (\d+)", page.Contents.read_bytes())]
            assert used
            assert all(marks[int(page.obj.StructParents)][mark].objgen in known for mark in used)
            drawn = [value.read_bytes() for value in page.Resources.XObject.values()]
            assert len(drawn) == 1
            assert b"/Artifact" in drawn[0]
            assert b"MCID" not in drawn[0]
    assert len(fonts_in(joined)) <= 3


def test_the_same_list_in_parts_is_the_same_bytes(joined: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering_pages, "ROWS_PER_PART", 30)
    with Renderer(children=1) as another:
        assert another.list_pdf(a_list(ROWS)) == joined
