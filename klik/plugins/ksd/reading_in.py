"""Reading report R23 in: what it changes on the board, and the day it stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC
from typing import BinaryIO

from klik.plugins import (
    Importer,
    ImportRefusedError,
    ImportReport,
    ImportRow,
    PluginContext,
    long_date,
)
from klik.plugins.ksd import reports
from klik.plugins.ksd.ages import month_in_words
from klik.plugins.ksd.catalogue import CLASSES
from klik.plugins.ksd.r23 import MONTH_CELL, OpenTask, parse, refuse_cpr_numbers, together
from klik.plugins.sheets import sheets_of

Wanted = Mapping[tuple[str, str], OpenTask]


def rows_of_report(file: BinaryIO, name: str) -> Sequence[Sequence[str]]:
    """The rows of the first sheet; raises ImportRefusedError, also for a CPR number anywhere in the file."""
    sheets = sheets_of(file, name, days_as=MONTH_CELL)
    refuse_cpr_numbers(sheets)
    return next(iter(sheets.values()))


def read(file: BinaryIO, name: str, context: PluginContext) -> ImportReport:
    """Keep the report as the municipality's of today; each row says what it changes on the board."""
    store, municipality = context.store, context.municipality
    if store is None or municipality is None:
        raise ImportRefusedError("Vælg den kommune, rapporten gælder.")
    found = list(parse(rows_of_report(file, name)))
    tasks = [each for each in found if isinstance(each, OpenTask)]
    wanted, twice = together(tasks)
    wrong = [each for each in found if isinstance(each, ImportRow)] + list(twice)
    board = reports.newest(store, municipality).get(municipality)
    before = reports.values_on(store, municipality, board.day) if board else {}
    today = board is not None and board.day == context.today
    same = today and before == {key: _values(task) for key, task in wanted.items()}
    if not wrong and not same:
        reports.keep(store, municipality, context.today, context.now.astimezone(UTC), wanted.values())
    rows = [*wrong, *_rows(before, wanted)]
    return ImportReport(
        rows=tuple(sorted(rows, key=lambda row: row.number)),
        sentences=(_day_sentence(context, today=today, same=same), *_sums(wanted)),
    )


def _day_sentence(context: PluginContext, *, today: bool, same: bool) -> str:
    if same:
        return "Den samme rapport er indlæst tidligere i dag. Intet er anderledes."
    instead = " i stedet for den, der blev indlæst tidligere i dag" if today else ""
    return f"Rapporten står som kommunens rapport for {long_date(context.today)}{instead}."


def _values(task: OpenTask) -> tuple[str, str, int]:
    return task.title, task.blocks, task.count


def _rows(before: reports.Values, wanted: Wanted) -> Iterator[ImportRow]:
    for key, task in wanted.items():
        known = before.get(key)
        if known is None:
            yield _row(task, "ny", f"{task.count} uløste")
        elif known != _values(task):
            yield _row(task, "ændret", f"{known[2]} → {task.count} uløste")
        else:
            yield _row(task, "uændret", f"{task.count} uløste")
    for (month, title_key), (title, _blocks, _count) in before.items():
        if (month, title_key) not in wanted:
            text = f"{_named(title, month)}: står ikke længere i rapporten"
            yield ImportRow(number=0, outcome="fjernet", text=text)


def _row(task: OpenTask, outcome: str, text: str) -> ImportRow:
    return ImportRow(number=task.row, outcome=outcome, text=f"{_named(task.title, task.month)}: {text}")


def _named(title: str, month: str) -> str:
    return f"{title} ({month_in_words(month)})" if month else title


def _sums(wanted: Wanted) -> Iterator[str]:
    for blocks, title in CLASSES.items():
        if total := sum(task.count for task in wanted.values() if task.blocks == blocks):
            yield f"{title}: {total} uløste"


R23 = Importer(
    key="ksd.r23",
    label="R23 Uafsluttede opgaver",
    help="Rapport R23 fra KSD, gemt som CSV eller Excel. Både den gamle opstilling (antal pr. måned) og den nye "
    "(med blokering) kan læses. Rapporten gemmes med dagens dato og er fra nu af det, blokeringstavlen viser; de "
    "tidligere bliver til udviklingen uge for uge. En fil med et CPR-nummer bliver afvist.",
    read=read,
    system="ksd",
)
