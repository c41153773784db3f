"""KOMBIT's account of a deletion as a file: a line a municipality, the same numbers and words as on the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from klik.domain.deadlines import danish_today
from klik.models import Deletion
from klik.services import small_tables
from klik.services.deleting.progress import PROGRESS_WORDS, Standing
from klik.services.deleting.reaching import Contact
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
    """The account for a Danish Excel."""
    return small_tables.as_csv(HEADINGS, lines(deletion, standing, contacts))


def as_xlsx(work: Work, deletion: Deletion, standing: Standing, contacts: Mapping[int, Contact]) -> bytes:
    """The account as an Excel workbook."""
    rows = lines(deletion, standing, contacts)
    return small_tables.as_xlsx("Regnskab for sletning", "Sletning", work.now, HEADINGS, rows, width=15)
