"""Reading a list in from CSV, Excel or JSON; what stands there already and says the same is left alone."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO
from zoneinfo import ZoneInfo

from klik.plugins import (
    ImportRefusedError,
    ImportReport,
    ImportRow,
    InputError,
    PluginContext,
    find_cpr_numbers,
    parse_date,
    search_key,
)
from klik.plugins.driftsside import entries
from klik.plugins.driftsside.entries import Entry, Tables
from klik.plugins.driftsside.nouns import Noun, Part
from klik.plugins.driftsside.values import month_name, values_of
from klik.plugins.sheets import LARGEST_FILE, LONGEST_CELL, MOST_ROWS, rows_of

DENMARK = ZoneInfo("Europe/Copenhagen")
# When an entry came and was last changed, as the seed's lists say it; may be left out.
CREATED = Part(name="oprettet", column="created_at", label="Oprettet")
CHANGED = Part(name="opdateret", column="changed_at", label="Senest opdateret", other_names=("Opdateret",))
_MOMENT = re.compile(r"(.+?)(?:[ T](?:kl\. ?)?(\d{1,2})[:.](\d{2})(?:[:.]\d{2})?)?")
_CPR = "Rækken rummer noget, der ligner et CPR-nummer. Fjern det; klik gemmer ingen CPR-numre."


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: its number, and its texts by the parts' names."""

    number: int
    typed: Mapping[str, str]


def read(file: BinaryIO, name: str, context: PluginContext, tables: Tables, noun: Noun) -> ImportReport:
    """Store every row of the file; raises ImportRefusedError for a file that is no such list."""
    assert context.store is not None
    content = file.read(LARGEST_FILE + 1)
    found = (
        _json_lines(content, noun)
        if content.lstrip()[:1] in (b"[", b"{")
        else _sheet_lines(content, name, noun)
    )
    known = _Known(noun, entries.read(context.store, tables, noun))
    releases = entries.by_key(entries.releases(context.store, tables))
    seen: dict[tuple[str, str], int] = {}
    rows = []
    for line in found:
        if find_cpr_numbers(" ".join(line.typed.values())):
            rows.append(ImportRow(number=line.number, outcome="forkert", text=_CPR))
            continue
        key = _key(noun, line)
        if key in seen:
            text = f"Rækken er den samme som række {seen[key]}."
            rows.append(ImportRow(number=line.number, outcome="forkert", text=text))
            continue
        seen[key] = line.number
        try:
            outcome = _store(context, tables, noun, line, known.find(line), releases)
        except InputError as error:
            rows.append(ImportRow(number=line.number, outcome="forkert", text=str(error)))
            continue
        rows.append(ImportRow(number=line.number, outcome=outcome, text=line.typed["titel"]))
    return ImportReport(rows=tuple(rows))


class _Known:
    """The entries that stand there, by what a file's row is recognised by."""

    def __init__(self, noun: Noun, found: tuple[Entry, ...]) -> None:
        self._noun = noun
        self._by_key: dict[str, list[Entry]] = {}
        for entry in found:
            number = entry.number if noun.key == "nummer" else ""
            for word in {search_key(number or ""), search_key(entry.title)} - {""}:
                self._by_key.setdefault(word, []).append(entry)

    def find(self, line: Line) -> Entry | None:
        """The entry that the row is about: by its number, else its title, and when it came where the file says so."""
        number = line.typed.get("nummer", "")
        same = self._by_key.get(search_key(number or line.typed.get("titel", "")), [])
        if not number and (created := line.typed.get(CREATED.name)):
            moment = _moment(CREATED, created)
            same = [entry for entry in same if entry.created_at == moment]
        if month := line.typed.get("maaned"):
            same = [
                entry
                for entry in same
                if search_key(month) in (str(entry.month), search_key(month_name(entry.month or 1)))
            ]
        return same[0] if same else None


def _key(noun: Noun, line: Line) -> tuple[str, str]:
    number = line.typed.get("nummer", "") if noun.key == "nummer" else ""
    when = line.typed.get("maaned", "") or line.typed.get(CREATED.name, "")
    return (search_key(number or line.typed.get("titel", "")), "" if number else when)


