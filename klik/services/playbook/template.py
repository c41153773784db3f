"""The empty drejebog: the headings, the choices of each column as drop-downs, and one row as an example."""

from __future__ import annotations

import io
from contextlib import closing

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from klik.services.playbook.columns import EXAMPLE, REQUIRED, columns
from klik.services.playbook.sheet import MOST_ROWS, SHEET
from klik.services.work import Work

CHOICES = "Valg"
_WIDE = {"Titel": 40, "Formål": 40, "Beskrivelse": 60, "Forudsætninger": 40, "Sådan løses opgaven": 60}
_EXAMPLE = {
    "title": f"{EXAMPLE} Udpeg systemansvarlig",
    "purpose": "Kommunen har én, der kan følge idriftsættelsen. Slet denne række, før drejebogen indlæses.",
    "recipients": "system",
    "description": "Udpeg en systemansvarlig, og besæt rollen i klik.",
    "result": "Rollen er besat.",
    "deadline_parameter": "2",
}


def empty(work: Work) -> bytes:
    """The workbook to fill in, for the projects, roles, rules and fields there are now."""
    buffer = io.BytesIO()
    with closing(xlsxwriter.Workbook(buffer, {"in_memory": True})) as book:
        book.set_properties({"title": "Drejebog", "author": "klik", "created": work.now.replace(tzinfo=None)})
        _fill(work, book)
    return buffer.getvalue()


def _fill(work: Work, book: xlsxwriter.Workbook) -> None:
    sheet, lists = book.add_worksheet(SHEET), book.add_worksheet(CHOICES)
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    needed = book.add_format(
        {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#e5f4f6"}
    )
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    for place, column in enumerate(columns(work)):
        sheet.set_column(place, place, _WIDE.get(column.heading, max(14, len(column.heading))), text)
        sheet.write_string(0, place, column.heading, needed if column.name in REQUIRED else head)
        lists.write_string(0, place, column.heading, head)
        labels = list(column.choices.values())
        for row, label in enumerate(labels, start=1):
            lists.write_string(row, place, label)
        example = _EXAMPLE.get(column.name) or (labels[0] if labels and column.name in REQUIRED else "")
        if column.name == "deadline_rule":
            example = column.choices[column.empty]
        if example:
            sheet.write_string(1, place, example, text)
        if labels:
            letter = xl_col_to_name(place)
            sheet.data_validation(
                1,
                place,
                MOST_ROWS,
                place,
                {
                    "validate": "list",
                    "source": f"={CHOICES}!${letter}$2:${letter}${len(labels) + 1}",
                    "error_title": column.heading[:32],
                    "error_message": "Vælg en af mulighederne på listen.",
                },
            )
    sheet.freeze_panes(1, 0)
    lists.protect()
