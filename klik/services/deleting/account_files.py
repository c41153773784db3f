"""KOMBIT's account of a deletion as a file: a line a municipality, the same numbers and words as on the page."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import closing

import xlsxwriter

from klik.domain.deadlines import danish_today
from klik.models import Deletion
from klik.services.deleting.progress import PROGRESS_WORDS, Standing
from klik.services.deleting.reaching import Contact
from klik.services.tables import harmless
from klik.services.work import Work

HEADINGS = (
    "Kommunekode",
    "Kommune",
    "Så langt er kommunen",
    "Opgaver",
    "Varslet",
    "Hentet",
    "Kvitteret",
    "Arkiveret",
    "Slettet",
    "Beder om at beholde",
    "Beholder",
    "Varsel nået frem",
    "Hvorfor varslet ikke er nået frem",
    "Senest kontakt",
    "Sidste dag",
)
Value = str | int | None


def lines(
    deletion: Deletion, standing: Standing, contacts: Mapping[int, Contact]
) -> Iterator[tuple[Value, ...]]:
    """A line a municipality by name, in the columns of ``HEADINGS``."""
    for row in standing.municipalities:
        contact = contacts.get(row.code, Contact())
        yield (
            f"{row.code:03d}",
            row.name,
            PROGRESS_WORDS[row.progress],
            row.total,
            row.announced,
            row.fetched,
            row.receipted,
            row.archived,
            row.erased,
            row.asked,
            row.kept,
            danish_today(contact.told_at).isoformat() if contact.told_at else None,
            None if row.told else contact.why,
            danish_today(contact.last_at).isoformat() if contact.last_at else None,
            deletion.last_day.isoformat(),
        )


def as_csv(deletion: Deletion, standing: Standing, contacts: Mapping[int, Contact]) -> bytes:
    """UTF-8 with a byte order mark and semicolons, for a Danish Excel; no cell is taken for a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for line in lines(deletion, standing, contacts):
        writer.writerow(["" if each is None else harmless(str(each)) for each in line])
    return out.getvalue().encode("utf-8-sig")


def as_xlsx(work: Work, deletion: Deletion, standing: Standing, contacts: Mapping[int, Contact]) -> bytes:
    """An Excel workbook: numbers are numbers, the first row and the names stay in sight."""
    out = io.BytesIO()
    with closing(xlsxwriter.Workbook(out, {"in_memory": True})) as book:
        made = work.now.replace(tzinfo=None)
        book.set_properties({"title": "Regnskab for sletning", "author": "klik", "created": made})
        sheet = book.add_worksheet("Sletning")
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        sheet.set_column(0, len(HEADINGS) - 1, 15)
        for place, heading in enumerate(HEADINGS):
            sheet.write_string(0, place, heading, head)
        last = 0
        for last, line in enumerate(lines(deletion, standing, contacts), start=1):
            for place, value in enumerate(line):
                if isinstance(value, int):
                    sheet.write_number(last, place, value)
                elif value:
                    sheet.write_string(last, place, value)
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, last, len(HEADINGS) - 1)
    return out.getvalue()
