"""The workbook itself: the lines of a gallery as text cells, with the choices of its columns as drop-downs."""

from __future__ import annotations

import io
from contextlib import closing

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from klik.services.gallery_sheet import lines
from klik.services.work import Work

_WIDE = {
    lines.ROLE: 34,
    lines.NAME: 26,
    lines.ADDRESS: 32,
    lines.MAILBOX: 32,
    lines.NOTE: 40,
    lines.PHONE: 16,
    lines.KIND: 16,
}
_CHOICES = {lines.KIND: list(lines.KINDS.values()), lines.PRIMARY: [lines.YES, lines.NO]}


def workbook(work: Work, municipality_id: int) -> bytes:
    """The municipality's gallery as an .xlsx; raises NotFoundError for one not the actor's to see.

    Every cell is text, so that no name is taken for a formula and no telephone number loses its first nought.
    """
    gallery, found = lines.of(work, municipality_id)
    out = io.BytesIO()
    with closing(xlsxwriter.Workbook(out, {"in_memory": True})) as book:
        book.set_properties(
            {
                "title": f"Rollegalleri for {gallery.municipality}",
                "author": "klik",
                "created": work.now.replace(tzinfo=None),
            }
        )
        sheet = book.add_worksheet(lines.SHEET)
        head = book.add_format({"bold": True, "bottom": 1, "valign": "top"})
        text = book.add_format({"num_format": "@", "valign": "top"})
        vacant = book.add_format({"num_format": "@", "valign": "top", "bg_color": "#fff3cd"})
        for place, heading in enumerate(lines.HEADINGS):
            sheet.set_column(place, place, _WIDE.get(heading, 14), text)
            sheet.write_string(0, place, heading, head)
            if heading in _CHOICES:
                letter = xl_col_to_name(place)
                sheet.data_validation(
                    f"{letter}2:{letter}{lines.MOST_ROWS + 1}",
                    {"validate": "list", "source": _CHOICES[heading], "ignore_blank": True},
                )
        for row, line in enumerate(found, start=1):
            for place, cell in enumerate(line.cells):
                if line.holding is None:
                    sheet.write_string(row, place, cell, vacant)
                elif cell:
                    sheet.write_string(row, place, cell, text)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, max(1, len(found)), len(lines.HEADINGS) - 1)
    return out.getvalue()
