"""The PDF itself: complete, archive-worthy, readable aloud, the same every time."""

import io
import itertools
import json
import re
import string
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from klik.services.documents import AttachmentLine, TextPart, file_name
from klik.services.rendering import Limits, PdfUnavailable, Renderer
from klik.services.rendering_pages import danish_day, danish_moment, danish_size, printable
from tests.services.rendering_samples import EXPORTED_AT, a_list, a_task

EMBEDDED = json.dumps({"opgave": "MI 15", "kommune": "Køge"}, ensure_ascii=False).encode()


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


@pytest.fixture(scope="module")
def task_pdf(renderer: Renderer) -> bytes:
    return renderer.task_pdf(a_task(), EMBEDDED)


def text_of(pdf: bytes, seconds: float = 60) -> str:
    return subprocess.run(
        ["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True, timeout=seconds
    ).stdout.decode()


def squeezed(text: str) -> str:
    """Without white space and hyphens, so that line breaks do not matter."""
    return re.sub(r"[\s\u00ad‐-]", "", text)


def words_of(value: Any) -> Iterator[str]:
    """Every word a document holds, as it should read in print."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from words_of(getattr(value, field.name))
    elif isinstance(value, tuple):
        for part in value:
            yield from words_of(part)
    elif isinstance(value, datetime):
        yield from danish_moment(value).split()
    elif isinstance(value, date):
        yield from danish_day(value).split()
    elif isinstance(value, str):
        yield from re.sub(r"<[^>]*>", " ", value).split()


def missing_words(document: Any, pdf: bytes) -> list[str]:
    shown = squeezed(text_of(pdf))
    return [word for word in words_of(document) if squeezed(word) not in shown]


def test_every_word_of_a_task_is_in_its_pdf(renderer: Renderer) -> None:
    unusual = TextPart("Særligt", "<p>Ærø, Åbenrå, señor, Ελλάδα, Привет, 5 €, x² og “citat”</p>")
    task = a_task(40, texts=(*a_task().texts, unusual), omitted=("Filen »stor.zip« kunne ikke læses.",))
    assert missing_words(task, renderer.task_pdf(task)) == []


def test_a_word_that_is_not_there_is_noticed(task_pdf: bytes) -> None:
    assert missing_words(("Forglemmigej",), task_pdf) == ["Forglemmigej"]


def test_every_cell_of_a_list_is_in_its_pdf(renderer: Renderer) -> None:
    listing = a_list(120)
    shown = squeezed(text_of(renderer.list_pdf(listing)))
    for row in listing.rows:
        assert squeezed(row[0] + row[1]) in shown
    assert "Side1af" in shown


def test_no_heading_of_a_list_is_broken(renderer: Renderer) -> None:
    columns = ("Nummer", "Opgave", "Projekt", "Fase", "Deadline", "Farve", "Status", "Ansvarlig", "Udfører")
    rows = tuple(
        (row[0], row[1], "Monopolbrudsprogrammet", row[2], row[5], row[6], row[4], row[7], row[7])
        for row in a_list(20).rows
    )
    shown = text_of(renderer.list_pdf(replace(a_list(), columns=columns, rows=rows))).split()
    assert [column for column in columns if column not in shown] == []


def test_the_pdf_is_sound(task_pdf: bytes, tmp_path: Path) -> None:
    path = tmp_path / "opgave.pdf"
    path.write_bytes(task_pdf)
    check = subprocess.run(["qpdf", "--check", path], capture_output=True, timeout=60, check=False)
    assert check.returncode == 0, check.stderr


def test_the_pdf_is_marked_for_archives_and_for_reading_aloud(task_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(task_pdf)) as pdf, pdf.open_metadata() as metadata:
        assert metadata["pdfaid:part"] == "3"
        assert metadata["pdfaid:conformance"] == "A"
        assert metadata["{http://www.aiim.org/pdfua/ns/id/}part"] == "1"
        assert metadata["dc:title"] == "MI 15 Udarbejd jobfunktionsroller for KP"
        assert pdf.Root.Lang == "da"
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert pdf.Root.StructTreeRoot.K[0].S == "/Document"
        assert pdf.docinfo.Title == "MI 15 Udarbejd jobfunktionsroller for KP"
        assert pdf.docinfo.CreationDate == "D:20261126120000+00'00"
        assert pdf.Root.Metadata.read_bytes().count(b"<rdf:RDF") == 1


def test_the_headings_are_bookmarks_and_skip_no_level(task_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(task_pdf)) as pdf:
        with pdf.open_outline() as outline:
            top = outline.root[0]
            assert top.title == "MI 15 Udarbejd jobfunktionsroller for KP"
            names = [item.title for item in top.children]
            assert names[:4] == ["Oplysninger", "Formål", "Beskrivelse", "Resultat"]
        levels = [
            int(str(item.S)[2]) for item in structure(pdf) if re.fullmatch(r"/H\d", str(item.get("/S")))
        ]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def structure(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Dictionary]:
    """The elements of the structure tree in reading order."""
    waiting = [pdf.Root.StructTreeRoot.K[0]]
    while waiting:
        element = waiting.pop()
        yield element
        children = element.get("/K", [])
        waiting.extend(child for child in reversed(list(children)) if isinstance(child, pikepdf.Dictionary))


def test_all_text_is_either_in_the_structure_or_decoration(task_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(task_pdf)) as pdf:
        marks = pdf.Root.StructTreeRoot.ParentTree.Nums
        known = {item.objgen for item in structure(pdf)}
        for number, page in enumerate(pdf.pages):
            used = [int(mark) for mark in re.findall(rb"/MCID (\d+)", page.Contents.read_bytes())]
            assert used
            assert all(marks[2 * number + 1][mark].objgen in known for mark in used)
        assert b"/Pagination" in pdf.pages[1].Contents.read_bytes()


def test_every_font_is_embedded_and_every_link_described(task_pdf: bytes) -> None:
    with pikepdf.open(io.BytesIO(task_pdf)) as pdf:
        for page in pdf.pages:
            for font in page.Resources.Font.values():
                assert "/FontFile2" in font.DescendantFonts[0].FontDescriptor or (
                    "/FontFile3" in font.DescendantFonts[0].FontDescriptor
                )
        links = [link for page in pdf.pages for link in page.get("/Annots", [])]
        assert {str(link.Contents) for link in links} == {
            "https://digitaliseringskataloget.dk/loesninger/kp",
            "mailto:kp@example.dk",
            "https://klik.example.dk/opgaver/259/mi-15",
        }


def test_the_data_of_the_task_lie_in_the_pdf_once(task_pdf: bytes, renderer: Renderer) -> None:
    with pikepdf.open(io.BytesIO(task_pdf)) as pdf:
        assert pdf.attachments["opgave.json"].get_file().read_bytes() == EMBEDDED
        assert len(pdf.Root.AF) == 1
        assert pdf.Root.AF[0].AFRelationship == "/Data"
        assert pdf.Root.AF[0].EF.F.Subtype == "/application/json"
    without = renderer.task_pdf(a_task())
    assert "opgave.json" not in text_of(without)
    with pikepdf.open(io.BytesIO(without)) as pdf:
        assert not pdf.attachments


def test_the_same_document_gives_the_same_bytes(task_pdf: bytes) -> None:
    with Renderer() as another:
        assert another.task_pdf(a_task(), EMBEDDED) == task_pdf
        assert another.task_pdf(a_task(title="En anden titel"), EMBEDDED) != task_pdf


def test_the_state_is_told_in_words(task_pdf: bytes) -> None:
    text = text_of(task_pdf)
    for words in ("I gang", "Gul", "Intern note", "Side 1 af", "18 kB", "2,3 MB", "Intet er udeladt"):
        assert words in text


def test_what_was_left_out_is_written_into_the_pdf(renderer: Renderer) -> None:
    task = a_task(
        texts=(TextPart("Billedrig", '<p>Se <img src="x.png"> her</p>'),),
        attachments=(AttachmentLine("tom.txt", 0, "0" * 64),),
        omitted=("Filen »stor.zip« kunne ikke læses.",),
    )
    text = text_of(renderer.task_pdf(task))
    assert "Filen »stor.zip« kunne ikke læses." in text
    assert "Billeder i afsnittet »Billedrig« er ikke med" in text
    assert "Intet er udeladt" not in text


def test_bare_tasks_and_lists_have_a_pdf_too(renderer: Renderer) -> None:
    bare = a_task(
        0, start=None, deadline=None, yellow_from=None, colour_word="", colour_explanation="", texts=(),
        extra_fields=(), panels=(), history=(), attachments=(), responsible="", executor="", priority="",
        local=True, system="",
    )  # fmt: skip
    text = text_of(renderer.task_pdf(bare))
    assert "Der er ingen kommentarer." in text
    assert "Lokal opgave" in text
    assert "Listen er tom." in text_of(renderer.list_pdf(a_list(0)))


def test_the_shipped_fonts_are_used_and_may_be_missing(tmp_path: Path) -> None:
    folder = tmp_path / "IBMPlexSans" / "woff2"
    folder.mkdir(parents=True)
    for face in ("Regular", "Italic", "SemiBold"):
        a_font(folder / f"IBMPlexSans-{face}.woff2")
    with Renderer(tmp_path) as renderer:
        assert "IBM-Plex-Sans" in fonts_in(renderer.task_pdf(a_task()))
    with Renderer(tmp_path / "nothing") as renderer:
        assert "IBM-Plex-Sans" not in fonts_in(renderer.task_pdf(a_task()))


def fonts_in(pdf: bytes) -> set[str]:
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        return {
            str(font.BaseFont).partition("+")[2]
            for page in opened.pages
            for font in page.Resources.Font.values()
        }


def a_font(path: Path) -> None:
    """A font of boxes, so that no real one is needed."""
    pen = TTGlyphPen(None)
    pen.moveTo((50, 0))
    pen.lineTo((50, 700))
    pen.lineTo((450, 700))
    pen.lineTo((450, 0))
    pen.closePath()
    box = pen.glyph()
    letters = [".notdef", *(f"uni{ord(letter):04X}" for letter in string.ascii_letters + " ")]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(letters)
    builder.setupCharacterMap({int(name[3:], 16): name for name in letters[1:]})
    builder.setupGlyf(dict.fromkeys(letters, box))
    builder.setupHorizontalMetrics(dict.fromkeys(letters, (500, 50)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.font.flavor = "woff2"
    builder.save(path)


def test_the_parent_never_loads_the_layout_engine() -> None:
    program = "import sys, klik.services.rendering; sys.exit('weasyprint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_a_machine_without_pango_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "weasyprint"
    package.mkdir()
    (package / "__init__.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Renderer() as renderer, pytest.raises(PdfUnavailable, match="apt-get install libpango"):
        renderer.task_pdf(a_task())


def test_many_threads_share_the_renderer(caplog: pytest.LogCaptureFixture) -> None:
    # What is drawn here takes a second; the limits are for a machine that has no time for it.
    patient = Limits(seconds=240, cpu_seconds=240, start_seconds=240, documents_per_child=3)
    answers: list[bytes] = []
    with Renderer(children=2, limits=patient) as renderer:
        threads = [
            threading.Thread(target=lambda: answers.append(renderer.task_pdf(a_task(1)))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert caplog.messages == []  # the reason why one of them came out in the plain layout
    assert len(answers) == 8
    assert len(set(answers)) == 1


def test_no_successor_costs_neither_the_document_nor_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    short = Limits(documents_per_child=1, seconds=60)
    with Renderer(children=1, limits=short) as renderer:
        first = renderer.task_pdf(a_task(0))
        with monkeypatch.context() as patched:
            patched.setattr(sys, "executable", "/nonexistent/python")
            assert renderer.task_pdf(a_task(0)) == first
        assert renderer.task_pdf(a_task(0)) == first


def test_file_names_are_plain_and_short() -> None:
    assert file_name(a_task()) == "KP-MI-15_Udarbejd-jobfunktionsroller-for-KP_Koege_2026-11-26.pdf"
    long = a_task(title="Afklar " + "ærinder på Ærø " * 9, municipality="Lyngby-Taarbæk", project="../ksd")
    name = file_name(long)
    assert name.startswith("KSD-MI-15_Afklar-aerinder-paa-Aeroe")
    assert name.endswith("_Lyngby-Taarbaek_2026-11-26.pdf")
    title = name.split("_")[1]
    assert len(title) <= 60
    assert title.split("-")[-1] in {"aerinder", "paa", "Aeroe"}
    late = replace(a_task(), exported_on=date(2026, 11, 27))
    assert "2026-11-27" in file_name(late)
    assert file_name(a_task(title="日本", municipality="")) == "KP-MI-15_2026-11-26.pdf"


def test_sizes_and_moments_are_danish() -> None:
    assert [danish_size(size) for size in (0, 999, 18_432, 2_312_000)] == [
        "0 byte",
        "999 byte",
        "18 kB",
        "2,3 MB",
    ]
    assert danish_moment(EXPORTED_AT) == "26. november 2026 kl. 09.14"
    with pytest.raises(ValueError, match="time zone"):
        danish_moment(EXPORTED_AT.replace(tzinfo=None))


def test_text_is_cleaned_and_links_spelled_out() -> None:
    assert printable("<h1>a</h1><h4>b</h4>") == "<h3>a</h3><h4>b</h4>"
    link = printable('<a href="https://a.dk/" onclick="x()" style="color:red">her</a>')
    assert link == (
        '<a href="https://a.dk/" title="https://a.dk/">her</a> '
        '<a class="address" href="https://a.dk/" title="https://a.dk/">(https://a.dk/)</a>'
    )
    assert printable('<a href="mailto:a@b.dk">a@b.dk</a>').count("a@b.dk") == 3
    assert printable("<script>x</script><style>y</style><p style='display:none'>z</p>") == "<p>z</p>"
