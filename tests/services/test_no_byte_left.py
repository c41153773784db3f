"""After a purge no byte of the task is left: every table, every file, the write-ahead log, temporary files, the log.

Every text of a task carries a random word. Until the archive's kept days are over it is found in the archive file
and nowhere else; after that nowhere at all. Every table is walked, so a new one must say what becomes of it.
"""

from __future__ import annotations

import secrets
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, String, Text, select

from klik import jobs
from klik.domain.deadlines import danish_today
from klik.installation import Installation
from klik.models import Base, DeletionItem, Export, Municipality, MunicipalTask
from klik.services import exports
from klik.services.deleting import sanity, tombstones
from klik.services.tasks import drawn
from tests import make
from tests.make import KOEGE, NOW
from tests.services.deletion_world import DUE, announced, full_task

TASKS = MunicipalTask.__table__


def texts_of(house: Installation, word: str) -> set[str]:
    """The columns of the database that hold the word, of every table there is."""
    found = set()
    with house.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in session.execute(select(table)).mappings():
                for column, value in row.items():
                    content = value if isinstance(value, bytes) else str(value).encode()
                    if word.encode() in content.lower():
                        found.add(f"{table.name}.{column}")
    return found


def files_with(folder: Path, word: str) -> set[Path]:
    """The files under a folder that hold the word, as it is, in UTF-16, or inside a ZIP or a PDF's streams."""
    return {
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.is_file() and any(_holds(part, word) for part in _parts(path))
    }


def _holds(content: bytes, word: str) -> bool:
    low = content.lower()
    return any(word.encode(coding) in low for coding in ("utf-8", "utf-16-le", "utf-16-be"))


def _parts(path: Path) -> Iterator[bytes]:
    content = path.read_bytes()
    yield content
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as package:
            for name in package.namelist():
                yield package.read(name)
                yield name.encode()
    start = 0
    while (start := content.find(b"stream\n", start)) >= 0:
        start += len(b"stream\n")
        try:
            yield zlib.decompressobj().decompress(content[start:])
        except zlib.error:
            continue


def ordered(house: Installation, word: str, at: datetime, deletion_id: int | None = None) -> Path:
    """A list, or the package of a deletion, that somebody ordered and has a week to fetch."""
    with house.database.writing() as session:
        export = Export(
            municipality_id=KOEGE,
            kind="zip" if deletion_id else "csv",
            query="",
            deletion_id=deletion_id,
            state="faerdig",
            file_name="opgaver",
            created_at=at,
            started_at=at,
            finished_at=at,
            expires_at=at + timedelta(days=7),
        )
        session.add(export)
        session.flush()
        folder = exports.folder_in(house.settings.data)
        folder.mkdir(exist_ok=True)
        path = exports.path_of(folder, export.id)
        path.write_text(f"titel\n{word}\n")
        return path.relative_to(house.settings.data)


def run(house: Installation, name: str, now: datetime) -> None:
    with house.writing(now) as work:
        sanity.confirm(work, danish_today(now))
    outcome = jobs.run(house, name, now, f"{now}")
    assert outcome is not None
    assert outcome.well, outcome.sentence


