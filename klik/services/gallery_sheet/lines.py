"""One line of the sheet for each holder of a role, and one for each role that nobody holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from klik.domain.calendar import short_date
from klik.services.holders import HOLDER, SUBSTITUTE
from klik.services.roles import gallery as role_gallery
from klik.services.roles.gallery import Gallery, Holding, Slot
from klik.services.work import Work
from klik.services.workbooks import Shape

SHEET = "Roller"
MOST_ROWS = 5_000
SHAPE = Shape(SHEET, MOST_ROWS, "indehaver", "galleriet", "rollegalleriet, som klik henter det")
ROLE, SYSTEM, NAME, ADDRESS, PHONE, MAILBOX = (
    "Rolle",
    "System",
    "Indehaver",
    "Mailadresse",
    "Telefon",
    "Fællespostkasse",
)
KIND, PRIMARY, FROM, TO, CONFIRMED, NOTE, PLACE = (
    "Som",
    "Primær",
    "Fra",
    "Til",
    "Bekræftet",
    "Note",
    "Kommune",
)
HEADINGS = (ROLE, SYSTEM, NAME, ADDRESS, PHONE, MAILBOX, KIND, PRIMARY, FROM, TO, CONFIRMED, NOTE, PLACE)
REQUIRED = (ROLE, SYSTEM, NAME, ADDRESS, MAILBOX)
KINDS = {HOLDER: "Indehaver", SUBSTITUTE: "Stedfortræder"}
YES, NO = "Ja", "Nej"


@dataclass(frozen=True, slots=True)
class Line:
    """What stands in the sheet of one holder, or of a role without any; ``cells`` in the order of the headings."""

    slot: Slot
    holding: Holding | None
    cells: tuple[str, ...]


def of(work: Work, municipality_id: int) -> tuple[Gallery, tuple[Line, ...]]:
    """The municipality's gallery and its lines; raises NotFoundError for one not the actor's to see."""
    gallery = role_gallery.of(work, municipality_id)
    return gallery, tuple(_lines(gallery))


def stamp(lines: tuple[Line, ...]) -> str:
    """What differs as soon as anything in the sheet would."""
    text = "\n".join("\t".join((str(line.holding.id if line.holding else 0), *line.cells)) for line in lines)
    return hashlib.sha256(text.encode()).hexdigest()


def _lines(gallery: Gallery) -> Iterator[Line]:
    for slot in gallery.slots:
        held = (*slot.holders, *slot.substitutes, *slot.coming)
        for holding in held:
            yield Line(slot, holding, _cells(gallery, slot, holding))
        if not held and not slot.role.is_retired:
            yield Line(slot, None, _cells(gallery, slot, None))


def _cells(gallery: Gallery, slot: Slot, holding: Holding | None) -> tuple[str, ...]:
    place = (slot.role.name, slot.system_name or "")
    if holding is None:
        return (*place, *[""] * (len(HEADINGS) - 3), gallery.municipality)
    person = ("", "", "") if holding.is_mailbox else (holding.name, holding.address, holding.phone or "")
    confirmed = holding.confirmed_on()
    return (
        *place,
        *person,
        holding.address if holding.is_mailbox else "",
        KINDS[holding.kind],
        YES if holding.primary else NO,
        short_date(holding.valid_from),
        short_date(holding.valid_to) if holding.valid_to else "",
        short_date(confirmed) if confirmed else "",
        holding.note or "",
        gallery.municipality,
    )
