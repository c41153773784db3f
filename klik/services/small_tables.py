"""A table of some hundred rows as a file: CSV for a Danish Excel, or an Excel workbook."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import datetime

import xlsxwriter

from klik.services.tables import harmless

Value = str | int | None


def as_csv(headings: Sequence[str], lines: Iterable[Sequence[Value]]) -> bytes:
    """UTF-8 with a byte order mark and semicolons; no cell is taken for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(headings)
    for line in lines:
        writer.writerow(["" if each is None else harmless(str(each)) for each in line])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(
    title: str,
    sheet_name: str,
    made: datetime,
    headings: Sequence[str],
    lines: Iterable[Sequence[Value]],
    *,
    width: int,
) -> bytes:
    """Numbers are numbers, the first row and the first two columns stay in sight; ``width`` in characters."""
    out = io.BytesIO()
    with closing(xlsxwriter.Workbook(out, {"in_memory": True})) as book:
        book.set_properties({"title": title, "author": "klik", "created": made.replace(tzinfo=None)})
        sheet = book.add_worksheet(sheet_name)
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        sheet.set_column(0, len(headings) - 1, width)
        for place, heading in enumerate(headings):
            sheet.write_string(0, place, heading, head)
        last = 0
        for last, line in enumerate(lines, start=1):
            for place, value in enumerate(line):
                if isinstance(value, int):
                    sheet.write_number(last, place, value)
                elif value:
                    sheet.write_string(last, place, value)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, last, len(headings) - 1)
    return out.getvalue()
