"""P1 in files: every number of every format is found, with its page or sheet; a bomb costs its limit."""

from __future__ import annotations

import io
import random
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import date, timedelta

import pypdf
import pytest
import xlsxwriter

from klik.domain import cpr, filetypes
from klik.services import file_text
from klik.services.errors import RefusedError
from klik.services.file_text_child import told
from tests.services.small_pdf import pdf

MANY = 1_000
WRITTEN = ("{}-{}", "{}{}", "{} {}", "{}–{}", "{} - {}", "{}‑{}")
WORDS = "Kommunen skal udpege en systemansvarlig senest den 21. november 2026 og melde navnet til KOMBIT. "


def numbers(many: int) -> list[str]:
    """CPR numbers as people write them, with and without a check digit that fits."""
    dice = random.Random(47)
    born = [date(1950, 1, 1) + timedelta(days=dice.randrange(17_000)) for _ in range(many)]
    return [
        WRITTEN[place % len(WRITTEN)].format(day.strftime("%d%m%y"), f"{dice.randrange(4000):04d}")
        for place, day in enumerate(born)
    ]


def docx(lines: list[str]) -> bytes:
    """A Word file; each number cut into runs, as Word does when a word is corrected."""
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(
        f"<w:p><w:r><w:t>Borger {line[:4]}</w:t></w:r><w:r><w:t>{line[4:]} mangler.</w:t></w:r></w:p>"
        for line in lines
    )
    return zipped({"word/document.xml": f'<w:document xmlns:w="{word}"><w:body>{body}</w:body></w:document>'})


def pptx(lines: list[str]) -> bytes:
    """A presentation of one slide."""
    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    body = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in lines)
    slide = f'<x xmlns:a="{drawing}">{body}</x>'
    return zipped({"ppt/presentation.xml": "<x/>", "ppt/slides/slide1.xml": slide})


def zipped(parts: dict[str, str | bytes]) -> bytes:
    """An office file of these parts."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<x/>")
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def xlsx(lines: list[str]) -> bytes:
    """A workbook with the numbers on its second sheet."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        book.add_worksheet("Forside").write(0, 0, "Ingen her")
        sheet = book.add_worksheet("Borgere")
        for place, line in enumerate(lines):
            sheet.write_row(place, 0, ["Borger", line])
    return stream.getvalue()


def as_pdf(lines: list[str]) -> bytes:
    """A PDF, forty lines a page, with the signs its plain font has."""
    plain = [line.translate({0x2013: "-", 0x2011: "-"}) for line in lines]
    return pdf([plain[start : start + 40] for start in range(0, len(plain), 40)])


FORMATS: dict[str, Callable[[list[str]], bytes]] = {
    "txt": lambda lines: "\n".join(lines).encode(),
    "csv": lambda lines: (
        "\r\n".join(f"Borger;{line};ja" for line in lines).replace("\u2011", "-").encode("cp1252")
    ),
    "docx": docx,
    "pptx": pptx,
    "xlsx": xlsx,
    "pdf": as_pdf,
}


def test_every_number_is_found_in_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    lines, rates = numbers(MANY), {}
    assert all(len(cpr.find(line)) == 1 for line in lines)
    for ending, make in FORMATS.items():
        content = make(lines)
        filetypes.check(f"liste.{ending}", content)
        found = file_text.search(f"liste.{ending}", content)
        assert found.whole
        rates[ending] = found.count / MANY
    with capsys.disabled():
        shown = ", ".join(f"{ending} {rate:.1%}" for ending, rate in rates.items())
        sys.stdout.write(f"\nP1 CPR in files: recall on {MANY} numbers a format: {shown}\n")
    assert set(rates.values()) == {1.0}


def test_ordinary_words_alarm_nobody() -> None:
    lines = [f"{place}. {WORDS}" for place in range(500)]
    for ending, make in FORMATS.items():
        assert file_text.search(f"plan.{ending}", make(lines)) == file_text.Found(0, ())


def test_where_they_stand_is_said_and_what_they_are_is_not() -> None:
    three = ["010190-1234", "020290-2345", "030390-3456"]
    for ending, place in (
        ("xlsx", " (ark “Borgere”)"),
        ("pdf", " (side 1)"),
        ("pptx", " (dias 1)"),
        ("docx", ""),
    ):
        with pytest.raises(RefusedError) as refused:
            file_text.refuse_cpr(f"liste.{ending}", FORMATS[ending](three))
        said = refused.value.problems["file"]
        assert said.startswith(f"Filen ser ud til at indeholde 3 CPR-numre{place}, og"), said
        assert not cpr.find(said)
        file_text.refuse_cpr(f"liste.{ending}", FORMATS[ending](three), not_cpr=True)


def test_a_name_is_never_ticked_away() -> None:
    with pytest.raises(RefusedError, match="Filens navn"):
        file_text.refuse_cpr("sag 010190-1234.txt", b"intet", not_cpr=True)


def test_a_number_without_its_leading_nought_counts() -> None:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        book.add_worksheet("010190-1234").write_number(0, 0, 101901234)
    found = file_text.search("tal.xlsx", stream.getvalue())
    assert (found.count, found.places) == (1, ("ark “xxxxxx-xxxx”",))


def test_utf_16_is_read_too() -> None:
    assert file_text.search("a.txt", "Borger 010190-1234".encode("utf-16")).count == 1


@pytest.mark.parametrize("ending", ["pdf", "docx", "xlsx", "pptx"])
def test_what_no_program_can_open_is_let_by(ending: str) -> None:
    for content in (
        b"",
        b"%PDF-1.7 nonsense",
        b"PK\x03\x04 nonsense",
        zipped({"word/document.xml": "<w:t>"}),
    ):
        assert file_text.search(f"x.{ending}", content) == file_text.Found(0, ())


def test_a_bomb_costs_its_limit_and_is_asked_about() -> None:
    heavy = "<w:t>" + "a" * 60_000_000 + "</w:t>"
    bomb = zipped({"word/document.xml": f'<x xmlns:w="w">{heavy}</x>'})
    before = time.monotonic()
    with pytest.raises(RefusedError, match="for stor til at blive set igennem"):
        file_text.refuse_cpr("bombe.docx", bomb)
    assert time.monotonic() - before < file_text.SECONDS + 5
    laughs = '<!DOCTYPE x [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + place)} "{f"&{chr(97 + place)};" * 10}">' for place in range(12)
    )
    found = file_text.search("latter.docx", zipped({"word/document.xml": f"{laughs}]><x><t>&m;</t></x>"}))
    assert found.count == 0


def test_out_of_time_is_said() -> None:
    assert told("docx", docx(numbers(5)), until=0.0)["whole"] is False


def test_an_encrypted_pdf_is_let_by() -> None:
    writer = pypdf.PdfWriter(io.BytesIO(as_pdf(["010190-1234"])))
    writer.encrypt("hemmelig", algorithm="RC4-128")
    stream = io.BytesIO()
    writer.write(stream)
    assert file_text.search("laast.pdf", stream.getvalue()).count == 0
