"""A municipality's whole content as one package: every task's folder, the tables as JSON and as CSV, a manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, select

from klik.domain import proof_codes
from klik.domain.rights import Level, Right
from klik.models import MunicipalTask, Person
from klik.services import access, auditing, packing
from klik.services.errors import ForbiddenError
from klik.services.house_package import plain_tables
from klik.services.house_package.left_out import NOT_IN
from klik.services.house_package.naming import Naming
from klik.services.house_package.tables import TABLES, PackedTable
from klik.services.house_package.values import PLAIN, plain
from klik.services.packing import Folder, Member, Package
from klik.services.tasks import drawn
from klik.services.tasks.drawn import House, Undrawn
from klik.services.work import Actor, Work

FORMAT, NAME = "klik-hus/1", "hus.json"
DATA, TABLES_FOLDER = "data", "tabeller"
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What a package holds: tasks with a folder, rows in the tables, and what could not be packed.

    ``content_key`` is the hash of it all, and ``code`` what the package is known by.
    """

    tasks: int
    rows: int
    missing: tuple[str, ...]
    content_key: str
    code: str


def task_ids(work: Work) -> list[int]:
    """Every task of the actor's municipality that is not erased, in the order they were made.

    Raises ForbiddenError for anybody but the municipality's administrator.
    """
    code = _place(work)
    return list(
        work.session.scalars(
            select(MunicipalTask.id)
            .where(MunicipalTask.municipality_id == code, access.visible(work))
            .order_by(MunicipalTask.id)
        )
    )


def may_take(actor: Actor | None) -> bool:
    """Whether everything a municipality has is this person's to take home: its administrator's."""
    return (
        actor is not None
        and actor.has(Right.EXPORT)
        and actor.level is Level.ADMINISTRATOR
        and actor.municipality_id is not None
    )


def _place(work: Work) -> int:
    actor = access.require(work, Right.EXPORT)
    if not may_take(actor) or actor.municipality_id is None:
        raise ForbiddenError(Right.EXPORT)
    return actor.municipality_id


def write(
    house: House, actor: Actor, now: datetime, target: Path, told: Told = lambda _done: None
) -> Written:
    """Write the package of the actor's municipality to ``target``. Not to be called in a transaction.

    ``told`` hears how many tasks are in, at least once a second, and may raise to stop. The tables are read in one
    transaction after the PDFs are drawn. Making it is no receipt of a deletion. Raises ForbiddenError for anybody
    but the municipality's administrator, RenderingError, MissingFileError.
    """
    with house.reading(now, actor) as work:
        ids = task_ids(work)
    missing: list[str] = []
    rows, key = 0, ""

    def members() -> Iterator[Member]:
        nonlocal rows
        with house.reading(now, actor) as work:
            tables = collect(work)
        rows = sum(len(found) for _table, found in tables)
        for member in members_of(tables, now, actor):
            told(len(ids))
            yield member

    def facts(package: Package) -> Mapping[str, object]:
        nonlocal key
        key = package.content_key(actor.place)
        return {"code": proof_codes.of(key)}

    folders = _folders(house, actor, now, ids, missing, told)
    with closing(folders):
        tasks = packing.write(target, folders, members(), facts)
    with house.writing(now, actor) as work:
        auditing.record(
            work,
            "eksportér-hus",
            f"kommune/{actor.municipality_id}",
            {"opgaver": tasks, "rækker": rows},
            actor.municipality_id,
        )
    return Written(tasks, rows, tuple(missing), key, proof_codes.of(key))


def _folders(
    house: Any, actor: Actor, now: datetime, ids: list[int], missing: list[str], told: Told
) -> Generator[Folder | Undrawn, None, None]:
    done = 0
    with closing(drawn.tasks(house, actor, now, ids, lambda _got: told(done))) as answers:
        for done, pdf in enumerate(answers, start=1):
            if isinstance(pdf, Undrawn):
                missing.append(packing.lacking(pdf))
                yield pdf
            else:
                folder = packing.folder(house, pdf)
                missing.extend(folder.missing)
                yield folder
            told(done)


def collect(work: Work) -> list[tuple[PackedTable, list[PLAIN]]]:
    """Every table with its rows as they stand in the package; people from elsewhere are named last."""
    naming = Naming(work.session, _place(work))
    found = [(table, list(_rows(work, table, naming))) for table in TABLES]
    for table, rows in found:
        if table.model is Person:
            rows.extend(_outsiders(naming))
    return found


def _rows(work: Work, table: PackedTable, naming: Naming) -> Iterator[PLAIN]:
    assert work.actor is not None and work.actor.municipality_id is not None
    keys = inspect(table.model).primary_key
    statement = table.rows(work.actor.municipality_id)
    rows = work.session.scalars(statement.order_by(*keys).execution_options(yield_per=500))
    ordered = [(plain(table, row, naming)) for row in rows]
    # What has no number of its own stands in the order of its words, which is the same in every database.
    if len(keys) > 1 or table.key in ("system", "file"):
        ordered.sort(key=lambda values: json.dumps(values, ensure_ascii=False, sort_keys=True))
    yield from ordered


def _outsiders(naming: Naming) -> Iterator[PLAIN]:
    for key in sorted(set(naming.outsiders.values())):
        yield {
            "name": key.partition("/")[2],
            "email": key,
            "phone": None,
            "active": False,
            "created_at": None,
            "anonymised_at": None,
        }


def members_of(
    tables: list[tuple[PackedTable, list[PLAIN]]], now: datetime, actor: Actor
) -> Iterator[Member]:
    """The files of a package beside the tasks' folders."""
    yield Member(NAME, _json(_house(tables, now, actor)))
    for table, rows in tables:
        yield Member(f"{DATA}/{table.name}.json", table_json(table, rows))
    for path, content in plain_tables.files(tables):
        yield Member(f"{TABLES_FOLDER}/{path}", content)


def table_json(table: PackedTable, rows: Iterable[PLAIN]) -> bytes:
    """A table's file: a row a line, so that two packages can be compared with ordinary tools."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, sort_keys=True) for row in rows)
    return f'{{"table": "{table.name}", "rows": [\n{lines}\n]}}\n'.encode()


def _house(tables: list[tuple[PackedTable, list[PLAIN]]], now: datetime, actor: Actor) -> dict[str, object]:
    return {
        "format": FORMAT,
        "municipality": actor.municipality_id,
        "place": actor.place,
        "exported_at": now.isoformat(),
        "klik": metadata.version("klik"),
        "tables": [{"name": table.name, "title": table.title, "rows": len(rows)} for table, rows in tables],
        "left_out": list(NOT_IN),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True).encode()
