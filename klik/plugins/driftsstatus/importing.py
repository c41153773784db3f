"""Reading the status table: KOMBIT's own layout with a column a month, and a simple one with a row a figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from sqlalchemy import func, insert, select, update

from klik.plugins import (
    Importer,
    ImportRefusedError,
    ImportReport,
    ImportRow,
    PluginContext,
    PluginStore,
    Right,
    find_cpr_numbers,
)
from klik.plugins.driftsstatus.figures import long, month_of, number_of, percent_of
from klik.plugins.driftsstatus.months import touch
from klik.plugins.driftsstatus.tables import areas, figures
from klik.plugins.sheets import rows_of

SIMPLE = ("driftsområde", "måned", "sla-mål", "værdi")
NO_GOAL = ("n.a.", "na", "-", "")
LONGEST_NAME = 80
FEWEST_MONTHS = 2  # of which a heading with a column for each consists
SHIFTED = (
    "Overskriftens måneder står en kolonne for langt til venstre. De er læst, så den første måned hører til det "
    "første tal efter SLA-målet."
)


@dataclass(frozen=True, slots=True)
class AreaRow:
    """A row of a file: an area, its goal (None: it has none) and its figures by month."""

    number: int
    name: str
    goal: int | None
    figures: Mapping[str, int]


class RowError(Exception):
    """A row that cannot be used; the text is a Danish sentence."""


def parse(rows: Sequence[Sequence[str]]) -> tuple[list[AreaRow | ImportRow], tuple[str, ...]]:
    """Every row with figures, read or found wrong, and what is to be said; raises ImportRefusedError."""
    for number, row in enumerate(rows):
        words = [cell.casefold() for cell in row]
        if set(SIMPLE) <= set(words):
            return list(_simple(rows, number)), ()
        months = {place: month for place, cell in enumerate(row) if (month := month_of(cell))}
        if len(months) >= FEWEST_MONTHS:
            return _wide(rows, number, months)
    raise ImportRefusedError(
        "Filen ligner ikke en driftsstatus: der mangler en overskrift med måneder (okt-19, nov-19 …) eller med "
        "Driftsområde, Måned, SLA-mål og Værdi."
    )


def _wide(
    rows: Sequence[Sequence[str]], head: int, months: Mapping[int, str]
) -> tuple[list[AreaRow | ImportRow], tuple[str, ...]]:
    # The goal stands in the second column, so figures begin in the third; a heading whose months begin under the
    # goal is shifted by one, as in the seed's table for Støttesystemer.
    shift = 1 if min(months) == 1 else 0
    found: list[AreaRow | ImportRow] = []
    for number, row in enumerate(rows[head + 1 :], start=head + 2):
        if not row or not row[0] or not any(character.isdigit() for cell in row[1:] for character in cell):
            continue
        try:
            _refuse_cpr(row)
            goal = _goal(row[1] if len(row) > 1 else "")
            cells = {
                month: row[place + shift]
                for place, month in months.items()
                if place + shift < len(row) and row[place + shift]
            }
            values = {month: _value(cell, goal) for month, cell in cells.items()}
            found.append(AreaRow(number, _name(row[0]), goal, values))
        except RowError as error:
            found.append(ImportRow(number=number, outcome="forkert", text=str(error)))
    return found, (SHIFTED,) if shift else ()


def _simple(rows: Sequence[Sequence[str]], head: int) -> Iterator[AreaRow | ImportRow]:
    words = [cell.casefold() for cell in rows[head]]
    places = [words.index(word) for word in SIMPLE]
    for number, row in enumerate(rows[head + 1 :], start=head + 2):
        if not any(row):
            continue
        name, month_cell, goal_cell, value = (row[place] if place < len(row) else "" for place in places)
        try:
            _refuse_cpr(row)
            month = month_of(month_cell)
            if month is None:
                raise RowError(f"Måneden “{month_cell[:20]}” kan ikke læses; skriv fx sep-20.")
            goal = _goal(goal_cell)
            yield AreaRow(number, _name(name), goal, {month: _value(value, goal)})
        except RowError as error:
            yield ImportRow(number=number, outcome="forkert", text=str(error))


def _refuse_cpr(row: Sequence[str]) -> None:
    if find_cpr_numbers(" ".join(row)):
        raise RowError(
            "Rækken rummer noget, der ligner et CPR-nummer. Fjern det; klik gemmer ingen CPR-numre."
        )


def _name(cell: str) -> str:
    name = " ".join(cell.split())
    if not name or len(name) > LONGEST_NAME:
        raise RowError(f"Driftsområde: skriv et navn på højst {LONGEST_NAME} tegn.")
    return name


def _goal(cell: str) -> int | None:
    if cell.casefold().strip() in NO_GOAL:
        return None
    goal = percent_of(cell)
    if goal is None:
        raise RowError(f"SLA-målet “{cell[:20]}” er hverken en procent fra 0 til 100 eller n.a.")
    return goal


def _value(cell: str, goal: int | None) -> int:
    value = number_of(cell) if goal is None else percent_of(cell)
    if value is None:
        what = "et helt tal" if goal is None else "en procent fra 0 til 100"
        raise RowError(f"Tallet “{cell[:20]}” er ikke {what}.")
    return value


def read_into(system: str, file: BinaryIO, name: str, context: PluginContext) -> ImportReport:
    """Write a system's figures; months that the file does not name stay as they are."""
    store = context.store
    if store is None:
        raise ImportRefusedError("Indlæsningen kræver en database.")
    parsed, sentences = parse(rows_of(file, name, days_as="%Y-%m"))
    rows: list[ImportRow] = []
    taken: dict[tuple[str, str], int] = {}
    changed: set[str] = set()
    for row in parsed:
        if isinstance(row, ImportRow):
            rows.append(row)
            continue
        twice = next((taken[row.name, month] for month in row.figures if (row.name, month) in taken), None)
        if twice is not None:
            text = f"{row.name}: måneden står også i række {twice}."
            rows.append(ImportRow(number=row.number, outcome="forkert", text=text))
            continue
        taken |= {(row.name, month): row.number for month in row.figures}
        rows.append(_store(store, system, row))
        if rows[-1].outcome != "uændret":
            changed |= row.figures.keys()
    for month in sorted(changed):
        touch(store, system, month)
    return ImportReport(rows=tuple(rows), sentences=sentences)