def _store(
    context: PluginContext,
    tables: Tables,
    noun: Noun,
    line: Line,
    known: Entry | None,
    releases: Mapping[str, int],
) -> str:
    given = values_of(noun, line.typed, releases)
    # A column that the file does not have says nothing of what stands there.
    told = {part.column: given[part.column] for part in noun.parts if part.name in line.typed}
    created, changed = (
        _moment(part, line.typed[part.name]) if line.typed.get(part.name) else None
        for part in (CREATED, CHANGED)
    )
    if known is None:
        entries.add(context, tables, noun, given, created, changed)
        return "ny"
    stands = {part.column: getattr(known, part.column) for part in noun.parts}
    if stands == stands | told and changed in (None, known.changed_at):
        return "uændret"
    entries.change(context, tables, noun, known, known.version, stands | told, changed)
    return "ændret"


def _moment(part: Part, text: str) -> datetime:
    found = _MOMENT.fullmatch(" ".join(text.split()))
    try:
        assert found is not None
        day = parse_date(found[1])
        local = datetime(day.year, day.month, day.day, int(found[2] or 0), int(found[3] or 0), tzinfo=DENMARK)
    except (ValueError, AssertionError) as error:
        raise InputError(f"{part.label}: skriv datoen som 21-11-2026 09:12.") from error
    return local.astimezone(UTC)


def _headings(noun: Noun) -> dict[str, str]:
    """The parts' names by every heading that names them, folded."""
    return {
        search_key(word): part.name
        for part in (*noun.parts, CREATED, CHANGED)
        for word in (part.name, part.label, part.column, *part.other_names)
    }


def _sheet_lines(content: bytes, name: str, noun: Noun) -> Iterator[Line]:
    rows = rows_of(io.BytesIO(content), name, days_as="%d-%m-%Y %H:%M")
    headings = _headings(noun)
    start, columns = _header(rows, headings, noun)
    for number, row in enumerate(rows[start:], start=start + 1):
        typed = {part: row[place] if place < len(row) else "" for place, part in columns.items()}
        if any(typed.values()):
            # klik.plugins.sheets cuts a longer cell; half a workaround is worse than none.
            if cut := next((part for part, text in typed.items() if len(text) >= LONGEST_CELL), None):
                label = next(part.label for part in noun.parts if part.name == cut)
                raise ImportRefusedError(
                    f"Række {number}: {label} er på {LONGEST_CELL} tegn eller mere, og det kan et ark ikke rumme her. "
                    "Indlæs listen som JSON."
                )
            yield Line(number, typed)


def _header(
    rows: tuple[tuple[str, ...], ...], headings: Mapping[str, str], noun: Noun
) -> tuple[int, dict[int, str]]:
    for number, row in enumerate(rows[:20], start=1):
        columns: dict[int, str] = {}
        for place, cell in enumerate(row):
            part = headings.get(search_key(cell))
            if part and part not in columns.values():
                columns[place] = part
        if {part.name for part in noun.parts if part.required} <= set(columns.values()):
            return number, columns
    raise ImportRefusedError(f"Filen har ingen overskrifter for {noun.many}: {_wanted(noun)}.")


def _json_lines(content: bytes, noun: Noun) -> Iterator[Line]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ImportRefusedError("Filen kan ikke læses som JSON.") from error
    if isinstance(found, dict):
        found = next((value for value in found.values() if isinstance(value, list)), None)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ImportRefusedError(f"Filen skal være en liste med {noun.many}: {_wanted(noun)}.")
    if len(found) > MOST_ROWS:
        raise ImportRefusedError(f"Filen har over {MOST_ROWS} rækker.")
    headings = _headings(noun)
    for number, each in enumerate(found, start=1):
        typed: dict[str, str] = {}
        for word, value in each.items():
            if (part := headings.get(search_key(word))) and isinstance(value, str | int | None):
                typed[part] = "" if value is None else str(value)
        typed.setdefault("titel", "")
        yield Line(number, typed)


def _wanted(noun: Noun) -> str:
    return ", ".join(f"“{part.label}”" for part in (*noun.parts, CREATED, CHANGED))


def help_text(noun: Noun) -> str:
    """What the import page says of the file."""
    must = " og ".join(f"“{part.label}”" for part in noun.parts if part.required)
    return (
        f"CSV, Excel eller JSON med {noun.many}. Filen skal have {must}; den kan have {_wanted(noun)}. "
        "Det, der ikke står i filen, bliver stående."
    )
