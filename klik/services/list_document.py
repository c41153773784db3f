"""The filtered list as a document to be drawn: the same rows as on the screen and in Excel."""

from __future__ import annotations

from klik.domain import proof_codes
from klik.services import access, filtering, listing, vocabulary
from klik.services.documents import ListDocument
from klik.services.errors import RefusedError
from klik.services.filtering import Selection
from klik.services.listing import TaskRow
from klik.services.tasks import exporting
from klik.services.work import Work

# Drawing costs 3 to 7 ms a row; beyond this nobody wants paper.
MOST_ROWS = 5_000


def collect(work: Work, selection: Selection) -> ListDocument:
    """The document of every row; raises RefusedError beyond 5.000 rows. Writes nothing."""
    total = listing.count(work, selection).total
    if total > MOST_ROWS:
        most = f"{MOST_ROWS:,}".replace(",", ".")
        raise RefusedError(
            {
                "filter": f"Filteret giver {total} opgaver. En PDF kan højst have {most}; "
                "afgræns filteret, eller hent listen som Excel."
            }
        )
    actor = work.actor
    several = actor is None or actor.municipality_id is None
    named = access.sees_people(work)
    columns = (
        "Nummer",
        "Opgave",
        *(("Kommune",) if several else ()),
        "Projekt",
        "Fase",
        "Deadline",
        "Farve",
        "Status",
        *(("Ansvarlig", "Udfører") if named else ()),
    )
    return ListDocument(
        title="Opgaver",
        criteria=criteria_in_words(work, selection),
        columns=columns,
        rows=tuple(_row(work, row, several, named) for row in listing.every_row(work, selection)),
        exported_at=work.now,
        exported_by=f"{actor.name}, {actor.place}" if actor else "klik",
        identifier=proof_codes.anew(),
        municipality=actor.place if actor and not several else "",
    )


def criteria_in_words(work: Work, selection: Selection) -> tuple[str, ...]:
    """What was filtered by, one sentence a value; without "Vis fuldførte" the closed tasks are left out."""
    words = vocabulary.read(work, [selection.criteria])
    found = tuple(
        f"{work.registry.filters[key].label}: {filtering.label(work.registry, words, key, value)}"
        for key, value in selection.criteria.pairs()
    )
    return found if selection.criteria.shows_completed else (*found, "Fuldførte opgaver er ikke med")


def _row(work: Work, row: TaskRow, several: bool, named: bool) -> tuple[object, ...]:
    return (  # type: ignore[return-value]
        row.number or exporting.LOCAL_NUMBER,
        row.title,
        *((row.municipality,) if several else ()),
        row.project,
        work.registry.content.phase(row.phase).name,
        row.deadline,
        row.colour.label if row.colour else None,
        row.status.label,
        *((_who(work, row, "responsible"), _who(work, row, "executor")) if named else ()),
    )


def _who(work: Work, row: TaskRow, field: str) -> str | None:
    person, role = getattr(row, field), getattr(row, f"{field}_role")
    if person or role is None:
        return person
    name = work.registry.content.role(role).name
    holder = getattr(row, f"{field}_holder")
    return f"{name}: {holder}" if holder else f"{name} (ubesat)"
