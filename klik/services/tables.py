"""The list as files: CSV and Excel with the same columns, made for a Danish Excel and safe to open.

Rows are read in portions and written as they come, so that memory does not grow with their number.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from datetime import date
from itertools import islice
from typing import BinaryIO

import xlsxwriter
from sqlalchemy import select

from klik.domain.texts import file_name
from klik.models import MunicipalTaskField
from klik.plugins.contributions import ExtraField
from klik.services import listing
from klik.services.errors import RefusedError
from klik.services.filtering import Selection
from klik.services.filters import PRIORITIES, YES_NO
from klik.services.listing import TaskRow
from klik.services.work import Work

MOST_ROWS = 100_000
WHAT, PAST_WHAT = "Opgaver", "Opgaver, som de stod"
PORTION = 500
COLUMNS = (
    "Nummer",
    "Titel",
    "Projekt",
    "System",
    "Kommune",
    "Kommunekode",
    "Fase",
    "Tema",
    "Prioritet",
    "Startdato",
    "Deadline",
    "Farve",
    "Status",
    "Ansvarlig",
    "Udfører",
    "STS/Infrastruktur",
    "Fuldført",
    "Lokal",
    "Opgave-id",
)
Cell = str | int | date | None
Told = Callable[[int], None]
# What a spreadsheet takes for the beginning of a formula, full-width forms included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_WIDTHS = {"Titel": 60, "Fase": 18, "Tema": 28, "Projekt": 20, "Ansvarlig": 24, "Udfører": 24}


def headings(work: Work) -> tuple[str, ...]:
    """The first row: the fixed columns, then the plug-ins' extra fields."""
    return (*COLUMNS, *(extra.label for extra in work.registry.extra_fields.values()))


def cells(work: Work, selection: Selection) -> Generator[tuple[Cell, ...], None, None]:
    """One tuple a task, in the order of ``headings``; dates are dates. One statement more for each 500 rows."""
    extras = tuple(work.registry.extra_fields.values())
    with closing(listing.every_row(work, selection)) as rows:
        while portion := list(islice(rows, PORTION)):
            fields = _fields(work, [row.id for row in portion]) if extras else {}
            for row in portion:
                yield _cells(work, row, extras, fields.get(row.id, {}))


def _cells(
    work: Work, row: TaskRow, extras: Sequence[ExtraField], own: Mapping[str, str]
) -> tuple[Cell, ...]:
    content = work.registry.content
    return (
        row.number,
        row.title,
        row.project,
        row.system,
        row.municipality,
        f"{row.municipality_id:03d}",
        content.phase(row.phase).name,
        content.theme(row.theme).name,
        PRIORITIES.get(row.priority, row.priority),
        row.start,
        row.deadline,
        row.colour.label if row.colour else None,
        row.status.label,
        row.responsible,
        row.executor,
        YES_NO["ja" if row.infrastructure else "nej"],
        row.completed_on,
        YES_NO["ja" if row.local else "nej"],
        row.id,
        *(_word(extra, own.get(extra.key)) for extra in extras),
    )


def _unheard(_done: int) -> None:
    """For whoever does not ask how far it is."""


def write_csv(work: Work, selection: Selection, file: BinaryIO, told: Told = _unheard) -> None:
    """UTF-8 with a byte order mark, semicolons, dates as 2026-11-21; no cell can be taken for a formula.

    ``told`` hears how many rows are written, after every 500.
    """
    out = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([harmless(heading) for heading in headings(work)])
    # Closed also when ``told`` raises: PostgreSQL keeps a cursor open meanwhile.
    with closing(cells(work, selection)) as rows:
        for done, row in enumerate(rows, start=1):
            writer.writerow([_text(cell) for cell in row])
            if done % PORTION == 0:
                told(done)
    out.flush()
    out.detach()


def write_xlsx(work: Work, selection: Selection, file: BinaryIO, told: Told = _unheard) -> None:
    """An Excel workbook: real dates, a frozen first row with a filter, and text that is always text.

    ``told`` hears how many rows are written, after every 500.
    """
    options = {"constant_memory": True, "default_date_format": "dd-mm-yyyy"}
    # Closed also when ``told`` raises, so that its temporary file is not left behind.
    with closing(xlsxwriter.Workbook(file, options)) as book:
        _fill(work, selection, book, told)


def _fill(work: Work, selection: Selection, book: xlsxwriter.Workbook, told: Told) -> None:
    book.set_properties({"title": "Opgaver", "author": "klik", "created": work.now.replace(tzinfo=None)})
    sheet = book.add_worksheet("Opgaver")
    first = headings(work)
    head = book.add_format({"bold": True, "bottom": 1})
    day = book.add_format({"num_format": "dd-mm-yyyy"})
    for place, heading in enumerate(first):
        sheet.set_column(place, place, _WIDTHS.get(heading, max(12, len(heading) + 4)))
        sheet.write_string(0, place, heading, head)
    last = 0
    with closing(cells(work, selection)) as rows:
        for last, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(last, place, cell, day)
                elif isinstance(cell, int):
                    sheet.write_number(last, place, cell)
                elif cell:
                    sheet.write_string(last, place, cell)
            if last % PORTION == 0:
                told(last)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, last, len(first) - 1)


WRITERS: Mapping[str, Callable[..., None]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
}


def require_reasonable(total: int) -> None:
    """Raise RefusedError when a file would hold more rows than can be made while somebody waits."""
    if total > MOST_ROWS:
        counted = f"{total:,}".replace(",", ".")
        most = f"{MOST_ROWS:,}".replace(",", ".")
        raise RefusedError(
            {
                "filter": f"Filteret giver {counted} opgaver. Der kan højst hentes {most} ad gangen; afgræns det."
            }
        )


def named(work: Work, extension: str, what: str = "Opgaver") -> str:
    """The name to save a file under: Opgaver Køge 2026-11-21.csv"""
    place = work.actor.place if work.actor else ""
    return file_name(f"{what} {place} {work.today.isoformat()}", extension)


def harmless(text: str) -> str:
    """The text with an apostrophe before it when a spreadsheet would calculate it (OWASP WSTG-INPV-21)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(cell: Cell) -> str:
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else harmless(str(cell))


def _fields(work: Work, task_ids: Sequence[int]) -> Mapping[int, Mapping[str, str]]:
    rows = work.session.execute(
        select(
            MunicipalTaskField.municipal_task_id, MunicipalTaskField.field, MunicipalTaskField.value
        ).where(MunicipalTaskField.municipal_task_id.in_(task_ids))
    )
    found: dict[int, dict[str, str]] = {}
    for task_id, field, value in rows:
        found.setdefault(task_id, {})[field] = value
    return found


def _word(extra: ExtraField, value: str | None) -> str | None:
    return next((choice.label for choice in extra.choices if choice.value == value), value)
