"""One row of a table as plain values with natural keys, and back; the few columns that hold numbers inside a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from sqlalchemy import Boolean, Column, Date, Integer, String, Text

from klik.domain import mentions
from klik.models import Base, Comment, Deviation, MunicipalTask, SavedFilter, TaskChange
from klik.models.base import Identifier, Instant
from klik.services.house_package.naming import Naming, moment
from klik.services.house_package.tables import PackedTable

PLAIN = dict[str, Any]
MENTIONS = "mentions"
PERSON = "person/"
ASSIGNEES = ("responsible", "executor")
# What a change says it came by, when it came out of a package.
VIA, BY_HAND, CORRECTION = "pakke", "klik", "rettelse/"
_FILTER_KEYS = ("ansvarlig", "udfoerer")
_MENTION = re.compile(r"@\[(\d{1,10})\]")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ValueRefusedError(Exception):
    """A value that does not fit its column, in Danish without the place."""


def plain(table: PackedTable, row: Any, naming: Naming) -> PLAIN:
    """The row as it stands in the package."""
    values: PLAIN = {}
    for column in table.columns:
        value = getattr(row, column.key)
        kind = table.pointing.get(column.name)
        if value is None:
            values[table.label(column.name)] = None
        elif kind:
            values[table.label(column.name)] = naming.of(kind, value)
        elif isinstance(value, datetime):
            values[table.label(column.name)] = moment(value)
        else:
            values[table.label(column.name)] = value.isoformat() if isinstance(value, date) else value
    if change := _OUT.get(table.model):
        change(values, row, naming)
    return values


def _comment_out(values: PLAIN, row: Comment, naming: Naming) -> None:
    people = mentions.mentioned(row.text)
    values["text"] = _MENTION.sub(lambda found: f"@[{people.index(int(found[1])) + 1}]", row.text)
    values[MENTIONS] = [naming.of("person", person) for person in people]


def _change_out(values: PLAIN, row: TaskChange, _naming: Naming) -> None:
    if not row.via.startswith(CORRECTION):
        kind = row.via.partition("/")[0]
        values["via"] = BY_HAND if kind == VIA else kind


def _deviation_out(values: PLAIN, row: Deviation, naming: Naming) -> None:
    if row.field in ASSIGNEES and row.local and row.local.startswith(PERSON):
        values["local"] = PERSON + naming.of("person", int(row.local.removeprefix(PERSON)))


def _filter_out(values: PLAIN, row: SavedFilter, naming: Naming) -> None:
    values["query"] = _query(
        row.query, lambda value: PERSON + naming.of("person", int(value)) if value.isdigit() else value
    )


def _task_out(values: PLAIN, row: MunicipalTask, _naming: Naming) -> None:
    if row.erased_at is not None:
        # A tombstone takes nothing of KOMBIT's task along.
        values["task"] = values["task_version"] = None


def _query(query: str, word: Callable[[str], str]) -> str:
    pairs = [
        (key, ",".join(word(each) for each in value.split(",")) if key in _FILTER_KEYS else value)
        for key, value in parse_qsl(query, keep_blank_values=True)
    ]
    return urlencode(pairs, quote_via=quote, safe=":,/@")


_OUT: Mapping[type[Base], Callable[[PLAIN, Any, Naming], None]] = {
    Comment: _comment_out,
    TaskChange: _change_out,
    Deviation: _deviation_out,
    SavedFilter: _filter_out,
    MunicipalTask: _task_out,
}


def stored(table: PackedTable, values: PLAIN, lookup: Callable[[str, str], Any]) -> dict[str, Any]:
    """The row's columns as the database takes them; ``lookup`` gives the id of a key of a kind.

    Raises ValueRefusedError for what does not fit: another type, too long, a key that leads nowhere.
    """
    row: dict[str, Any] = {}
    expected = {table.label(column.name) for column in table.columns} | (
        {MENTIONS} if table.model is Comment else set()
    )
    if strange := sorted(set(values) - expected):
        raise ValueRefusedError(f"feltet “{strange[0][:60]}” kendes ikke")
    for column in table.columns:
        label = table.label(column.name)
        if label not in values:
            raise ValueRefusedError(f"feltet “{label}” mangler")
        value = values[label]
        kind = table.pointing.get(column.name)
        if value is None:
            if not column.nullable:
                raise ValueRefusedError(f"feltet “{label}” er tomt")
            row[column.key] = None
        elif kind:
            row[column.key] = lookup(kind, _text(label, value, None))
        else:
            row[column.key] = _typed(column, label, value)
    if change := _IN.get(table.model):
        change(row, values, lookup)
    return row


def _typed(column: Column[Any], label: str, value: Any) -> Any:
    kind = column.type
    try:
        if isinstance(kind, Instant):
            found = datetime.fromisoformat(_text(label, value, 40))
            if found.tzinfo is None:
                raise ValueError
            return found
        if isinstance(kind, Date):
            return date.fromisoformat(_text(label, value, 10))
    except ValueError:
        raise ValueRefusedError(f"feltet “{label}” er ingen dato") from None
    if isinstance(kind, Boolean):
        if not isinstance(value, bool):
            raise ValueRefusedError(f"feltet “{label}” er hverken sandt eller falsk")
        return value
    if isinstance(kind, Integer) or kind is Identifier:
        if not isinstance(value, int) or isinstance(value, bool) or not -(2**53) < value < 2**53:
            raise ValueRefusedError(f"feltet “{label}” er intet helt tal")
        return value
    if isinstance(kind, Text) or not isinstance(kind, String):
        return _text(label, value, None)
    text = _text(label, value, kind.length)
    if column.name == "sha256" and not _SHA256.fullmatch(text):
        raise ValueRefusedError(f"feltet “{label}” er ingen SHA-256")
    return text


def _text(label: str, value: Any, limit: int | None) -> str:
    if not isinstance(value, str):
        raise ValueRefusedError(f"feltet “{label}” er ingen tekst")
    if limit is not None and len(value) > limit:
        raise ValueRefusedError(f"feltet “{label}” er på {len(value)} tegn og må højst være på {limit}")
    if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueRefusedError(f"feltet “{label}” indeholder et tegn, der ikke kan gemmes")
    return value


def _comment_in(row: dict[str, Any], values: PLAIN, lookup: Callable[[str, str], Any]) -> None:
    keys = values.get(MENTIONS)
    if not isinstance(keys, list):
        raise ValueRefusedError(f"feltet “{MENTIONS}” er ingen liste")
    people = [lookup("person", _text(MENTIONS, key, None)) for key in keys]

    def by_id(found: re.Match[str]) -> str:
        place = int(found[1]) - 1
        if not 0 <= place < len(people):
            raise ValueRefusedError("feltet “text” nævner en person, der ikke er med")
        return f"@[{people[place]}]"

    row["text"] = _MENTION.sub(by_id, row["text"])


def _change_in(row: dict[str, Any], _values: PLAIN, _lookup: Callable[[str, str], Any]) -> None:
    via = row["via"]
    if not via.startswith(CORRECTION):
        row["via"] = VIA if via in (BY_HAND, "") else f"{via}/{VIA}"[:20]


def _deviation_in(row: dict[str, Any], values: PLAIN, lookup: Callable[[str, str], Any]) -> None:
    local = row["local"]
    if row["field"] in ASSIGNEES and local and local.startswith(PERSON):
        row["local"] = f"{PERSON}{lookup('person', local.removeprefix(PERSON))}"


def _filter_in(row: dict[str, Any], _values: PLAIN, lookup: Callable[[str, str], Any]) -> None:
    row["query"] = _query(
        row["query"],
        lambda value: (
            str(lookup("person", value.removeprefix(PERSON))) if value.startswith(PERSON) else value
        ),
    )


_IN: Mapping[type[Base], Callable[[dict[str, Any], PLAIN, Callable[[str, str], Any]], None]] = {
    Comment: _comment_in,
    TaskChange: _change_in,
    Deviation: _deviation_in,
    SavedFilter: _filter_in,
}
