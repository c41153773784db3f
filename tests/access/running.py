"""Sending every request of the matrix, and judging every answer and every change."""

from __future__ import annotations

import io
import random
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Boolean, Date, DateTime, Integer
from werkzeug.test import TestResponse

from klik.domain.deadlines import danish_today
from klik.models import Base
from klik.web.headers import HEADERS
from tests.access import reading
from tests.access.objects import MALFORMED, MALFORMED_WORD, arguments, filled, ids_of, of_role, withdrawn
from tests.access.table import AccessTable, Row, kinds_of_ids
from tests.access.world import HERNING, KOEGE, LEVELS, Visitor, World
from tests.client import filled as drawn

SEED = 47
OTHER_METHODS = ("OPTIONS", "TRACE", "PUT", "DELETE", "PATCH", "GET", "HEAD", "POST")
UPLOADS = {
    "@referat.txt": b"Et referat",
    "@drejebog.xlsx": (Path(__file__).parent / "drejebog.xlsx").read_bytes(),
    "@r23.csv": (Path(__file__).parents[1] / "plugins" / "reports" / "r23-fra-juni-2020.csv").read_bytes(),
}
SECURITY = (*HEADERS, "Content-Security-Policy", "X-Request-Id")
MEASURED = {"2147483648", "%00", "a%00b"}
RAW_TOKEN = "a" * 40


@dataclass(frozen=True, slots=True)
class Probe:
    """One request: whose, what, with which ids; ``variant`` says how the form or the query is bent."""

    visitor: Visitor
    method: str
    address: str
    kind: str
    ids: tuple[int | str, ...]
    row: Row | None
    variant: str = ""

    @property
    def path(self) -> str:
        """The address with its ids."""
        return filled(self.address, self.ids)

    def __str__(self) -> str:
        path = self.path if len(self.path) < 90 else self.path[:60] + "…"
        return f"{self.visitor.name}: {self.method} {path} ({self.kind}{' ' + self.variant if self.variant else ''})"


@dataclass(slots=True)
class Findings:
    """What was wrong, each with the request, and how much was asked."""

    requests: int = 0
    leaks: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)

    @property
    def all(self) -> list[str]:
        """Everything that was wrong."""
        return self.leaks + self.wrong


# A trigger's echo of what was written elsewhere, which is judged there.
ECHOES = ("data_stamps",)


class Stored:
    """The world's SQLite file: what a request changed, and putting it back as it was."""

    def __init__(self, file: Path) -> None:
        self._live = sqlite3.connect(file, isolation_level=None, timeout=10)
        self._live.execute("pragma synchronous=off")
        self._kept = sqlite3.connect(":memory:", isolation_level=None)
        self._live.backup(self._kept)
        query = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
        self._columns: dict[str, list[str]] = {}
        self._keys: dict[str, list[int]] = {}
        for (table,) in self._live.execute(query).fetchall():
            if table in ECHOES:
                continue
            information = self._live.execute(f"pragma table_info({table})").fetchall()
            self._columns[table] = [row[1] for row in information]
            self._keys[table] = [row[0] for row in information if row[5]]
        self._before = self._rows()
        self._version = self._data_version()

    def close(self) -> None:
        """Let go of the file."""
        self._live.close()
        self._kept.close()

    def changes(self) -> list[tuple[str, dict[str, Any] | None, dict[str, Any] | None]]:
        """Table, row before, row after, of every row that is not as it was; cheap when nothing was written."""
        if self._data_version() == self._version:
            return []
        found = []
        now = self._rows()
        for table, rows in now.items():
            before = self._before[table]
            if rows == before:
                continue
            old, new = self._by_key(table, before - rows), self._by_key(table, rows - before)
            found += [(table, old.get(key), new.get(key)) for key in old | new]
        return found

    def restore(self) -> None:
        """Everything as it was before the first request."""
        if self._data_version() != self._version:
            self._kept.backup(self._live)
            self._version = self._data_version()

    def _data_version(self) -> int:
        return int(self._live.execute("pragma data_version").fetchone()[0])

    def _rows(self) -> dict[str, set[Any]]:
        return {table: set(self._live.execute(f"select * from {table}")) for table in self._columns}

    def _by_key(self, table: str, rows: Iterable[Any]) -> dict[Any, dict[str, Any]]:
        columns, keys = self._columns[table], self._keys[table]
        return {tuple(row[key] for key in keys): dict(zip(columns, row, strict=True)) for row in rows}


