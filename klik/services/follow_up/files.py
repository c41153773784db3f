"""The map as a file: the same rows and numbers as on the page, as CSV and for Excel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from klik.services import small_tables
from klik.services.follow_up.heat_map import Cell, HeatMap, Row
from klik.services.follow_up.measures import WORDS, Column
from klik.services.follow_up.tempo import Promise
from klik.services.small_tables import Value
from klik.services.work import Work


def headings(work: Work, measures: Sequence[Column]) -> tuple[str, ...]:
    """The first row; four columns a phase, two a measure."""
    names = [phase.name for phase in work.registry.content.phases]
    numbers = ("opgaver", "fuldført", "røde", "gule")
    return (
        *("Kommunekode", "Kommune", "Region", "Bølge", "Har systemet"),
        *(f"{name}: {number}" for name in (*names, "I alt") for number in numbers),
        *("Stille i dage", "Senest skrevet til", "Prognose"),
        *(name for each in measures for name in (each.label, f"{each.label} i ord")),
    )


def lines(
    work: Work, drawn: HeatMap, promises: Mapping[int, Promise], measures: Sequence[Column]
) -> Iterator[tuple[Value, ...]]:
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
            *(value for each in measures for value in _mark(each, row)),
        )


def _mark(measure: Column, row: Row) -> tuple[Value, Value]:
    mark = measure.mark(row)
    return (WORDS[mark.state], mark.text) if mark else (None, None)


def _silent(row: Row) -> Value:
    if not row.silent or row.signs is None:
        return None
    return row.signs.days if row.signs.days is not None else row.signs.words


def as_csv(
    work: Work, drawn: HeatMap, promises: Mapping[int, Promise], measures: Sequence[Column] = ()
) -> bytes:
    """The overview for a Danish Excel."""
    return small_tables.as_csv(headings(work, measures), lines(work, drawn, promises, measures))


def as_xlsx(
    work: Work, drawn: HeatMap, promises: Mapping[int, Promise], measures: Sequence[Column] = ()
) -> bytes:
    """The overview as an Excel workbook."""
    rows = lines(work, drawn, promises, measures)
    return small_tables.as_xlsx("Overblik", "Overblik", work.now, headings(work, measures), rows, width=14)
