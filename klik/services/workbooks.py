"""The rows of an uploaded workbook: values only, from a file that is looked over before it is opened."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from klik.domain import filetypes
from klik.domain.errors import InputError
from klik.plugins.contributions import ImportRefusedError

LARGEST_FILE = 10 * 1024 * 1024
LARGEST_UNPACKED = 60 * 1000 * 1000
MOST_COLUMNS = 60
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z0-9:]{1,20})"')
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_PIECE, _OVERLAP = 1 << 20, 200


@dataclass(frozen=True, slots=True)
class Shape:
    """What a workbook is to look like: its sheet's name, how many rows it may have, and the words for a row.

    ``row`` is what a row stands for ("opgave"), ``book`` the whole ("drejebogen"), ``model`` where to begin.
    """

    sheet: str
    most_rows: int
    row: str
    book: str
    model: str = "den tomme skabelon"


@dataclass(frozen=True, slots=True)
class Row:
    """One row that says something: its number in the sheet, its cells as text, and what is wrong by column."""

    number: int
    cells: tuple[str, ...]
    problems: tuple[tuple[int, str], ...]


def address(column: int, row: int) -> str:
    """ "E7" for the fifth column (4) of row 7."""
    return f"{get_column_letter(column + 1)}{row}"


def rows_of(content: bytes, name: str, shape: Shape) -> tuple[Row, ...]:
    """Every row with something in it, the heading first; raises ImportRefusedError with a Danish sentence."""
    _look_over(content, name, shape)
    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
    except Exception as error:  # openpyxl raises whatever its parts raise when a file is broken
        raise ImportRefusedError("Filen kan ikke læses som Excel. Gem den igen som .xlsx.") from error
    try:
        return tuple(_rows(book, shape))
    except ImportRefusedError:
        raise
    except Exception as error:
        raise ImportRefusedError(
            "Filen er beskadiget. Åbn den i Excel, og gem den igen som .xlsx."
        ) from error
    finally:
        book.close()


def _look_over(content: bytes, name: str, shape: Shape) -> None:
    ending = filetypes.extension(name)
    if ending == "xls":
        raise ImportRefusedError("Filen er fra et gammelt Excel (.xls). Gem den som .xlsx, og prøv igen.")
    if ending in ("xlsm", "xltm", "xlsb"):
        raise ImportRefusedError(f"En fil “.{ending}” kan rumme makroer. Gem den som .xlsx, og prøv igen.")
    if ending != "xlsx":
        raise ImportRefusedError("Vælg en Excel-fil, der ender på .xlsx.")
    if len(content) > LARGEST_FILE:
        raise ImportRefusedError(f"Filen må højst fylde {LARGEST_FILE // 1024 // 1024} MB.")
    try:
        filetypes.check("regneark.xlsx", content)
    except InputError as error:
        raise ImportRefusedError(str(error)) from error
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        unpacked = sum(member.file_size for member in package.infolist())
        if unpacked > LARGEST_UNPACKED:
            raise ImportRefusedError(
                f"Filen fylder {unpacked // 1_000_000} MB pakket ud og må højst fylde "
                f"{LARGEST_UNPACKED // 1_000_000} MB."
            )
        for member in package.infolist():
            _look_through(package, member, shape)


def _look_through(package: zipfile.ZipFile, member: zipfile.ZipInfo, shape: Shape) -> None:
    """Refuse what such a sheet has no use for: entities, and merged cells, whose other cells read as empty."""
    is_sheet = member.filename.startswith("xl/worksheets/")
    if not member.filename.endswith((".xml", ".rels")):
        return
    before = b""
    try:
        with package.open(member) as part:
            while piece := part.read(_PIECE):
                seen = before + piece
                if _ENTITIES.search(seen):
                    raise ImportRefusedError(
                        "Filen rummer noget, Excel ikke selv skriver. Gem den igen fra Excel."
                    )
                if is_sheet and (merged := _MERGED.search(seen)):
                    raise ImportRefusedError(
                        f"Cellerne {merged[1].decode()} er flettet. Ophæv fletningen, så hver {shape.row} har sin egen "
                        "række og hvert felt sin egen celle."
                    )
                before = seen[-_OVERLAP:]
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise ImportRefusedError(
            "Filen er beskadiget. Åbn den i Excel, og gem den igen som .xlsx."
        ) from error


def _rows(book: Any, shape: Shape) -> Iterator[Row]:
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    sheet = sheets.get(shape.sheet) or next(iter(sheets.values()), None)
    if sheet is None:
        raise ImportRefusedError("Filen har intet ark.")
    if sheet.sheet_state != "visible":
        raise ImportRefusedError(f"Arket “{sheet.title}” er skjult. Vis det i Excel, og gem filen igen.")
    sheet.reset_dimensions()  # a file may say that it is smaller than it is
    found = 0
    for number, cells in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS + 1), start=1):
        if all(cell.value is None or cell.value == "" for cell in cells):
            continue
        found += 1
        if found > shape.most_rows + 1:
            most = f"{shape.most_rows:,}".replace(",", ".")
            raise ImportRefusedError(f"Arket har over {most} rækker. Del {shape.book} i flere filer.")
        if len(cells) > MOST_COLUMNS and cells[MOST_COLUMNS].value is not None:
            raise ImportRefusedError(f"Arket har over {MOST_COLUMNS} kolonner. Brug {shape.model}.")
        read = [_text(cell) for cell in cells]
        yield Row(
            number,
            tuple(text for text, _problem in read),
            tuple((place, problem) for place, (_text, problem) in enumerate(read) if problem),
        )


def _text(cell: Any) -> tuple[str, str]:
    """The cell as it would be typed in the form, and what is wrong with it."""
    value, kind = cell.value, getattr(cell, "data_type", "n")
    if value is None:
        return "", ""
    if kind == "f":
        return "", "der står en formel. Skriv selve værdien."
    if kind == "e":
        return "", f"der står en fejl fra Excel ({value})."
    if isinstance(value, bool):
        return ("Ja" if value else "Nej"), ""
    if isinstance(value, datetime):
        return (
            value.date().isoformat(),
            "" if value.time() == time() else "der står et klokkeslæt. Skriv datoen.",
        )
    if isinstance(value, date):
        return value.isoformat(), ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value)), ""
    if isinstance(value, int | str):
        return str(value), ""
    return "", "der står hverken en tekst, et helt tal eller en dato."