def _store(store: PluginStore, system: str, row: AreaRow) -> ImportRow:
    area, is_new, was_goal = _area(store, system, row)
    known = dict(store.execute(select(figures.c.month, figures.c.value).where(figures.c.area == area)).all())
    new = [month for month in row.figures if month not in known]
    changed = [month for month, value in row.figures.items() if month in known and known[month] != value]
    if new:
        store.execute(
            insert(figures), [{"area": area, "month": month, "value": row.figures[month]} for month in new]
        )
    for month in changed:
        where = (figures.c.area == area, figures.c.month == month)
        store.execute(update(figures).where(*where).values(value=row.figures[month]))
    outcome = "ændret" if changed or (was_goal and not is_new) else "ny" if new or is_new else "uændret"
    said = [f"{len(row.figures)} {'måned' if len(row.figures) == 1 else 'måneder'}"]
    said += [f"{len(new)} nye"] if new else []
    said += [f"rettet: {', '.join(long(month) for month in changed)}"] if changed else []
    said += ["SLA-målet er rettet"] if was_goal and not is_new else []
    return ImportRow(number=row.number, outcome=outcome, text=f"{row.name}: {'; '.join(said)}")


def _area(store: PluginStore, system: str, row: AreaRow) -> tuple[int, bool, bool]:
    """The area's id, whether it is new, and whether its goal is another than before."""
    here = (areas.c.system == system) & (areas.c.name == row.name)
    found = store.execute(select(areas.c.id, areas.c.goal).where(here)).first()
    if found is None:
        last = store.execute(select(func.max(areas.c.position))).scalar() or 0
        values: dict[str, Any] = {"system": system, "name": row.name, "goal": row.goal, "position": last + 1}
        made = store.execute(insert(areas).values(values).returning(areas.c.id)).scalar_one()
        return int(made), True, False
    if found.goal != row.goal:
        store.execute(update(areas).where(areas.c.id == found.id).values(goal=row.goal))
    return int(found.id), False, found.goal != row.goal


def importer(system: str, name: str) -> Importer:
    """The importer that stands on a system's page."""
    return Importer(
        key=f"driftsstatus.{system}",
        label=f"Driftsstatus for {name}",
        help="CSV eller Excel i KOMBITs egen opstilling (driftsområde, SLA-mål og en kolonne for hver måned) eller med "
        "kolonnerne Driftsområde, Måned, SLA-mål og Værdi. Måneder, som filen ikke nævner, bliver stående.",
        read=lambda file, file_name, context: read_into(system, file, file_name, context),
        right=Right.PUBLISH,
        municipal=False,
        system=system,
    )
