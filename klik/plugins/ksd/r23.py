"""Report R23 "Uafsluttede opgaver" in both layouts (seed 004): by month until 26 June 2020, with blocking since."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from sqlalchemy import delete, insert, select, update

from klik.plugins import (
    Importer,
    ImportRefusedError,
    ImportReport,
    ImportRow,
    PluginContext,
    PluginStore,
    find_cpr_numbers,
)
from klik.plugins.ksd.catalogue import CLASSES, title_key, types_named
from klik.plugins.ksd.tables import open_tasks, reports
from klik.plugins.sheets import rows_of

MONTHS = ("jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
LARGEST_COUNT = 1_000_000
MONTH_CELL = "%Y-%m"  # "Okt-2017" is taken for a date by Excel itself
LONGEST_TITLE = 200
_NAMED_MONTH = re.compile(r"([a-zæøå]{3})[a-zæøå]*\.?[ -/]+(\d{4})")
_YES, _NO = frozenset({"ja", "j", "x", "yes", "1"}), frozenset({"nej", "n", "no", "0", "-"})


class RowError(Exception):
    """A row that cannot be used; the text is a Danish sentence and never repeats a CPR number."""


@dataclass(frozen=True, slots=True)
class OpenTask:
    """How many tasks of one type are unsolved, with the month they were due where the layout says it."""

    row: int
    month: str
    title: str
    blocks: str
    count: int


@dataclass(frozen=True, slots=True)
class _Columns:
    title: int
    count: int
    blocks: int | None
    month: int | None


def parse(rows: Sequence[Sequence[str]]) -> Iterator[OpenTask | ImportRow]:
    """Every row that says something, read or found wrong; raises ImportRefusedError for another report."""
    columns: _Columns | None = None
    month = ""
    for number, row in enumerate(rows, start=1):
        filled = [cell for cell in row if cell]
        if not filled:
            continue
        if find_cpr_numbers(" ".join(row)):
            yield ImportRow(
                number=number,
                outcome="forkert",
                text="Rækken rummer noget, der ligner et CPR-nummer. Fjern det; klik gemmer ingen CPR-numre.",
            )
            continue
        if len(filled) == 1 and (named := month_of(filled[0])):
            month = named
        elif found := _header(row):
            columns = found
        elif columns is not None:
            try:
                yield _open_task(number, row, columns, month)
            except RowError as error:
                yield ImportRow(number=number, outcome="forkert", text=str(error))
    if columns is None:
        raise ImportRefusedError(
            "Filen ligner ikke rapport R23: der mangler en overskrift med “Opgavetype” og “Antal”."
        )


def month_of(text: str) -> str | None:
    """ "Okt-2017", "oktober 2017" or "2017-10" as "2017-10"; None for anything else."""
    if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        return text
    found = _NAMED_MONTH.fullmatch(text.casefold().strip())
    if found and found[1] in MONTHS:
        return f"{found[2]}-{MONTHS.index(found[1]) + 1:02d}"
    return None


def _header(row: Sequence[str]) -> _Columns | None:
    words = [cell.casefold() for cell in row]

    def column(*starts: str) -> int | None:
        return next((place for place, word in enumerate(words) if word.startswith(starts)), None)

    title, count = column("opgavetype", "opgave type", "opgave"), column("antal")
    if title is None or count is None:
        return None
    return _Columns(title, count, column("blokerende", "blokerer"), column("måned", "forfaldsmåned"))


def _open_task(number: int, row: Sequence[str], columns: _Columns, month: str) -> OpenTask:
    def cell(place: int | None) -> str:
        return row[place] if place is not None and place < len(row) else ""

    title = " ".join(cell(columns.title).rstrip("* ").split())
    if not title_key(title):
        raise RowError("Opgavetypen mangler.")
    if len(title) > LONGEST_TITLE:
        raise RowError(f"Opgavetypen er på over {LONGEST_TITLE} tegn.")
    if columns.month is not None:
        month = month_of(cell(columns.month)) or _wrong_month(cell(columns.month))
    return OpenTask(number, month, title, _blocks(title, cell(columns.blocks)), _count(cell(columns.count)))


def _wrong_month(text: str) -> str:
    raise RowError(f"Måneden “{text[:20]}” kan ikke læses; skriv fx okt-2017.")


def _count(text: str) -> int:
    digits = re.sub(r"[.\s]", "", text)
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 7 or int(digits) > LARGEST_COUNT:
        raise RowError(f"Antallet “{text[:20]}” er ikke et helt tal fra 0 til {LARGEST_COUNT}.")
    return int(digits)


def _blocks(title: str, said: str) -> str:
    """What it blocks: the report's own word first, then the catalogue."""
    named = types_named(title)
    known = named[0].blocks if named else None
    word = said.casefold().strip()
    if not word:
        return known or "ingen"
    if word in _NO:
        return "ingen"
    for start, blocks in (("udbetaling", "udbetaling"), ("afgør", "afgoerelse"), ("brev", "brev")):
        if word.startswith(start):
            return blocks
    if word in _YES:
        return known or "uoplyst"
    raise RowError(f"“{said[:20]}” under Blokerende er hverken Ja eller Nej.")


