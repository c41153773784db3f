"""Rows of text out of a report, whether it was saved as CSV or as Excel."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, BinaryIO

import openpyxl

from klik.plugins import ImportRefusedError

LARGEST_FILE = 10 * 1024 * 1024
LARGEST_UNPACKED = 60 * 1024 * 1024
MOST_ROWS = 20_000
MOST_COLUMNS = 30
LONGEST_CELL = 500


def rows_of(file: BinaryIO, name: str) -> tuple[tuple[str, ...], ...]:
    """Every row as trimmed texts; row 1 of the file comes first. Raises ImportRefusedError, in Danish."""
    content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ImportRefusedError(f"Filen er over {LARGEST_FILE // 1024 // 1024} MB. Er det rapport R23?")
    if not content.strip():
        raise ImportRefusedError("Filen er tom.")
    rows = _excel_rows(content) if content.startswith(b"PK") else _csv_rows(content, name)
    found: list[tuple[str, ...]] = []
    for row in rows:
        if len(found) >= MOST_ROWS:
            raise ImportRefusedError(f"Filen har over {MOST_ROWS} rækker. Er det rapport R23?")
        found.append(tuple(cell.strip()[:LONGEST_CELL] for cell in row[:MOST_COLUMNS]))
    return tuple(found)


def _csv_rows(content: bytes, name: str) -> Iterator[list[str]]:
    if b"\0" in content:
        raise ImportRefusedError("Filen er hverken CSV eller Excel (.xlsx). Gem rapporten som en af dem.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    separator = max(";\t,|", key=text[:20_000].count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except csv.Error as error:
        raise ImportRefusedError(f"{name or 'Filen'} kan ikke læses som CSV.") from error


def _excel_rows(content: bytes) -> Iterator[list[str]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST_UNPACKED:
                raise ImportRefusedError("Excel-filen fylder for meget, når den er pakket ud.")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except ImportRefusedError:
        raise
    except Exception as error:  # openpyxl raises whatever its parts raise when a file is broken
        raise ImportRefusedError(
            "Filen kan ikke læses som Excel. Gem rapporten som .xlsx og prøv igen."
        ) from error
    try:
        sheet = book.worksheets[0] if book.worksheets else None
        if sheet is None:
            raise ImportRefusedError("Excel-filen har intet ark.")
        for row in sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS):
            yield [_text(cell) for cell in row]
    finally:
        book.close()


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return f"{cell:%Y-%m}"  # "Okt-2017" is taken for a date by Excel itself
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
