"""Reading an answer whole, whatever its format, for the canaries in it."""

from __future__ import annotations

import io
import json
import re
import zipfile
from urllib.parse import unquote

import pypdf
from werkzeug.test import TestResponse

from tests.access.world import CANARY

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def everything_in(response: TestResponse) -> str:
    """The text of the body and of every header."""
    headers = "\n".join(f"{name}: {value}" for name, value in response.headers)
    return f"{headers}\n{unquote(headers)}\n{body_of(response)}"


def body_of(response: TestResponse) -> str:
    """The body's text: of a PDF its pages and particulars, of a workbook every part."""
    content, kind = response.data, response.mimetype
    if not content:
        return ""
    if kind == "application/pdf":
        document = pypdf.PdfReader(io.BytesIO(content))
        pages = "".join(page.extract_text() for page in document.pages)
        attached = b"".join(part for parts in document.attachments.values() for part in parts)
        # A long word is broken at its hyphens, so the lines are put together again.
        return re.sub(r"\s+", "", pages) + str(document.metadata) + attached.decode("utf-8", "replace")
    if kind == XLSX:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            return "\n".join(book.read(name).decode("utf-8", "replace") for name in book.namelist())
    if kind == "text/calendar":
        return content.decode("utf-8").replace("\r\n ", "")
    if kind == "application/json":
        return json.dumps(json.loads(content), ensure_ascii=False)
    return content.decode("utf-8", "replace").replace("\u00ad", "").replace("<wbr>", "")


def canaries(text: str) -> set[tuple[int, str, int]]:
    """Municipality, table and row of every canary in a text."""
    return {(int(code), table.lower(), int(row)) for code, table, row in CANARY.findall(text)}


def numbers(text: str) -> set[int]:
    """The numbers a reader sees, thousands marked or not."""
    return {int(each.replace(".", "")) for each in re.findall(r"\b\d{1,3}(?:\.\d{3})+\b|\b\d+\b", text)}