def read(file: BinaryIO, name: str, context: PluginContext) -> ImportReport:
    """Make the municipality's open tasks those of the report; what it no longer names is solved."""
    store, municipality = context.store, context.municipality
    if store is None or municipality is None:
        raise ImportRefusedError("Vælg den kommune, rapporten gælder.")
    rows: list[ImportRow] = []
    wanted: dict[tuple[str, str], OpenTask] = {}
    for found in parse(rows_of(file, name, days_as=MONTH_CELL)):
        if isinstance(found, ImportRow):
            rows.append(found)
            continue
        key = (found.month, title_key(found.title))
        if key in wanted:
            rows.append(_row(found, "forkert", f"Opgavetypen står også i række {wanted[key].row}."))
            continue
        wanted[key] = found
    rows += _replace(store, municipality, wanted)
    if not any(row.outcome == "forkert" for row in rows):
        _note_report(store, municipality, context.now.astimezone(UTC))
    return ImportReport(rows=tuple(sorted(rows, key=lambda row: row.number)), sentences=_sentences(wanted))


def _replace(
    store: PluginStore, municipality: int, wanted: Mapping[tuple[str, str], OpenTask]
) -> Iterator[ImportRow]:
    here = open_tasks.c.municipality == municipality
    known = {(row.month, row.title_key): row for row in store.execute(select(open_tasks).where(here))}
    for key, task in wanted.items():
        values = {"title": task.title, "blocks": task.blocks, "count": task.count}
        before = known.pop(key, None)
        if before is None:
            where = {"municipality": municipality, "month": key[0], "title_key": key[1]}
            store.execute(insert(open_tasks).values(where | values))
            yield _row(task, "ny", f"{task.count} uløste")
        elif any(getattr(before, column) != value for column, value in values.items()):
            store.execute(update(open_tasks).where(*_same(municipality, key)).values(values))
            yield _row(task, "ændret", f"{before.count} → {task.count} uløste")
        else:
            yield _row(task, "uændret", f"{task.count} uløste")
    for key, gone in known.items():
        store.execute(delete(open_tasks).where(*_same(municipality, key)))
        yield ImportRow(number=0, outcome="fjernet", text=f"{gone.title}: står ikke længere i rapporten")


def _same(municipality: int, key: tuple[str, str]) -> tuple[Any, ...]:
    return (
        open_tasks.c.municipality == municipality,
        open_tasks.c.month == key[0],
        open_tasks.c.title_key == key[1],
    )


def _note_report(store: PluginStore, municipality: int, now: datetime) -> None:
    noted = store.execute(
        update(reports).where(reports.c.municipality == municipality).values(read_at=now)
    ).rowcount
    if not noted:
        store.execute(insert(reports).values(municipality=municipality, read_at=now))


def _row(task: OpenTask, outcome: str, text: str) -> ImportRow:
    return ImportRow(number=task.row, outcome=outcome, text=f"{task.title}: {text}")


def _sentences(wanted: Mapping[tuple[str, str], OpenTask]) -> tuple[str, ...]:
    return tuple(
        f"{CLASSES[blocks]}: {total} uløste"
        for blocks in CLASSES
        if (total := _total(wanted.values(), blocks))
    )


def _total(tasks: Iterable[OpenTask], blocks: str) -> int:
    return sum(task.count for task in tasks if task.blocks == blocks)


R23 = Importer(
    key="ksd.r23",
    label="R23 Uafsluttede opgaver",
    help="Rapport R23 fra KSD, gemt som CSV eller Excel. Både den gamle opstilling (antal pr. måned) og den nye "
    "(med blokering) kan læses. Rapporten erstatter den, kommunen sidst har indlæst.",
    read=read,
    system="ksd",
)
