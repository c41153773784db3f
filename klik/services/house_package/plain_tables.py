"""The tables as CSV with a description of every column, for whoever makes an arkiveringsversion of them.

The description follows Table Schema (Frictionless Data Package): types, keys, and which column points at which.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Date, Integer

from klik.models import Comment
from klik.models.base import Instant
from klik.services import saved_filters
from klik.services.house_package.tables import TABLES, PackedTable
from klik.services.house_package.values import MENTIONS, PLAIN
from klik.services.house_package.words import of_column
from klik.services.tables import harmless

SCHEMA = "schema.json"
KEY = "noegle"
YES, NO = "ja", "nej"
_BY_KIND = {table.key: table for table in TABLES if table.key}


def files(tables: Sequence[tuple[PackedTable, list[PLAIN]]]) -> Iterator[tuple[str, bytes]]:
    """Name and content of each file: a CSV a table, then the description of them all."""
    for table, rows in tables:
        yield f"{table.name}.csv", _csv(table, rows)
    content = json.dumps(schema([table for table, _rows in tables]), ensure_ascii=False, indent=2)
    yield SCHEMA, content.encode()


def headings(table: PackedTable) -> list[str]:
    """The first row: the key where others point at the table, then its columns in Danish."""
    own = [of_column(table.label(column.name)).name for column in table.columns]
    more = ["naevnte"] if table.model is Comment else []
    return [*([KEY] if table.key else []), *own, *more]


def _csv(table: PackedTable, rows: Sequence[PLAIN]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(headings(table))
    keys = keys_of(table, rows)
    for key, row in zip(keys, rows, strict=True):
        cells = [_cell(row[table.label(column.name)]) for column in table.columns]
        more = [_cell(", ".join(row[MENTIONS]))] if table.model is Comment else []
        writer.writerow([*([_cell(key)] if table.key else []), *cells, *more])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return YES if value else NO
    if isinstance(value, int):
        return str(value)
    return harmless(value)


def keys_of(table: PackedTable, rows: Sequence[PLAIN]) -> list[str]:
    """Each row's natural key, worked out from what stands in the package alone; "" where nothing points at it."""
    counts: dict[str, int] = {}

    def counted(name: str) -> str:
        counts[name] = counts.get(name, 0) + 1
        return f"{name}/{counts[name]}"

    def key(row: PLAIN) -> str:
        match table.key:
            case "municipality":
                return str(row["id"])
            case "system":
                return row["code"]
            case "wave":
                return f"{row['system_code']}/{row['slug']}"
            case "project":
                return row["slug"]
            case "person":
                return row["email"] if row["created_at"] is None else row["email"].casefold()
            case "membership":
                return row["person"]
            case "file":
                return row["sha256"]
            case "task":
                return f"{row['project']}/{row['task_number']}"
            case "version":
                return f"{row['task']}/{row['number']}"
            case "municipal_task" if row["task_number"]:
                return f"{row['project']}/{row['task_number']}"
            case "municipal_task":
                return counted(f"{row['project']}/lokal/{row['created_at']}")
            case "deletion":
                return counted(row["announced_at"])
            case "filter":
                return f"{row['person']}/{saved_filters.name_key(row['name'])}"
            case _:
                return ""

    return [key(row) for row in rows]


def schema(tables: Sequence[PackedTable]) -> dict[str, Any]:
    """The description of the tables."""
    return {
        "profile": "tabular-data-package",
        "name": "klik-hus",
        "title": "En kommunes opgaver i klik som tabeller",
        "description": (
            "Tegnsæt UTF-8 med BOM, semikolon mellem felter, CRLF mellem rækker. En celle, som et regneark ville "
            "regne på, har en apostrof foran (= + - @, tabulator, linjeskift og de brede former); den fjernes ved "
            "indlæsning. Tomt felt: ingen værdi eller tom tekst. Klokkeslæt er UTC. De samme værdier uden apostrof "
            "står i mappen data."
        ),
        "resources": [_resource(table) for table in tables],
    }


def _resource(table: PackedTable) -> dict[str, Any]:
    fields = [_field(table, column) for column in table.columns]
    if table.key:
        text = "Hvad rækken hedder, når andre tabeller peger på den"
        fields.insert(
            0, {"name": KEY, "type": "string", "description": text, "constraints": {"required": True}}
        )
    if table.model is Comment:
        fields.append(
            {
                "name": "naevnte",
                "type": "string",
                "description": "De personer, teksten nævner som @[1], @[2] …",
            }
        )
    described: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    if table.key:
        described["primaryKey"] = KEY
    pointing = [
        {
            "fields": of_column(table.label(column)).name,
            "reference": {"resource": _BY_KIND[kind].name, "fields": KEY},
        }
        for column, kind in table.pointing.items()
        if column not in table.left_out
    ]
    if pointing:
        described["foreignKeys"] = pointing
    return {
        "name": table.name,
        "path": f"{table.name}.csv",
        "title": table.title,
        "encoding": "utf-8",
        "dialect": {"delimiter": ";", "lineTerminator": "\r\n", "header": True},
        "schema": described,
    }


def _field(table: PackedTable, column: Column[Any]) -> dict[str, Any]:
    word = of_column(table.label(column.name))
    field: dict[str, Any] = {"name": word.name, "type": _type(table, column), "description": word.text}
    if field["type"] == "boolean":
        field |= {"trueValues": [YES], "falseValues": [NO]}
    length = getattr(column.type, "length", None)
    if field["type"] == "string" and length and column.name not in table.pointing:
        # The apostrophe before what looks like a formula counts too.
        field["constraints"] = {"maxLength": length + 1}
    return field


def _type(table: PackedTable, column: Column[Any]) -> str:
    if column.name in table.pointing:
        return "string"
    for kind, word in ((Instant, "datetime"), (Date, "date"), (Boolean, "boolean"), (Integer, "integer")):
        if isinstance(column.type, kind):
            return word
    return "integer" if column.type.python_type is int else "string"
