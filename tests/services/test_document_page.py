"""What a task's PDF shows beyond its texts: rules, corrections, the deletion, and the code that proves it."""

import hashlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pikepdf
import pytest
import zxingcpp
from PIL import Image

from klik.services import qr_code, rendering_signs
from klik.services.documents import (
    AttachmentLine,
    CommentLine,
    CorrectionLine,
    TaskDocument,
    TextPart,
    TickLine,
)
from klik.services.rendering import Renderer
from tests.services.rendering_samples import a_task
from tests.services.test_rendering import squeezed, structure, text_of

ADDRESS = "https://klik.kombit.example/verificer/K7QF-2M9X-4TRD"
AT = datetime(2026, 11, 3, 8, tzinfo=UTC)
CHANGED = "<p><strong>Frist:</strong> <del>1. december 2026</del> <ins>15. december 2026</ins></p>"


def a_rich_task() -> TaskDocument:
    return a_task(
        2,
        verify_url=ADDRESS,
        task_id=4711,
        round=2,
        deadline_note="kommunens egen",
        deadline_rule="Fristen er 90 dage før idriftsættelse",
        colour_rule="Grøn indtil 20. november, derefter gul; rød fra 5. december 2026",
        suggested_executor="Systemansvarlig",
        deletion=("KOMBIT varslede sletning: Gamle opgaver.", "Kassationshjemmel: Aftalen § 7."),
        corrections=(CorrectionLine(2, AT, "Fristen er flyttet", CHANGED),),
        checklist=(TickLine("Ring til leverandøren", True, AT), TickLine("Skriv til alle", False)),
        checklist_progress="1 af 2",
        comments=(CommentLine(AT, "Ib Kjær", "Rettet siden", edited_at=AT),),
        attachments=(AttachmentLine("bilag.txt", 812, "ab" * 32, "Ib Kjær", AT),),
    )


SHOWN = (
    "Forberedelse, runde 2",
    "4. december 2026, uge 49 (kommunens egen)",
    "Åge Sørensen (brugeradministrator). KOMBIT foreslår: Systemansvarlig",
    "Opgave-id",
    "4711",
    "Fristen er 90 dage før idriftsættelse",
    "Grøn indtil 20. november, derefter gul; rød fra 5. december 2026",
    "KOMBIT varslede sletning: Gamle opgaver.",
    "Kassationshjemmel: Aftalen § 7.",
    "Version 2, 3. november 2026 kl. 09.00: Fristen er flyttet",
    "1. december 2026",
    "15. december 2026",
    "(rettet 3. november 2026 kl. 09.00)",
    "ab" * 32,
    "Ib Kjær",
    ADDRESS,
    "K7QF-2M9X-4TRD",
)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


@pytest.fixture(scope="module")
def rich(renderer: Renderer) -> bytes:
    return renderer.task_pdf(a_rich_task(), b"{}")


def test_rules_corrections_and_the_announced_deletion_are_shown_in_both_layouts(
    renderer: Renderer, rich: bytes
) -> None:
    too_deep = TextPart("Beskrivelse", "<em>" * 3_000 + "bund")
    task = a_rich_task()
    plain = renderer.task_pdf(a_task(0, **{**_values(task), "texts": (too_deep,)}))
    for text in (text_of(rich), text_of(plain)):
        assert [words for words in SHOWN if squeezed(words) not in squeezed(text)] == []
    assert "Enkel opsætning" in text_of(plain)
    assert "[fjernet:] 1. december 2026" in text_of(plain)


def _values(task: TaskDocument) -> dict[str, object]:
    return {name: getattr(task, name) for name in task.__slots__}


def test_the_qr_code_on_paper_leads_to_where_the_file_is_proven(rich: bytes) -> None:
    with pikepdf.open(io.BytesIO(rich)) as pdf:
        last = str(len(pdf.pages))
        figures = [element for element in structure(pdf) if str(element.get("/S")) == "/Figure"]
        assert [str(figure.Alt) for figure in figures] == [f"QR-kode til {ADDRESS}"]
    for paper in ((), ("-gray",)):
        page = subprocess.run(
            ["pdftoppm", "-r", "100", "-png", *paper, "-f", last, "-l", last, "-"],
            input=rich,
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        found = zxingcpp.read_barcodes(Image.open(io.BytesIO(page)))
        assert [each.text for each in found] == [ADDRESS]


def test_a_qr_code_is_a_drawing_without_anything_to_fetch() -> None:
    drawn = qr_code.drawing('https://a.dk/"<x>', 'til "<x>')
    assert "<title>til &#34;&lt;x&gt;</title>" in drawn
    assert drawn.count("<") == drawn.count(">") == 5
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")


def test_every_page_carries_the_code_and_the_day(rich: bytes) -> None:
    pages = text_of(rich).split("\f")[:-1]
    assert len(pages) > 1
    for page in pages:
        assert "26. november 2026 · K7QF-2M9X-4TRD" in page


def test_signs_beyond_the_typeface_are_named() -> None:
    assert rendering_signs.beyond_typeface("Ærø … → ✓ “citat” – 5 €") == ()
    assert rendering_signs.beyond_typeface("🚀 og 日, \u200d\ufe0f 🚀") == ("U+65E5", "U+1F680")
    assert rendering_signs.sentence(()) == ""
    many = rendering_signs.sentence(rendering_signs.beyond_typeface("".join(map(chr, range(0x4E00, 0x4E32)))))
    assert "U+4E00" in many
    assert "og 10 andre" in many


def test_poppler_and_qpdf_find_the_file_sound_tagged_and_its_fonts_embedded(rich: bytes) -> None:
    with pikepdf.open(io.BytesIO(rich)) as pdf:
        assert pdf.check_pdf_syntax() == []
        assert not pdf.is_encrypted
        assert "/JavaScript" not in pdf.Root.get("/Names", {})
        assert "/OpenAction" not in pdf.Root
    told = _poppler("pdfinfo", rich)
    for line in ("Tagged:", "Encrypted:", "JavaScript:"):
        assert line in told
    assert "Tagged:          yes" in told
    assert "JavaScript:      no" in told
    fonts = _poppler("pdffonts", rich).splitlines()[2:]
    assert fonts
    # emb sub uni: embedded, only the signs that are used, and readable as text
    assert all(" yes yes yes " in font for font in fonts)


def _poppler(program: str, pdf: bytes) -> str:
    run = subprocess.run([program, "-"], input=pdf, capture_output=True, check=True, timeout=60)
    return run.stdout.decode()


def test_two_processes_of_different_seeds_make_the_same_bytes(rich: bytes) -> None:
    program = (
        "import sys, hashlib\n"
        "from klik.services.rendering import Renderer\n"
        "from tests.services.test_document_page import a_rich_task\n"
        "with Renderer() as renderer:\n"
        "    sys.stdout.write(hashlib.sha256(renderer.task_pdf(a_rich_task(), b'{}')).hexdigest())\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Pacific/Auckland", "LANG": "C"}
    run = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True, timeout=120
    )
    assert run.stdout.decode() == hashlib.sha256(rich).hexdigest()
