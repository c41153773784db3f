"""The map as a file: the same rows and numbers as on the page, as CSV and for Excel."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import closing

import xlsxwriter

from klik.services.follow_up.heat_map import Cell, HeatMap, Row
from klik.services.follow_up.tempo import Promise
from klik.services.tables import harmless
from klik.services.work import Work

Value = str | int | None


def headings(work: Work) -> tuple[str, ...]:
    """The first row; four columns a phase."""
    names = [phase.name for phase in work.registry.content.phases]
    numbers = ("opgaver", "fuldført", "røde", "gule")
    return (
        *("Kommunekode", "Kommune", "Region", "Bølge", "Har systemet"),
        *(f"{name}: {number}" for name in (*names, "I alt") for number in numbers),
        *("Stille i dage", "Senest skrevet til", "Prognose"),
    )


def lines(work: Work, drawn: HeatMap, promises: Mapping[int, Promise]) -> Iterator[tuple[Value, ...]]:
    """A line a municipality in the order of the page, in the columns of ``headings``."""
    phases = [phase.slug for phase in work.registry.content.phases]
    for row in drawn.rows:
        place = row.place
        cells = [row.cells.get(phase, Cell()) for phase in phases]
        promise = promises.get(place.code)
        yield (
            f"{place.code:03d}",
            place.name,
            place.region,
            place.wave,
            None if place.has_system is None else "Ja" if place.has_system else "Nej",
            *(n for cell in (*cells, row.sum) for n in (cell.total, cell.completed, cell.red, cell.yellow)),
            _silent(row),
            row.signs.written_at.date().isoformat() if row.signs and row.signs.written_at else None,
            promise.words if promise else None,
        )


def _silent(row: Row) -> Value:
    if not row.silent or row.signs is None:
        return None
    return row.signs.days if row.signs.days is not None else row.signs.words


def as_csv(work: Work, drawn: HeatMap, promises: Mapping[int, Promise]) -> bytes:
    """UTF-8 with a byte order mark and semicolons, for a Danish Excel; no cell is taken for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(headings(work))
    for line in lines(work, drawn, promises):
        writer.writerow(["" if each is None else harmless(str(each)) for each in line])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(work: Work, drawn: HeatMap, promises: Mapping[int, Promise]) -> bytes:
    """An Excel workbook: numbers are numbers, the first row and the names stay in sight."""
    out = io.BytesIO()
    first = headings(work)
    with closing(xlsxwriter.Workbook(out, {"in_memory": True})) as book:
        book.set_properties({"title": "Overblik", "author": "klik", "created": work.now.replace(tzinfo=None)})
        sheet = book.add_worksheet("Overblik")
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        sheet.set_column(0, len(first) - 1, 14)
        for place, heading in enumerate(first):
            sheet.write_string(0, place, heading, head)
        last = 0
        for last, line in enumerate(lines(work, drawn, promises), start=1):
            for place, value in enumerate(line):
                if isinstance(value, int):
                    sheet.write_number(last, place, value)
                elif value:
                    sheet.write_string(last, place, value)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, last, len(first) - 1)
    return out.getvalue()