@pytest.mark.hard
def test_no_byte_is_left(
    house: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    word = f"kanarie{secrets.token_hex(8)}"
    data = house.settings.data
    temporary = tmp_path / "midlertidigt"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    monkeypatch.setenv("TMPDIR", str(temporary))
    caplog.set_level("INFO")
    with house.database.writing() as session:
        task_id = full_task(house, session, word).id
        deletion_id = announced(session, [task_id])
        place = session.get_one(Municipality, KOEGE)
        actor = make.actor(session, make.person(session, municipality=place.id))
    ordered(house, word, DUE - timedelta(hours=2))
    drawn.task(house, actor, NOW, task_id)
    before = texts_of(house, word)
    expected = {
        f"{table.__tablename__}.{column.name}"
        for table in tombstones.REMOVED
        for column in table.__table__.columns
        if column.name
        in ("text", "old", "new", "value", "name", "before", "after", "kept_because", "close_reason")
    }
    assert expected <= before
    assert {"mails.content", "mails.subject", "notices.heading", "notices.sentence"} <= before
    assert {"municipal_tasks.local_text", "plugin_events.payload", "bulk_changes.words"} <= before
    assert files_with(data, word)

    run(house, "delete-due", DUE)
    run(house, "sweep", DUE + timedelta(minutes=1))
    with house.database.reading() as session:
        state, sha256 = session.execute(select(DeletionItem.state, DeletionItem.archive_sha256)).one()
    archive = house.archive.path(sha256)
    assert state == "slettet"
    assert texts_of(house, word) == set()
    assert files_with(data, word) == {archive.relative_to(data)}
    assert files_with(temporary, word) == set()
    assert word not in caplog.text

    package = ordered(house, word, DUE + timedelta(days=89), deletion_id)
    run(house, "sweep", DUE + timedelta(days=90))
    assert files_with(data, word) == {archive.relative_to(data), package}
    over = DUE + timedelta(days=91)
    run(house, "sweep", over)
    assert texts_of(house, word) == set()
    assert files_with(data, word) == set()
    assert files_with(temporary, word) == set()
    assert word not in caplog.text
    files = sum(1 for path in data.rglob("*") if path.is_file())
    tables = len(Base.metadata.tables)
    print(f"purge: 0 traces left in {tables} tables and {files} files")  # noqa: T201 - the figure is what the run is for


def test_the_search_finds_what_an_ordinary_delete_leaves(tmp_path: Path) -> None:
    word = f"kanarie{secrets.token_hex(8)}"
    connection = sqlite3.connect(tmp_path / "naive.sqlite")
    connection.execute("pragma secure_delete=off")
    connection.execute("pragma journal_mode=wal")
    connection.execute("create table comments (text)")
    connection.executemany("insert into comments values (?)", [(f"{word} {n}",) for n in range(50)])
    connection.commit()
    connection.execute("delete from comments")
    connection.commit()
    (tmp_path / "stor.zip").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "stor.zip", "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("fil.txt", f"{word} " * 100)
    left = {str(path) for path in files_with(tmp_path, word)}
    connection.close()
    assert left & {"naive.sqlite", "naive.sqlite-wal"}
    assert "stor.zip" in left


def test_every_table_says_what_becomes_of_it() -> None:
    removed = {table.__tablename__ for table in tombstones.REMOVED}
    treated = removed | tombstones.CLEARED | tombstones.KEPT.keys()
    of_tasks = {table.name for table in Base.metadata.sorted_tables if "municipal_task_id" in table.columns}
    assert of_tasks <= treated, (
        f"say in klik.services.deleting.tombstones what becomes of {of_tasks - treated}"
    )
    for name in tombstones.KEPT:
        long = [
            column.name
            for column in Base.metadata.tables[name].columns
            if isinstance(column.type, Text | LargeBinary)
            or (isinstance(column.type, String) and (column.type.length or 999) > 200)
        ]
        assert long == [], f"{name} is kept and must hold no text: {long}"


# Columns of the tombstone that stay: ids, the number, what KOMBIT chose, and when.
STAYING = {
    "id",
    "municipality_id",
    "version",
    "task_id",
    "task_version_id",
    "project_id",
    "system_code",
    "round",
    "task_number",
    "number_key",
    "phase",
    "theme",
    "priority",
    "infrastructure",
    "deadline_version",
    "for_information",
    "created_at",
    "changed_at",
    "withdrawn_at",
    "erased_at",
}


def test_every_column_of_the_task_is_cleared_or_stays() -> None:
    assert {column.name for column in TASKS.columns} == STAYING | tombstones.OF_THE_TASK.keys()
