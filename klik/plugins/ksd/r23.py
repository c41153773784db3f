"""The rows of report R23 "Uafsluttede opgaver" in both layouts (seed 004): until 26 June 2020 and since."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from klik.plugins import MONTHS, ImportRefusedError, ImportRow, find_cpr_numbers
from klik.plugins.ksd.catalogue import is_limit, title_key, types_named

SHORT_MONTHS = tuple(month[:3] for month in MONTHS)
LARGEST_COUNT = 1_000_000
MONTH_CELL = "%Y-%m"  # "Okt-2017" is taken for a date by Excel itself
LONGEST_TITLE = 200
SUMS = frozenset({"i alt", "ialt", "total", "sum", "hovedtotal"})
_NAMED_MONTH = re.compile(r"([a-zæøå]{3})[a-zæøå]*\.?[ -/]+(\d{4})")
_NINE_DIGITS = re.compile(r"[1-9]\d{8}")
_YES, _NO = frozenset({"ja", "j", "x", "yes", "1"}), frozenset({"nej", "n", "no", "0", "-"})


class RowError(Exception):
    """A row that cannot be used; the text is a Danish sentence."""


@dataclass(frozen=True, slots=True)
class OpenTask:
    """How many tasks of one type are unsolved, with the month they were due where the layout says it."""

    row: int
    month: str
    title: str
    blocks: str
    count: int

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same in the next report."""
        return self.month, title_key(self.title)


@dataclass(frozen=True, slots=True)
class _Columns:
    title: int
    count: int
    blocks: int | None
    month: int | None


def refuse_cpr_numbers(sheets: Mapping[str, Sequence[Sequence[str]]]) -> None:
    """Raise ImportRefusedError for the whole file when any sheet holds a CPR number; the number is not repeated."""
    for rows in sheets.values():
        for number, row in enumerate(rows, start=1):
            # Excel drops the first nought of a number.
            whole = [f"0{cell}" if _NINE_DIGITS.fullmatch(cell) else cell for cell in row]
            if find_cpr_numbers(" ".join(whole)):
                raise ImportRefusedError(
                    f"Række {number} rummer noget, der ligner et CPR-nummer. Hele filen er afvist, og intet er "
                    "gemt. klik gemmer ingen CPR-numre. Fjern det, og indlæs filen igen."
                )


def parse(rows: Sequence[Sequence[str]]) -> Iterator[OpenTask | ImportRow]:
    """Every row that says something, read or found wrong; raises ImportRefusedError for another report."""
    columns: _Columns | None = None
    month = ""
    for number, row in enumerate(rows, start=1):
        filled = [cell for cell in row if cell]
        if not filled or (columns and " ".join(filled[0].casefold().strip(" :").split()) in SUMS):
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


def together(found: Sequence[OpenTask]) -> tuple[dict[tuple[str, str], OpenTask], tuple[ImportRow, ...]]:
    """The tasks by key, and the rows that stand twice.

    Two IDs share a title (2 and 49, 84 and 85): their rows are added up, for R23 tells no ID.
    """
    wanted: dict[tuple[str, str], OpenTask] = {}
    wrong = []
    for task in found:
        first = wanted.get(task.key)
        if first is None:
            wanted[task.key] = task
        elif len(types_named(task.title)) > 1 and first.blocks == task.blocks:
            wanted[task.key] = replace(first, count=first.count + task.count)
        else:
            text = f"{task.title}: Opgavetypen står også i række {first.row}."
            wrong.append(ImportRow(number=task.row, outcome="forkert", text=text))
    return wanted, tuple(wrong)


def month_of(text: str) -> str | None:
    """ "Okt-2017", "oktober 2017" or "2017-10" as "2017-10"; None for anything else."""
    if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        return text
    found = _NAMED_MONTH.fullmatch(text.casefold().strip())
    if found and found[1] in SHORT_MONTHS:
        return f"{found[2]}-{SHORT_MONTHS.index(found[1]) + 1:02d}"
    return None


def _header(row: Sequence[str]) -> _Columns | None:
    words = [" ".join(cell.casefold().replace("-", " ").split()) for cell in row]

    def column(*starts: str) -> int | None:
        return next((place for place, word in enumerate(words) if word.startswith(starts)), None)

    title, count = column("opgavetype", "opgave type", "opgave"), column("antal", "uløste")
    if title is None or count is None:
        return None
    blocks = next((place for place, word in enumerate(words) if "bloker" in word), None)
    return _Columns(title, count, blocks, column("måned", "forfaldsmåned", "oprindelig forfald"))


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
    """What it blocks: the report's own word first, then the catalogue; limits are a class of their own."""
    named = types_named(title)
    known = named[0].blocks if named else None
    unblocking = "graensevaerdi" if is_limit(title) else "ingen"
    word = said.casefold().strip()
    if not word:
        return known or unblocking
    if word in _NO:
        return unblocking
    for start, blocks in (("udbetaling", "udbetaling"), ("afgør", "afgoerelse"), ("brev", "brev")):
        if word.startswith(start):
            return blocks
    if word in _YES:
        return known or ("graensevaerdi" if is_limit(title) else "uoplyst")
    raise RowError(f"“{said[:20]}” under Blokerende er hverken Ja eller Nej.")
