"""The table of who gets what, read; and what it says about one request."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask

from tests.access.objects import MISSING_WORD, arguments
from tests.access.world import Visitor

FILE = Path(__file__).parents[1] / "access_matrix.toml"
KNOWN = frozenset(
    [
        "door",
        "own",
        "hidden",
        "gives",
        "page",
        "form",
        "writes",
        "where",
        "changes",
        "closed",
        "by_role",
        "token",
    ]
)


@dataclass(frozen=True, slots=True)
class Row:
    """One address and method: who passes the door, who gets it, who is told 404, and what it may change."""

    method: str
    address: str
    open: bool
    door: frozenset[str]
    own: frozenset[str]
    hidden: frozenset[str]
    gives: Mapping[str, int]
    page: str | None
    form: Mapping[str, str]
    writes: frozenset[str]
    where: str | None
    changes: bool
    closed: int | None
    by_role: frozenset[str]
    token: bool

    @property
    def name(self) -> str:
        """As the table names it."""
        return f"{self.method} {self.address}"

    def status(self, visitor: Visitor, ids: str) -> int:
        """The status for ids that are "own", "other", "missing" or "malformed"."""
        if ids == "malformed":
            return 404
        if self.open:
            return self.gives[visitor.kind] if ids == "own" else 404
        if visitor.out:
            return 303 if self.method == "GET" else 401
        if visitor.kind not in self.door:
            return 403
        if ids not in ("own", "closed", "by role") or visitor.kind in self.hidden:
            return 404
        if ids == "by role":
            return self.gives[visitor.kind] if visitor.kind in self.by_role else 403
        if ids == "closed" and self.closed:
            return self.closed
        return self.gives[visitor.kind] if visitor.kind in self.own else 403

    def allowed(self, visitor: Visitor, ids: str = "own") -> bool:
        """Whether this visitor gets what it asks for, of its own."""
        if ids == "by role":
            return visitor.kind in self.by_role
        if ids == "closed" and self.closed:
            return False
        return ids in ("own", "closed") and (self.open or visitor.kind in self.own)


@dataclass(frozen=True, slots=True)
class AccessTable:
    """Every row, and the kinds of visitor they speak of."""

    rows: tuple[Row, ...]
    kinds: frozenset[str]


def read(given: Mapping[str, Any] | None = None) -> AccessTable:
    """The table as it stands in the file."""
    raw = tomllib.loads(FILE.read_text("utf-8")) if given is None else given
    kinds = frozenset(" ".join(raw["kinds"].values()).split())
    groups = {name: frozenset(words.split()) for name, words in raw["groups"].items()}
    groups |= {name: frozenset(words.split()) for name, words in raw["kinds"].items()}
    groups |= {kind: frozenset({kind}) for kind in kinds}

    def named(words: str) -> frozenset[str]:
        return frozenset().union(*(groups[word] for word in words.split()))

    return AccessTable(tuple(_row(name, row, kinds, named) for name, row in raw["rows"].items()), kinds)


def _row(name: str, raw: Mapping[str, Any], kinds: frozenset[str], named: Any) -> Row:
    method, _, address = name.partition(" ")
    if unknown := set(raw) - KNOWN:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))} is no column of the table")
    is_open = raw["door"] == "open"
    door = kinds if is_open else named(raw["door"])
    hidden = named(raw.get("hidden", ""))
    gives = raw.get("gives", 200 if method == "GET" else 303)
    each = gives if isinstance(gives, Mapping) else {"out": gives, "signed-in": gives}
    return Row(
        method=method,
        address=address,
        open=is_open,
        door=door,
        own=(named(raw["own"]) if "own" in raw else door) - hidden,
        hidden=hidden,
        gives={kind: status for words, status in each.items() for kind in named(words)},
        page=raw.get("page"),
        form=raw.get("form", {}),
        writes=frozenset(raw.get("writes", "").split()),
        where=raw.get("where"),
        by_role=named(raw.get("by_role", "")),
        closed=raw.get("closed"),
        token=raw.get("token", True),
        changes=raw.get("changes", bool(raw.get("writes")) and method == "POST"),
    )


def routes(app: Flask) -> set[str]:
    """Every address and method of the application; HEAD and OPTIONS follow from the others."""
    return {
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def problems(app: Flask, table: AccessTable, visitors: Iterable[Visitor]) -> list[str]:
    """Where table and application part ways, each with the fix."""
    named, real = {row.name for row in table.rows}, routes(app)
    here = {visitor.kind for visitor in visitors}
    file = "tests/access_matrix.toml"
    found = [f"{name}: no row. Add who gets it to [rows] in {file}." for name in sorted(real - named)]
    found += [f"{name}: no such route. Take its row out of {file}." for name in sorted(named - real)]
    found += [
        f"{kind}: no visitor of this kind. Make one in tests/access/world.py." for kind in table.kinds - here
    ]
    found += [
        f"{kind}: the table does not know it. Add it to [kinds] in {file}." for kind in here - table.kinds
    ]
    found += [
        f"{row.name}: a form that changes nothing proves nothing. Say in {file} what it writes, or changes = false."
        for row in table.rows
        if row.method == "POST" and not row.writes and row.changes
    ]
    return found


def kinds_of_ids(address: str) -> Iterable[tuple[str, tuple[str, ...]]]:
    """The ids nobody owns that an address is tried with: missing ones, and such as are none."""
    count = len(arguments(address))
    if not count:
        return
    yield from (("missing", (word,) * count) for word in _missing(address))


def _missing(address: str) -> tuple[str, ...]:
    return ("999999", "2147483647") if "<id:" in address else MISSING_WORD
