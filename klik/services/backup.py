"""Backup and restore of database and files, on SQLite and PostgreSQL; a restore is proven before it counts.

A backup is one tar file: first the database, then the files, so that no row can lack its file. On PostgreSQL
the database is copied by pg_dump, which must be as new as the server.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL

from klik.db import Database
from klik.services.filestore import FileStore

SQLITE, POSTGRESQL, MANIFEST = "klik.sqlite", "klik.dump", "klik.json"
HELD = re.compile(r"klik\.(sqlite|dump|json)|files/[0-9a-f]{2}/[0-9a-f]{64}")


class BackupError(Exception):
    """The backup or the restore was not made; a Danish sentence."""


def backup(database: Database, files: FileStore, target: Path, now: datetime) -> int:
    """Write a backup to ``target`` and return its size in bytes; writers go on meanwhile."""
    if target.exists():
        raise BackupError(f"Filen {target} findes allerede; vælg et andet navn.")
    try:
        _write(database, files, target, now)
    except OSError as error:
        raise BackupError(
            f"Sikkerhedskopien kunne ikke skrives i {target.absolute().parent}: "
            "klik må ikke skrive der, eller disken er fuld."
        ) from error
    return target.stat().st_size


def _write(database: Database, files: FileStore, target: Path, now: datetime) -> None:
    with tempfile.TemporaryDirectory(dir=_folder(target)) as work:
        folder = Path(work)
        name = SQLITE if database.sqlite else POSTGRESQL
        (_copy_sqlite if database.sqlite else _copy_postgresql)(database.url, folder / name)
        manifest = folder / MANIFEST
        manifest.write_text(json.dumps({"database": name, "at": now.isoformat()}), "utf-8")
        whole = folder / "whole.tar"
        with tarfile.open(whole, "w") as tar:
            tar.add(manifest, MANIFEST)
            tar.add(folder / name, name)
            if files.folder.is_dir():
                tar.add(files.folder, "files", filter=_without_temporary)
        with whole.open("rb") as stream:
            os.fsync(stream.fileno())
        whole.chmod(0o600)  # people and their addresses
        whole.replace(target)


def _folder(target: Path) -> Path:
    folder = target.absolute().parent
    if not folder.is_dir():
        raise BackupError(f"Mappen {folder} findes ikke.")
    return folder


def _without_temporary(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if Path(entry.name).name.startswith(".tmp-") else entry


def _copy_sqlite(url: URL, target: Path) -> None:
    with closing(sqlite3.connect(str(url.database))) as source, closing(sqlite3.connect(target)) as copy:
        # One step: with small ones a busy database makes the copy begin again for ever.
        source.backup(copy, pages=-1)
        if copy.execute("pragma integrity_check").fetchone() != ("ok",):
            raise BackupError("Kopien af databasen er ikke hel; der er ikke taget nogen sikkerhedskopi.")


def _copy_postgresql(url: URL, target: Path) -> None:
    _run(["pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}", _plain(url)])


def _plain(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _run(command: list[str]) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise BackupError(f"Programmet {command[0]} findes ikke; det hører til pakken postgresql-client.")
    done = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{command[0]} fejlede: {done.stderr.strip()[:500]}")


def restore(source: Path, database_url: URL, data: Path) -> None:
    """Put a backup into an empty installation; raises BackupError where there is already something."""
    if not source.is_file():
        raise BackupError(f"Filen {source} findes ikke.")
    if not os.access(source, os.R_OK):
        raise BackupError(f"Filen {source} må ikke læses af den bruger, der kører klik.")
    data.mkdir(parents=True, exist_ok=True)
    files = data / "files"
    if files.exists() and any(files.iterdir()):
        raise BackupError(f"Mappen {files} er ikke tom; indlæs i en tom mappe.")
    sqlite = database_url.get_backend_name() == "sqlite"
    with tempfile.TemporaryDirectory(dir=data) as work:
        folder = Path(work)
        try:
            _unpack(source, folder)
            manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        except (tarfile.TarError, OSError, ValueError) as error:
            raise BackupError(f"Filen {source} er ikke en sikkerhedskopi fra klik.") from error
        if manifest["database"] != (SQLITE if sqlite else POSTGRESQL):
            raise BackupError("Sikkerhedskopien er taget på en anden slags database end den, der er valgt.")
        if sqlite:
            target = Path(str(database_url.database))
            if target.exists():
                raise BackupError(f"Databasen {target} findes allerede; indlæs i en tom mappe.")
            (folder / SQLITE).replace(target)
        else:
            _refuse_filled(database_url)
            _run(
                [
                    "pg_restore",
                    "--exit-on-error",
                    "--single-transaction",
                    "--no-owner",
                    "--no-privileges",
                    f"--dbname={_plain(database_url)}",
                    str(folder / POSTGRESQL),
                ]
            )
        if (folder / "files").is_dir():
            files.parent.mkdir(parents=True, exist_ok=True)
            if files.exists():
                files.rmdir()
            (folder / "files").replace(files)


def _unpack(source: Path, folder: Path) -> None:
    """Take out what a backup holds and nothing else; Debian 12's tarfile knows no filters yet."""
    with tarfile.open(source) as tar:
        for entry in tar:
            if entry.isdir():
                continue
            stream = tar.extractfile(entry) if entry.isfile() and HELD.fullmatch(entry.name) else None
            if stream is None:
                raise tarfile.TarError(entry.name)
            target = folder / entry.name
            target.parent.mkdir(parents=True, exist_ok=True)
            with stream, target.open("xb") as copy:
                shutil.copyfileobj(stream, copy)


def _refuse_filled(url: URL) -> None:
    from sqlalchemy import inspect

    database = Database(url.render_as_string(hide_password=False))
    try:
        if inspect(database.engine).get_table_names():
            raise BackupError("Databasen er ikke tom; indlæs i en tom database.")
    finally:
        database.close()
