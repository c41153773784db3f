"""Reading a package in: what is there already stays as it stands, the rest is made, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, inspect, select
from sqlalchemy.exc import DataError, IntegrityError

from klik.domain import filetypes
from klik.models import Municipality, Person, RoleHolding, SavedFilter, StoredFile, Task, TaskVersion, Wave
from klik.services import auditing
from klik.services.auditing import Act
from klik.services.filestore import FileStore
from klik.services.house_package import arriving
from klik.services.house_package.naming import OUTSIDE, Naming, outside_address
from klik.services.house_package.opening import Opened, refused
from klik.services.house_package.plain_tables import keys_of
from klik.services.house_package.tables import TABLES, PackedTable
from klik.services.house_package.values import PLAIN, ValueRefusedError, plain, stored
from klik.services.house_package.writing import DATA
from klik.services.work import Work

MOST_TOLD = 20
Told = Callable[[int, int], None]


@dataclass(slots=True)
class Counts:
    """Of one table: rows that are (or would be) made, and rows left because they are there already."""

    title: str
    new: int = 0
    there: int = 0


@dataclass(slots=True)
class Report:
    """What reading in did or would do. ``wrong`` keeps everything out; ``remarks`` do not."""

    tables: dict[str, Counts] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    kept: bool = False

    @property
    def new(self) -> int:
        """Rows made, or that would be."""
        return sum(counts.new for counts in self.tables.values())

    @property
    def there(self) -> int:
        """Rows that were there."""
        return sum(counts.there for counts in self.tables.values())


def read_in(
    work: Work, files: FileStore, package: Opened, *, keep: bool, told: Told = lambda _done, _all: None
) -> Report:
    """Make of the package what is not there; kept only with ``keep`` and when nothing in it is wrong.

    Raises RefusedError when the package as a whole cannot be used. Files are put on disk before their rows.
    """
    if work.session.get(Municipality, package.municipality) is None:
        raise refused(f"Kommunen med koden {package.municipality} findes ikke i dette klik.")
    reader = _Reader(work, files, package, keep)
    try:
        with work.session.begin_nested() as undoable:
            reader.all(told)
            reader.report.kept = keep and not reader.report.wrong
            if not reader.report.kept:
                undoable.rollback()
    except (IntegrityError, DataError) as error:
        raise refused(
            f"Databasen afviste en række i {DATA}/{reader.table}.json; den passer ikke sammen med resten."
        ) from error
    if reader.report.kept and reader.report.new:
        _note(work, package, reader)
    return reader.report


def _note(work: Work, package: Opened, reader: _Reader) -> None:
    acts = [
        Act("publish", f"task/{reader.ids['task'][key]}", {"pakke": package.sha256})
        for key in sorted(reader.made.get("task", ()))
    ]
    facts = {"pakke": package.sha256, "nye": reader.report.new, "der i forvejen": reader.report.there}
    acts.append(Act("indlæs-pakke", f"kommune/{package.municipality}", facts, package.municipality))
    auditing.record_all(work, acts)


class _Reader:
    """One package on its way in: which keys have which ids here, and which of them were made just now."""

    def __init__(self, work: Work, files: FileStore, package: Opened, keep: bool) -> None:
        self.work, self.session, self.files, self.package, self.keep = (
            work,
            work.session,
            files,
            package,
            keep,
        )
        self.code = package.municipality
        self.here = Naming(work.session, self.code)
        self.ids: dict[str, dict[str, Any]] = {}
        self.made: dict[str, set[str]] = {}
        self.report = Report()
        self.table = ""
        self._left_tasks = 0

    def all(self, told: Told) -> None:
        """Every table in the order in which one points at the other."""
        whole = sum(len(rows) for rows in self.package.tables.values())
        done = 0
        for table in TABLES:
            self.table, rows = table.name, self.package.tables[table.name]
            self.report.tables[table.name] = Counts(table.title)
            try:
                keys = keys_of(table, rows)
            except (KeyError, AttributeError, TypeError):
                self._wrong(0, "et felt mangler eller er af en anden slags")
                return
            if len(set(filter(None, keys))) != len([key for key in keys if key]):
                self._wrong(0, "to rækker er den samme")
            self._read(table, rows, keys)
            if self.report.wrong:
                return  # what points at a wrong row would only be wrong too
            done += len(rows)
            told(done, whole)
        if self._left_tasks > MOST_TOLD:
            self.report.remarks.append(
                f"Og {self._left_tasks - MOST_TOLD} opgaver mere, som er her i forvejen."
            )

    def lookup(self, kind: str, key: str) -> Any:
        """The id of something the package has told of before."""
        found = self.ids.get(kind, {}).get(key)
        if found is None:
            raise ValueRefusedError(f"“{key[:100]}” er ikke med i pakken")
        return found

    def _wrong(self, number: int, sentence: str) -> None:
        if len(self.report.wrong) < MOST_TOLD:
            place = f", række {number}" if number else ""
            self.report.wrong.append(f"{DATA}/{self.table}.json{place}: {sentence}.")
        elif len(self.report.wrong) == MOST_TOLD:
            self.report.wrong.append("Og flere.")

    def _read(self, table: PackedTable, rows: list[PLAIN], keys: list[str]) -> None:
        counts = self.report.tables[table.name]
        known = self._known(table)
        waiting: list[tuple[str, dict[str, Any]]] = []
        for number, (key, values) in enumerate(zip(keys, rows, strict=True), start=1):
            try:
                if table.owner and not self._owner_is_new(table, values):
                    counts.there += 1
                    continue
                row = self._row(table, key, values)
                if self._is_there(table, key, row, known):
                    counts.there += 1
                    self._left(table, key, row, values)
                    continue
                waiting.append((key, row))
            except ValueRefusedError as error:
                self._wrong(number, str(error))
        self._insert(table, waiting)
        counts.new += len(waiting)

    def _owner_is_new(self, table: PackedTable, values: PLAIN) -> bool:
        assert table.owner is not None
        key = values.get(table.label(table.owner))
        kind = table.pointing[table.owner]
        if not isinstance(key, str):
            raise ValueRefusedError(f"feltet “{table.label(table.owner)}” er ingen tekst")
        self.lookup(kind, key)
        return key in self.made.get(kind, ())

    def _row(self, table: PackedTable, key: str, values: PLAIN) -> dict[str, Any]:
        if table.model is Person and key.startswith(OUTSIDE):
            values = values | {"email": outside_address(key), "created_at": self.work.now.isoformat()}
        row = stored(table, values, self.lookup)
        arriving.complete(table, row, values, self.work)
        if "municipality_id" in table.model.__table__.columns:
            row["municipality_id"] = self.code
        return row

    def _known(self, table: PackedTable) -> Any:
        """What there is here: keys with their ids, or the natural values of rows."""
        if table.owner:
            return None
        if table.model is Municipality:
            return {str(self.code): self.code}
        if table.model is Person:
            return {
                email: number for number, email in self.session.execute(select(Person.id, Person.email_key))
            }
        if table.model is SavedFilter:
            owned = self.session.execute(select(SavedFilter.id, SavedFilter.person_id, SavedFilter.name_key))
            return {(person, name): number for number, person, name in owned}
        if table.key in ("system", "file"):
            column = inspect(table.model).primary_key[0]
            return {key: key for key in self.session.scalars(select(column))}
        if table.key:
            return self.here.ids(table.key)
        columns = [table.model.__table__.columns[name] for name in table.natural]
        statement = select(*columns)
        if "municipality_id" in table.model.__table__.columns:
            statement = statement.where(table.model.__table__.columns["municipality_id"] == self.code)
        found = {tuple(row) for row in self.session.execute(statement)}
        return (found, self._primaries()) if table.model is RoleHolding else (found, set())

    def _primaries(self) -> set[tuple[str, str | None]]:
        rows = self.session.execute(
            select(RoleHolding.role, RoleHolding.system_code).where(
                RoleHolding.municipality_id == self.code,
                RoleHolding.is_primary,
                RoleHolding.valid_to.is_(None),
            )
        )
        return {(role, system) for role, system in rows}

    def _is_there(self, table: PackedTable, key: str, row: dict[str, Any], known: Any) -> bool:
        if table.owner:
            return False
        if not table.key:
            found, primaries = known
            if tuple(row[name] for name in table.natural) in found:
                return True
            if row.get("is_primary") and row["valid_to"] is None:
                if (row["role"], row["system_code"]) in primaries:
                    self.report.remarks.append(
                        f"Rollen {row['role']} har en anden primær her; pakkens er udeladt."
                    )
                    return True
                primaries.add((row["role"], row["system_code"]))
            return False
        here: Any = key
        if table.model is Person:
            here = row["email_key"]
        elif table.model is SavedFilter:
            here = (row["person_id"], row["name_key"])
        if here not in known:
            return False
        self.ids.setdefault(table.key, {})[key] = known[here]
        return True

    def _left(self, table: PackedTable, key: str, row: dict[str, Any], values: PLAIN) -> None:
        """What is said, checked or filled in when a row is there already."""
        if table.model is Municipality:
            arriving.fill(self.session.get_one(Municipality, self.code), row, ("mailbox", "inhabitants"))
        elif table.model is Wave:
            arriving.fill(self.session.get_one(Wave, self.ids["wave"][key]), row, ("go_live",))
        elif table.key == "municipal_task":
            self._left_tasks += 1
            if self._left_tasks <= MOST_TOLD:
                self.report.remarks.append(f"Opgaven {key} er her i forvejen og er ladt, som den står.")
        elif table.model is TaskVersion:
            version = self.session.get_one(TaskVersion, self.ids["version"][key])
            ours = plain(table, version, self.here)
            if any(ours[name] != value for name, value in values.items() if name != "created_at"):
                raise ValueRefusedError(f"version {key} har en anden tekst i dette klik")

    def _insert(self, table: PackedTable, waiting: list[tuple[str, dict[str, Any]]]) -> None:
        if not waiting:
            return
        rows = [row for _key, row in waiting]
        if table.model is StoredFile:
            self._put(rows)
        if table.model is TaskVersion:
            self._require_new_tasks(waiting)
        if not table.key:
            self.session.execute(insert(table.model), rows)
            return
        column = inspect(table.model).primary_key[0]
        if table.key in ("system", "file"):
            self.session.execute(insert(table.model), rows)
            numbers: list[Any] = [row[column.name] for row in rows]
        else:
            made = insert(table.model).returning(column, sort_by_parameter_order=True)
            numbers = list(self.session.scalars(made, rows))
        keys = [key for key, _row in waiting]
        self.ids.setdefault(table.key, {}).update(zip(keys, numbers, strict=True))
        self.made.setdefault(table.key, set()).update(keys)

    def _require_new_tasks(self, waiting: list[tuple[str, dict[str, Any]]]) -> None:
        """A task that is here already keeps its versions; a further one would be a correction nobody published."""
        fresh = {self.ids["task"][key] for key in self.made.get("task", ())}
        for key, row in waiting:
            if row["task_id"] not in fresh:
                task = self.session.get_one(Task, row["task_id"])
                self._wrong(
                    0, f"{key} findes ikke i dette klik, hvor opgaven er i version {task.current_number}"
                )

    def _put(self, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if row["media_type"] not in filetypes.MEDIA_TYPES.values():
                self._wrong(0, f"filen {row['sha256']} er af en type, der ikke kan vedhæftes")
            elif not self.package.has(row["sha256"]):
                self.report.remarks.append(f"Filen {row['sha256']} manglede allerede, da pakken blev lavet.")
            elif self.keep:
                content = self.package.file(row["sha256"])
                if len(content) != row["size"]:
                    self._wrong(0, f"filen {row['sha256']} har en anden størrelse, end der står")
                self.files.put(content)
