"""The restore drill: back up under writes, lose everything, restore, and prove it whole."""

from __future__ import annotations

import io
import os
import tarfile
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from klik.installation import Installation
from klik.models import AuditEntry, Comment, MunicipalTask, StoredFile
from klik.services import auditing, backup, invariants
from klik.services.backup import BackupError
from tests import make
from tests.conftest import make_settings
from tests.postgres import INSTALLATION


@pytest.fixture
def filled(house: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    if not house.database.sqlite:
        # pg_dump must be as new as the server, which comes from PyPI and brings its own.
        programs = INSTALLATION / "pginstall" / "bin"
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    with house.writing(make.NOW) as work:
        mette = make.person(work.session)
        for number in range(50):
            task = make.municipal_task(work.session, title=f"Lokal {number}", local=True)
            make.comment(work.session, task, mette, f"Kommentar {number} æøå")
        for number in range(5):
            sha = house.files.put(f"bilag {number}".encode())
            work.session.add(StoredFile(sha256=sha, size=7, media_type="text/plain", created_at=make.NOW))
        auditing.record(work, "act", "thing/1")
    return house


def _restored(house: Installation, tmp_path: Path, request: pytest.FixtureRequest) -> Installation:
    target = tmp_path / "again"
    if house.database.sqlite:
        settings = make_settings(target)
    else:
        server = request.getfixturevalue("postgres_server")
        settings = make_settings(target, server.create_database(f"again_{request.getfixturevalue('worker')}"))
    backup.restore(tmp_path / "backup.tar", make_url(settings.database_url), settings.data)
    return Installation(settings)


def test_a_backup_under_writes_restores_whole(
    filled: Installation, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    stop, written = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            with filled.writing(make.NOW + timedelta(seconds=len(written))) as work:
                auditing.record(work, "act", f"thing/{len(written)}")
            written.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        size = backup.backup(filled.database, filled.files, tmp_path / "backup.tar", make.NOW)
    finally:
        stop.set()
        writer.join()
    assert size > 10_000
    assert written, "nothing was written meanwhile, so nothing is shown"
    again = _restored(filled, tmp_path, request)
    try:
        with again.reading(make.NOW) as work:
            assert list(invariants.faults(work.session, again.files)) == []
            counted = [
                work.session.scalar(select(func.count()).select_from(table))
                for table in (MunicipalTask, Comment, StoredFile)
            ]
            assert counted == [50, 50, 5]
            assert (work.session.scalar(select(func.count()).select_from(AuditEntry)) or 0) >= 1
            assert (
                work.session.scalar(select(Comment.text).order_by(Comment.id).limit(1)) == "Kommentar 0 æøå"
            )
    finally:
        again.close()


def test_a_lost_file_is_found_after_restore(
    filled: Installation, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    lost = next(file for file in filled.files.folder.rglob("*") if file.is_file())
    lost.unlink()
    backup.backup(filled.database, filled.files, tmp_path / "backup.tar", make.NOW)
    again = _restored(filled, tmp_path, request)
    try:
        with again.reading(make.NOW) as work:
            assert [fault.name for fault in invariants.faults(work.session, again.files)] == ["files"]
    finally:
        again.close()


def test_nothing_is_overwritten(filled: Installation, tmp_path: Path) -> None:
    target = tmp_path / "backup.tar"
    backup.backup(filled.database, filled.files, target, make.NOW)
    with pytest.raises(BackupError, match="findes allerede"):
        backup.backup(filled.database, filled.files, target, make.NOW)
    with pytest.raises(BackupError, match="tom"):
        backup.restore(target, filled.database.url, filled.settings.data)


@pytest.mark.parametrize("content", [b"", b"not a tar", None])
def test_what_is_no_backup_is_refused(house: Installation, tmp_path: Path, content: bytes | None) -> None:
    source = tmp_path / "x.tar"
    if content is not None:
        source.write_bytes(content)
    with pytest.raises(BackupError):
        backup.restore(source, make_url(f"sqlite:///{tmp_path / 'new' / 'klik.sqlite'}"), tmp_path / "new")
    assert not (tmp_path / "new" / "klik.sqlite").exists()


@pytest.mark.parametrize("name", ["../ud", "files/ab/../../../ud", "klik.conf", "/ud", "files/" + "a" * 64])
def test_a_backup_that_holds_anything_else_is_refused(tmp_path: Path, name: str) -> None:
    file, data = tmp_path / "backup.tar", tmp_path / "data"
    with tarfile.open(file, "w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    with pytest.raises(BackupError, match="ikke en sikkerhedskopi"):
        backup.restore(file, make_url(f"sqlite:///{data}/klik.sqlite"), data)
    assert list(data.iterdir()) == []
    assert not (tmp_path / "ud").exists()
