"""The process that reads one file for ``file_text``: the file on standard input, counts and places on standard output.

Nothing of the text leaves it. What it cannot open at all it reports as read: there is no text that anybody could see.
"""

from __future__ import annotations

import io
import json
import logging
import re
import resource
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import ParseError, iterparse

import pypdf
from pypdf.errors import PyPdfError

from klik.domain import cpr

MOST_CHARACTERS = 40_000_000
_MOST_TEXT_AT_ONCE = 1_000_000
_PARAGRAPHS = frozenset({"p", "br", "tab", "tc"})
Part = tuple[str, str]


class TooMuchError(Exception):
    """The limits are used up; what was found so far counts."""


def main() -> None:
    """Read and tell."""
    ending, seconds, memory = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    logging.disable(logging.CRITICAL)
    sys.stdout.write(json.dumps(told(ending, sys.stdin.buffer.read(), time.monotonic() + seconds)))


def told(ending: str, content: bytes, until: float) -> dict[str, object]:
    """How many numbers, where, and whether the file was read to its end; ``until`` on the monotonic clock."""
    count, places, whole, read = 0, [], True, 0
    try:
        for place, text in READERS[ending](content):
            read += len(text)
            if found := len(cpr.find(text)):
                count += found
                if place and place not in places:
                    places.append(place)
            if read > MOST_CHARACTERS or time.monotonic() > until:
                raise TooMuchError
    except (TooMuchError, MemoryError, RecursionError):
        whole = False
    except (
        PyPdfError,
        zipfile.BadZipFile,
        ParseError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        OSError,
    ):
        pass
    except (NotImplementedError, RuntimeError, IndexError, AssertionError, ArithmeticError, EOFError):
        pass
    return {"count": count, "places": [cpr.mask(place) for place in places], "whole": whole}


def _pdf(content: bytes) -> Iterator[Part]:
    for number, page in enumerate(pypdf.PdfReader(io.BytesIO(content)).pages, start=1):
        yield f"side {number}", page.extract_text()


def _docx(content: bytes) -> Iterator[Part]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if re.fullmatch(r"word/[^/]+\.xml", name):
                for text in _words(archive, name):
                    yield "", text


def _pptx(content: bytes) -> Iterator[Part]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if found := re.fullmatch(r"ppt/(?:slides/slide|notesSlides/notesSlide)(\d+)\.xml", name):
                for text in _words(archive, name):
                    yield f"dias {found[1]}", text


def _words(archive: zipfile.ZipFile, name: str) -> Iterator[str]:
    """The running text: what stands in one paragraph stands together, however many runs it is cut into."""
    pieces: list[str] = []
    length = 0
    with archive.open(name) as file:
        for _event, element in iterparse(file):
            tag = _local(element.tag)
            if tag == "t":
                pieces.append(element.text or "")
                length += len(pieces[-1])
            elif tag in _PARAGRAPHS:
                pieces.append("\n")
            element.clear()
            if length > _MOST_TEXT_AT_ONCE and pieces[-1] == "\n":
                yield "".join(pieces)
                pieces, length = [], 0
    yield "".join(pieces)


def _xlsx(content: bytes) -> Iterator[Part]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        shared = list(_shared(archive)) if "xl/sharedStrings.xml" in names else []
        sheets = _sheet_names(archive)
        for name in names:
            if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name):
                place = f"ark “{sheets[name]}”" if name in sheets else ""
                yield from ((place, text) for text in _cells(archive, name, shared))
            elif re.fullmatch(r"xl/(?:comments\d*|threadedComments/[^/]+|drawings/[^/]+)\.xml", name):
                yield from (("", text) for text in _words(archive, name))


def _shared(archive: zipfile.ZipFile) -> Iterator[str]:
    pieces: list[str] = []
    with archive.open("xl/sharedStrings.xml") as file:
        for _event, element in iterparse(file):
            tag = _local(element.tag)
            if tag == "t":
                pieces.append(element.text or "")
            elif tag == "si":
                yield "".join(pieces)
                pieces = []
                element.clear()


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """The part's path → the name people gave the sheet."""
    targets: dict[str, str] = {}
    with archive.open("xl/_rels/workbook.xml.rels") as file:
        for _event, element in iterparse(file):
            if "Target" in element.attrib:
                target = element.attrib["Target"].removeprefix("/xl/").removeprefix("xl/")
                targets[element.attrib.get("Id", "")] = f"xl/{target}"
    named: dict[str, str] = {}
    with archive.open("xl/workbook.xml") as file:
        for _event, element in iterparse(file):
            if _local(element.tag) == "sheet":
                relation = next((value for key, value in element.attrib.items() if _local(key) == "id"), "")
                if relation in targets:
                    named[targets[relation]] = element.attrib.get("name", "")[:60]
    return named


def _cells(archive: zipfile.ZipFile, name: str, shared: list[str]) -> Iterator[str]:
    """A row at a time, a line a cell. A number of nine digits lost its leading nought when it became a number."""
    row: list[str] = []
    inline: list[str] = []
    value = ""
    with archive.open(name) as file:
        for _event, element in iterparse(file):
            tag = _local(element.tag)
            if tag == "v":
                value = element.text or ""
            elif tag == "t":
                inline.append(element.text or "")
            elif tag == "c":
                kind = element.attrib.get("t", "n")
                if kind == "s" and value.isdigit() and int(value) < len(shared):
                    row.append(shared[int(value)])
                elif kind == "n":
                    row.append(value.zfill(10) if value.isdigit() and len(value) == 9 else value)
                else:
                    row.append("".join(inline) or value)
                value, inline = "", []
            elif tag == "row":
                yield "\n".join(row)
                row = []
                element.clear()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


READERS: dict[str, Callable[[bytes], Iterator[Part]]] = {
    "pdf": _pdf,
    "docx": _docx,
    "pptx": _pptx,
    "xlsx": _xlsx,
}

if __name__ == "__main__":
    main()