class Run:
    """One run over an application; ``stored`` is None where nothing is written (PostgreSQL)."""

    def __init__(self, app: Flask, world: World, stored: Stored | None) -> None:
        self.app, self.world, self.stored = app, world, stored
        self.found = Findings()
        self._clients: dict[Visitor, FlaskClient] = {}
        self._forms: dict[tuple[Visitor, str, str], dict[str, Any]] = {}
        self._names: dict[tuple[Visitor, str, str], set[str]] = {}
        self._plain: dict[tuple[Any, ...], set[tuple[str, str]]] = {}
        signer = URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token")
        self._form_cookie = (
            SecureCookieSessionInterface().get_signing_serializer(app).dumps({"csrf_token": RAW_TOKEN})
        )  # type: ignore[union-attr]
        self._token = signer.dumps(RAW_TOKEN)

    # What is asked

    def probes(self, table: AccessTable) -> Iterator[Probe]:
        """The whole matrix."""
        for row in table.rows:
            for visitor in self.world.visitors:
                yield from self._of_row(row, visitor)
        rows = {row.name for row in table.rows}
        for address in dict.fromkeys(row.address for row in table.rows):
            for visitor in self.world.visitors:
                ids = ids_of(self.world, visitor, address).own[0]
                for method in OTHER_METHODS:
                    if f"{'GET' if method == 'HEAD' else method} {address}" not in rows:
                        yield Probe(visitor, method, address, "method", ids, None)

    def _of_row(self, row: Row, visitor: Visitor) -> Iterator[Probe]:
        ids = ids_of(self.world, visitor, row.address)
        own = {"first": ids.own[:1], "last": ids.own[-1:], None: ids.own}[row.where]
        tried = [("own", each) for each in own] + [("other", each) for each in ids.other]
        if row.closed or row.method == "GET":
            tried += [("closed", each) for each in withdrawn(self.world, visitor, row.address)]
        if row.by_role:
            tried += [("by role", each) for each in of_role(self.world, visitor, row.address)]
        tried += kinds_of_ids(row.address)
        for kind, each in tried:
            yield Probe(visitor, row.method, row.address, kind, each, row)
            if row.method == "GET" and kind == "own" and (not row.writes or each == own[0]):
                yield Probe(visitor, "HEAD", row.address, kind, each, row)
        # Each part in turn, the others right.
        for place, part in enumerate(re.findall(r"<([^>]+)>", row.address)):
            wrong = MALFORMED if part.startswith("id:") else MALFORMED_WORD
            for bad in () if part.startswith("path:") else wrong:
                mixed = (*own[0][:place], bad, *own[0][place + 1 :])
                yield Probe(visitor, row.method, row.address, "malformed", mixed, row)
        if visitor.out:
            return
        if row.method == "POST":
            for variant in ("mass", "poison", "no token"):
                for each in own:
                    yield Probe(visitor, "POST", row.address, "own", each, row, variant)
        elif not row.address.endswith(".pdf") and row.allowed(visitor) and visitor.place != HERNING:
            for query in self._queries(visitor, row):
                yield Probe(visitor, "GET", row.address, "own", own[0], row, f"?{query}")

    def _queries(self, visitor: Visitor, row: Row) -> list[str]:
        """Questions that name what is not one's own."""
        away = HERNING if visitor.place == KOEGE else KOEGE
        person = self.world.people["ansvarlig", away]
        task, notice = self.world.ids["first", away], self.world.ids["notice ansvarlig", away]
        local, filter_id = self.world.ids["local", away], self.world.ids["filter-kommune administrator", away]
        queries = [f"kommune={away}", f"kommune={away}&kommune={visitor.place or HERNING}", "q=KANARIE-657"]
        queries += [f"{name}={task}" for name in ("kopi", "opgave", "id", "task_id", "municipal_task_id")]
        queries += [f"{name}={person}" for name in ("person", "person_id", "ansvarlig", "udfoerer")]
        queries += [
            f"filter={filter_id}",
            f"membership_id={person}",
            f"municipality_id={away}",
            f"opgave={local}",
        ]
        queries += [f"varsel={notice}", "side=2", "side=-1", "vis=tavs", f"next=/opgaver/{task}"]
        queries += [f"{name}=%00" for name in ("projekt", "kommune", "system", "skabelon", "tilstand")]
        if row.address.startswith("/opgaver") and not arguments(row.address):
            values = (str(away), f"person/{person}", str(person), "KANARIE-657", "ja", "deadline")
            keys = tuple(self.app.extensions["klik"].registry.filters)
            asked = [(key, value) for key in keys for value in values]
            if row.address != "/opgaver":
                # The list is asked everything; its files and forms, which read the same filter, each key once.
                asked = [(key, values[place % len(values)]) for place, key in enumerate(keys)]
            queries += [f"{key}={value}&fuldfoerte=ja" for key, value in asked]
        return queries

    # Asking

    def ask(self, probe: Probe) -> None:
        """Send one request and judge the answer; the world is as before afterwards."""
        data = self._form(probe) if probe.method == "POST" else None
        query = probe.variant[1:] if probe.variant.startswith("?") else None
        response = self._send(probe.visitor, probe.method, probe.path, data, query)
        self._judge_answer(probe, response)
        if self.stored is not None:
            changes = self.stored.changes()
            self._judge_changes(probe, response, changes)
            if changes:
                self.stored.restore()

    def _send(
        self, visitor: Visitor, method: str, path: str, data: Any = None, query: str | None = None
    ) -> TestResponse:
        self.found.requests += 1
        target = f"{path}{'&' if '?' in path else '?'}{query}" if query else path
        sent = None
        if data is not None:
            sent = {
                name: (io.BytesIO(UPLOADS[value]), value[1:])
                if isinstance(value, str) and value in UPLOADS
                else value
                for name, value in ((name, value) for name, value in data.items())
                if not (isinstance(value, list) and not value)
            }
        response = self._client(visitor).open(target, method=method, data=sent)
        response.get_data()
        response.close()
        return response

    def _client(self, visitor: Visitor) -> FlaskClient:
        if visitor not in self._clients:
            client = self._clients[visitor] = self.app.test_client()
            if visitor.cookie:
                client.set_cookie("klik", visitor.cookie)
        client = self._clients[visitor]
        if visitor.cookie and client.get_cookie("klik") is None:
            client.set_cookie("klik", visitor.cookie)  # signing out took it away
        client.set_cookie("klik-form", self._form_cookie)
        return client

    # The form

    def forget_forms(self) -> None:
        """Draw the forms again from now on."""
        self._forms.clear()
        self._names.clear()
        self._plain.clear()

    def _form(self, probe: Probe) -> dict[str, Any]:
        row, visitor = probe.row, probe.visitor
        if row is None:
            return {"csrf_token": self._token}
        place = visitor.place or KOEGE
        if probe.variant == "poison":
            place = HERNING if place == KOEGE else KOEGE
        words = {
            "person": self.world.people["plusbruger", place],
            "membership": self.world.ids["membership", f"plusbruger {place}"],
            "guest": self.world.people["guest", None],
            "level": "bruger" if visitor.place else "kombit-redaktoer",
            "item": self.world.ids["deleted-both", place],
            "tomorrow": danish_today(datetime.now(UTC)) + timedelta(days=1),
        }
        typed = {name: value.format(**words) for name, value in row.form.items()}
        data = self._drawn(probe) | typed
        if probe.variant == "mass":
            names = set().union(*self._names.values()) if row.page else set()
            strange = {
                name: value for name, value in self._every_column(visitor).items() if name not in names
            }
            data = strange | data
        if probe.variant != "no token":
            data["csrf_token"] = self._token
        else:
            data.pop("csrf_token", None)
        return data

    def _drawn(self, probe: Probe) -> dict[str, Any]:
        """What the page's own form holds, for whoever is shown it."""
        assert probe.row is not None
        if probe.row.page is None:
            return {}
        ids = probe.ids
        if probe.kind != "own":
            ids = ids_of(self.world, probe.visitor, probe.address).own[0]
        page, action = filled(probe.row.page, ids), filled(probe.address, ids)
        key = (probe.visitor, page, action)
        if key not in self._forms:
            response = self._send(probe.visitor, "GET", page)
            if self.stored is not None:
                self.stored.restore()  # that the page was looked at is no doing of the form's
            document = BeautifulSoup(response.data, "html.parser") if response.status_code == 200 else None
            form = document.find("form", action=action, method="post") if document else None
            self._forms[key] = drawn(form) if form else {}
            self._names[key] = {field["name"] for field in form.select("[name]")} if form else set()
        return dict(self._forms[key])

    def _every_column(self, visitor: Visitor) -> dict[str, Any]:
        """Every column of every model, typed right and as unwelcome as can be."""
        away = HERNING if visitor.place == KOEGE else KOEGE
        values: dict[str, Any] = {}
        for table in Base.metadata.tables.values():
            for column in table.columns:
                value: Any = f"KAN-{column.name}"
                if isinstance(column.type, Boolean):
                    value = "1"
                elif isinstance(column.type, Date | DateTime):
                    value = "2030-01-01"
                elif isinstance(column.type, Integer):
                    value = str(self.world.people["ansvarlig", away])
                values[column.name] = value
        return values | {
            "municipality_id": str(away),
            "level": "kombit-administrator",
            "active": "",
            "private": "",
        }

    # Judging

    def _judge_answer(self, probe: Probe, response: TestResponse) -> None:
        status, visitor = response.status_code, probe.visitor
        if status not in self.expected(probe):
            wanted = "/".join(str(each) for each in sorted(self.expected(probe)))
            self.found.wrong.append(f"{probe}: {status} instead of {wanted}")
        if (
            status == 303
            and visitor.out
            and probe.kind != "method"
            and not response.location.startswith("/log-ind")
        ):
            self.found.wrong.append(f"{probe}: sent to {response.location}")
        missing = [name for name in SECURITY if name not in response.headers]
        if missing:
            self.found.wrong.append(f"{probe}: {status} without {', '.join(missing)}")
        text = reading.everything_in(response)
        if "KANARIE" in text or "kanarie" in text:
            for code, table, number in sorted(reading.canaries(text)):
                if not self.world.may_read(visitor, code, table, number):
                    self.found.leaks.append(f"{probe}: {status} shows {table} {number} of {code}")
        self._judge_numbers(probe, text)

    def expected(self, probe: Probe) -> set[int]:
        """The answers that are right."""
        row = probe.row
        if probe.kind == "method" or row is None:
            return {200} if probe.method == "OPTIONS" else {405}
        status = row.status(probe.visitor, probe.kind)
        if status == 404 and len(probe.ids) > 1 and probe.visitor.kind in row.door - row.own - row.hidden:
            return {403, 404}  # refused for the task that is seen, before the second id is looked at
        if probe.kind == "malformed" and probe.method == "POST" and MEASURED & set(probe.ids):
            return {404, 405}  # werkzeug looks at the method before the converter looks at the value
        if probe.method == "POST" and probe.variant == "no token" and row.token:
            return {400}
        if probe.variant in ("mass", "poison") and status == row.gives.get(probe.visitor.kind):
            # A form that names somebody else's row may be refused politely; it must never be obeyed.
            return {status, 200, 303, 404, 422} if probe.variant == "poison" else {status}
        if probe.variant.startswith("?"):
            return {status, 303, 400, 404, 422}
        return {status}

    def _judge_numbers(self, probe: Probe, text: str) -> None:
        visitor = probe.visitor
        if visitor.kind not in LEVELS or LEVELS[visitor.kind].scope == "kombit":
            return
        counts = self.world.case_counts
        foreign = {count for place, count in counts.items() if place != visitor.place} | {
            sum(counts.values())
        }
        if "7." in text or "7000" in text or "68" in text:
            for number in reading.numbers(text) & foreign:
                self.found.leaks.append(f"{probe}: shows the number {number} of another municipality")

    def _judge_changes(self, probe: Probe, response: TestResponse, changes: list[Any]) -> None:
        row, visitor = probe.row, probe.visitor
        success = row is not None and response.status_code < 400 and row.allowed(visitor, probe.kind)
        if not changes:
            return
        if not success or (probe.method == "HEAD" and not row.writes):  # type: ignore[union-attr]
            tables = sorted({table for table, _, _ in changes})
            self.found.wrong.append(f"{probe}: {response.status_code} changed {', '.join(tables)}")
            return
        assert row is not None
        if not probe.variant:
            self.found.changed.add(row.name)
        for table, before, after in changes:
            if table == "read_marks" and (after or before or {})["person_id"] == visitor.person_id:
                continue  # one's own mark, wherever the task is
            if table not in row.writes:
                self.found.wrong.append(f"{probe}: changed {table}, which the table does not allow")
            self._judge_change(probe, table, before, after)
        self._judge_mass(probe, changes)

    def _judge_mass(self, probe: Probe, changes: list[Any]) -> None:
        """Extra fields change no column that the form alone does not."""
        touched = {
            (table, column)
            for table, before, after in changes
            for column in (after or before or {})
            if (before or {}).get(column) != (after or {}).get(column)
            and not (before is None or after is None)
        }
        added = {(table, "row") for table, before, after in changes if before is None}
        key = (probe.visitor, probe.address, probe.ids)
        if not probe.variant:
            self._plain[key] = touched | added
        elif probe.variant == "mass" and key in self._plain:
            extra = (touched | added) - self._plain[key]
            if extra:
                self.found.wrong.append(f"{probe}: extra fields changed {sorted(extra)}")

    def _judge_change(
        self, probe: Probe, table: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
    ) -> None:
        visitor, leak = probe.visitor, self.found.leaks.append
        places = [self._place(table, row) for row in (before, after) if row is not None]
        if before and after and places[0] != places[1]:
            leak(f"{probe}: moved a row of {table} from {places[0]} to {places[1]}")
        kombit = visitor.kind in LEVELS and LEVELS[visitor.kind].scope == "kombit"
        if not kombit and any(place not in (None, visitor.place) for place in places):
            leak(f"{probe}: changed {table} of {places}")
        if after is None:
            return
        place = self._place(table, after)
        for column, value in after.items():
            if (
                place is None
                or value is None
                or not column.endswith("_id")
                or (before and before[column] == value)
            ):
                continue
            home = self.world.place_of_person.get(value) if column in PERSONS else None
            if home is not None and home != place:
                leak(f"{probe}: {table}.{column} of {place} names person {value} of {home}")
        for code, of_table, number in reading.canaries(str(dict(after))):
            if place is not None and code not in (place, 0) and before is None:
                leak(f"{probe}: wrote {of_table} {number} of {code} into {table} of {place}")

    def _place(self, table: str, row: Mapping[str, Any]) -> int | None:
        for column in ("municipality_id", "municipality"):
            if row.get(column):
                return int(row[column])
        person = row.get("id") if table == "people" else row.get("person_id")
        return self.world.place_of_person.get(person or 0)


PERSONS = frozenset({"person_id", "responsible_id", "executor_id", "author_id", "added_by", "created_by"})


def sample(probes: Iterable[Probe], many: int) -> list[Probe]:
    """A part of the matrix that holds every row, by a fixed seed."""
    everything = list(probes)
    dice = random.Random(SEED)
    chosen = set(dice.sample(range(len(everything)), min(many, len(everything))))
    seen: set[tuple[str, str, str]] = set()
    for place in dice.sample(range(len(everything)), len(everything)):
        probe = everything[place]
        key = (probe.method, probe.address, probe.kind)
        if key not in seen and not probe.visitor.out:
            seen.add(key)
            chosen.add(place)
    return [everything[place] for place in sorted(chosen)]


def stored_at(file: Path) -> closing[Stored]:
    """The world's file, closed at the end of the block."""
    return closing(Stored(file))
