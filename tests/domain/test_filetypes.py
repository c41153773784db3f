"""Which files are taken: the name's ending and the content must agree, and no office file is a bomb."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest

from klik.domain import filetypes
from klik.domain.filetypes import FileError

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
PDF = b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n"
DOCX_PARTS = {"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<document/>"}


def package(parts: dict[str, bytes], count: int = 0) -> bytes:
    """A zip of these parts and ``count`` empty ones."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
        for number in range(count):
            made.writestr(f"word/media/{number}.xml", b"")
    return out.getvalue()


def encrypted() -> bytes:
    """A package whose members are marked as encrypted, in both of a zip's headers."""
    content = bytearray(package(DOCX_PARTS))
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + place] |= 1
            at = content.find(signature, at + 4)
    return bytes(content)


TAKEN: dict[str, tuple[str, bytes]] = {
    "a pdf": ("Bilag.pdf", PDF),
    "capital letters": ("BILAG.PDF", PDF),
    "a png": ("a.png", PNG),
    "a jpg": ("a.jpg", b"\xff\xd8\xff\xe0" + b"\0" * 20),
    "a jpeg": ("a.jpeg", b"\xff\xd8\xff\xe0" + b"\0" * 20),
    "a docx": ("a.docx", package(DOCX_PARTS)),
    "an xlsx": ("a.xlsx", package({"[Content_Types].xml": b"", "xl/workbook.xml": b""})),
    "a pptx": ("a.pptx", package({"[Content_Types].xml": b"", "ppt/presentation.xml": b""})),
    "a thousand members": ("a.docx", package(DOCX_PARTS, 998)),
    "text in UTF-8": ("a.txt", "Rødgrød med fløde".encode()),
    "text from old Windows": ("a.txt", "Rødgrød".encode("cp1252")),
    "text in UTF-16": ("a.txt", "Rødgrød".encode("utf-16")),
    "csv": ("roller.csv", b"\xef\xbb\xbfrolle;navn\r\nA;B\r\n"),
    "exactly the limit": ("a.txt", b"x" * filetypes.LARGEST),
}
REFUSED: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "nothing in it": ("a.pdf", lambda: b"", "tom (0 byte)"),
    "a byte too much": ("a.txt", lambda: b"x" * (filetypes.LARGEST + 1), "højst fylde 25 MB"),
    "a megabyte too much": ("a.txt", lambda: b"x" * (26 * 1024 * 1024), "fylder 26,0 MB"),
    "svg": ("a.svg", lambda: b"<svg/>", "“.svg” kan ikke vedhæftes"),
    "html": ("a.html", lambda: b"<html>", "“.html”"),
    "xml": ("a.xml", lambda: b"<?xml?>", "“.xml”"),
    "a program": ("a.exe", lambda: b"MZ", "“.exe”"),
    "a document with macros by name": ("a.docm", lambda: package(DOCX_PARTS), "“.docm”"),
    "an old office file": ("a.doc", lambda: b"\xd0\xcf\x11\xe0", "“.doc”"),
    "a zip": ("a.zip", lambda: package({"a": b""}), "“.zip”"),
    "no ending": ("CON", lambda: PDF, "uden endelse"),
    "a pdf that is html": ("a.pdf", lambda: b"<!DOCTYPE html><script>", "webside"),
    "a pdf that is text": ("a.pdf", lambda: b"hej", "indholdet er: tekst"),
    "a png that is a pdf": ("a.png", lambda: PDF, "indholdet er: pdf"),
    "a jpg that is a png": ("a.jpg", lambda: PNG, "indholdet er: png"),
    "a txt that is a program": ("a.txt", lambda: b"MZ\x90\0", "program"),
    "a txt that is html": ("a.txt", lambda: b"  <script>alert(1)</script>", "webside"),
    "a csv with html after a mark": ("a.csv", lambda: b"\xef\xbb\xbf<html>", "webside"),
    "a csv with zero bytes": ("a.csv", lambda: b"a;b\0c", "ukendt indhold"),
    "a docx that is no zip": ("a.docx", lambda: b"hej", "indholdet er: tekst"),
    "a docx with a password": ("a.docx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "krypteret Office-fil"),
    "a docx that is an xlsx": (
        "a.docx",
        lambda: package({"[Content_Types].xml": b"", "xl/workbook.xml": b""}),
        "indholdet er: xlsx",
    ),
    "a docx that is any zip": ("a.docx", lambda: package({"a.txt": b""}), "indholdet er: zip"),
    "a docx with macros": (
        "a.docx",
        lambda: package(DOCX_PARTS | {"word/vbaProject.bin": b"x"}),
        "makroer",
    ),
    "too many members": ("a.docx", lambda: package(DOCX_PARTS, 999), "1001 dele"),
    "a bomb": (
        "a.docx",
        lambda: package(DOCX_PARTS | {"word/a.xml": b"\0" * 201_000_000}),
        "201 MB pakket ud",
    ),
    "a way out of the folder": ("a.docx", lambda: package(DOCX_PARTS | {"../../x": b""}), "peger ud"),
    "an absolute path": ("a.docx", lambda: package(DOCX_PARTS | {"/etc/x": b""}), "peger ud"),
    "encrypted members": ("a.docx", encrypted, "adgangskode"),
    "cut in the middle": ("a.docx", lambda: package(DOCX_PARTS)[:60], "beskadiget"),
}


@pytest.mark.parametrize("case", TAKEN)
def test_taken(case: str) -> None:
    name, content = TAKEN[case]
    assert filetypes.check(name, content) == filetypes.MEDIA_TYPES[filetypes.extension(name)]


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(case: str) -> None:
    name, content, sentence = REFUSED[case]
    with pytest.raises(FileError) as caught:
        filetypes.check(name, content())
    assert sentence in str(caught.value)
