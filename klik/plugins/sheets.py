"""Rows of text out of a file that was saved as CSV or as Excel, and an Excel file of rows."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO

import openpyxl
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from klik.plugins.contributions import ImportRefusedError

LARGEST_FILE = 10 * 1024 * 1024
LARGEST_UNPACKED = 60 * 1024 * 1024
MOST_ROWS = 20_000
MOST_COLUMNS = 30
LONGEST_CELL = 500


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet to be written: its name (at most 31 characters), its rows, and how many of them are headings."""

    name: str
    rows: Sequence[Sequence[str | int | float | date | None]]
    headings: int = 1


def rows_of(file: BinaryIO, name: str, *, days_as: str = "%Y-%m-%d") -> tuple[tuple[str, ...], ...]:
    """Every row of a CSV file or of the first sheet, as trimmed texts; row 1 of the file comes first.

    ``days_as`` is how a cell that Excel holds for a date is written. Raises ImportRefusedError, in Danish.
    """
    return next(iter(sheets_of(file, name, days_as=days_as).values()))


def sheets_of(
    file: BinaryIO, name: str, *, days_as: str = "%Y-%m-%d"
) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """The rows of every sheet by its name; a CSV file has one, without a name. Raises ImportRefusedError."""
    content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ImportRefusedError(f"Filen er over {LARGEST_FILE // 1024 // 1024} MB.")
    if not content.strip():
        raise ImportRefusedError("Filen er tom.")
    if not content.startswith(b"PK"):
        return {"": _trimmed(_csv_rows(content, name), MOST_ROWS)}
    book = _book(content)
    try:
        found: dict[str, tuple[tuple[str, ...], ...]] = {}
        left = MOST_ROWS
        for sheet in book.worksheets:
            rows = sheet.iter_rows(values_only=True, max_col=MOST_COLUMNS)
            found[sheet.title] = _trimmed(([_text(cell, days_as) for cell in row] for row in rows), left)
            left -= len(found[sheet.title])
    finally:
        book.close()
    if not found:
        raise ImportRefusedError("Excel-filen har intet ark.")
    return found


def workbook(sheets: Iterable[Sheet]) -> bytes:
    """An Excel file of the sheets: headings in bold, columns as wide as their words, and no cell a formula."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for sheet in sheets:
        page = book.create_sheet(sheet.name[:31])
        for number, row in enumerate(sheet.rows, start=1):
            for column, value in enumerate(row, start=1):
                cell = page.cell(number, column, value)
                cell.alignment = Alignment(wrap_text=True, vertical="top")
                if isinstance(value, str):
                    cell.data_type = "s"  # "=1+1" typed by somebody stays what was typed
                if number <= sheet.headings:
                    cell.font = Font(bold=True)
        for column in range(1, max((len(row) for row in sheet.rows), default=0) + 1):
            longest = max(
                (len(str(row[column - 1] or "")) for row in sheet.rows if len(row) >= column), default=0
            )
            page.column_dimensions[get_column_letter(column)].width = min(max(longest + 2, 10), 60)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def _trimmed(rows: Iterable[Sequence[str]], most: int) -> tuple[tuple[str, ...], ...]:
    found: list[tuple[str, ...]] = []
    for row in rows:
        if len(found) >= most:
            raise ImportRefusedError(f"Filen har over {MOST_ROWS} rækker.")
        found.append(tuple(cell.strip()[:LONGEST_CELL] for cell in row[:MOST_COLUMNS]))
    return tuple(found)


def _csv_rows(content: bytes, name: str) -> Iterator[list[str]]:
    if b"\0" in content:
        raise ImportRefusedError("Filen er hverken CSV eller Excel (.xlsx). Gem den som en af dem.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    separator = max(";\t,|", key=text[:20_000].count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except csv.Error as error:
        raise ImportRefusedError(f"{name or 'Filen'} kan ikke læses som CSV.") from error


def _book(content: bytes) -> openpyxl.Workbook:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST_UNPACKED:
                raise ImportRefusedError("Excel-filen fylder for meget, når den er pakket ud.")
        return openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except ImportRefusedError:
        raise
    except Exception as error:  # openpyxl raises whatever its parts raise when a file is broken
        raise ImportRefusedError(
            "Filen kan ikke læses som Excel. Gem den som .xlsx, og prøv igen."
        ) from error


def _text(cell: Any, days_as: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.strftime(days_as)
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)
