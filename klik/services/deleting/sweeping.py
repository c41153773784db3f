"""Removing from disk what nothing refers to any more, never inside the transaction that let it go.

A file is removed under the lock of a writing transaction and only when it was not just stored again: whoever puts
the same bytes back makes the file's time new.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import exists, func, or_, select, update

from klik.models import DeletionItem, DiscardedFile, Export, MunicipalTask, StoredFile
from klik.services import auditing
from klik.services.deleting import archiving, sanity, tombstones
from klik.services.deleting.archiving import House
from klik.services.filestore import FileStore
from klik.services.work import Work

log = logging.getLogger("klik.deleting")
# What erasing writes to, for the database to leave no trace of it.
TABLES = tuple(
    sorted({table.__tablename__ for table in tombstones.REMOVED} | tombstones.CLEARED | {"plugin_events"})
)
ORPHANS_KEPT = timedelta(hours=24)
DRAWN_KEPT = timedelta(days=7)
AT_ONCE = 500


def sweep(house: House, now: datetime) -> tuple[int, str]:
    """Remove everything that is over; how many files, and why nothing when the clock is not believed."""
    with house.writing(now) as work:
        sanity.note(work)
        if doubt := sanity.doubt(work):
            return 0, doubt
        _let_archives_go(work)
        _let_files_go(work)
        _expire_exports(work)
    removed = remove_discarded(house, now)
    with house.reading(now) as work:
        known = set(work.session.scalars(select(StoredFile.sha256)))
        needed = _needed(work)
        drawn_until = min(now - DRAWN_KEPT, _oldest_running(work) or now)
    removed += _remove_old(house.files, known, now - ORPHANS_KEPT, now)
    removed += _remove_old(house.archive, needed, drawn_until, now)
    house.database.leave_no_trace(TABLES)
    return removed, ""


def _let_archives_go(work: Work) -> None:
    """Archive files whose kept days are over."""
    over = work.session.scalars(
        select(DeletionItem).where(
            DeletionItem.state == "slettet",
            DeletionItem.archive_kept_until < work.today,
            DeletionItem.archive_removed_at.is_(None),
        )
    ).all()
    for item in over:
        item.archive_removed_at = work.now
        facts = {"sha256": item.archive_sha256}
        auditing.record(
            work, "deletion-archive-removed", f"deletion-item/{item.id}", facts, item.municipality_id
        )
    archiving.discard(work, "arkiv", (item.archive_sha256 for item in over if item.archive_sha256))


def _let_files_go(work: Work) -> None:
    """Attachments that were taken off their task."""
    lone = select(StoredFile.sha256).where(
        StoredFile.created_at < work.now - ORPHANS_KEPT, *tombstones.unreferenced()
    )
    tombstones.forget_files(work, set(work.session.scalars(lone.limit(AT_ONCE))))


def _expire_exports(work: Work) -> None:
    """Lists that were begun before a task in them was erased, and packages that hold an archive file let go."""
    over = work.now - timedelta(seconds=1)
    erased = (
        select(func.max(MunicipalTask.erased_at))
        .where(or_(MunicipalTask.municipality_id == Export.municipality_id, Export.municipality_id.is_(None)))
        .correlate(Export)
        .scalar_subquery()
    )
    work.session.execute(
        update(Export)
        .where(
            Export.deletion_id.is_(None),
            Export.state == "faerdig",
            Export.started_at <= erased,
            Export.expires_at > work.now,
        )
        .values(expires_at=over),
        execution_options={"synchronize_session": False},
    )
    let_go = exists().where(
        DeletionItem.deletion_id == Export.deletion_id,
        DeletionItem.municipality_id == Export.municipality_id,
        DeletionItem.archive_removed_at >= Export.started_at,
    )
    work.session.execute(
        update(Export)
        .where(Export.state == "faerdig", let_go.correlate(Export), Export.expires_at > work.now)
        .values(expires_at=over),
        execution_options={"synchronize_session": False},
    )


def remove_discarded(house: House, now: datetime) -> int:
    """Unlink what was let go, each file in a transaction of its own; how many."""
    with house.reading(now) as work:
        waiting = work.session.execute(
            select(DiscardedFile.id, DiscardedFile.store, DiscardedFile.sha256).order_by(DiscardedFile.id)
        ).all()
    removed = 0
    for number, name, sha256 in waiting:
        store = house.files if name == "files" else house.archive
        with house.writing(now) as work:
            row = work.session.get(DiscardedFile, number, with_for_update=True)
            if row is None:
                continue
            if not _wanted_again(work, name, sha256):
                if _just_stored(store.path(sha256), row.since):
                    continue
                removed += _unlink(store.path(sha256))
            work.session.delete(row)
    return removed


def _wanted_again(work: Work, store: str, sha256: str) -> bool:
    if store == "files":
        return work.session.get(StoredFile, sha256) is not None
    return sha256 in _needed(work, sha256)


def _needed(work: Work, sha256: str | None = None) -> set[str]:
    """Archive files that are kept still."""
    statement = select(DeletionItem.archive_sha256).where(
        DeletionItem.archive_sha256.is_not(None), DeletionItem.archive_removed_at.is_(None)
    )
    if sha256 is not None:
        statement = statement.where(DeletionItem.archive_sha256 == sha256)
    return {found for found in work.session.scalars(statement) if found}


def _oldest_running(work: Work) -> datetime | None:
    return work.session.scalar(select(func.min(Export.started_at)).where(Export.state == "i-gang"))


def _just_stored(path: Path, since: datetime) -> bool:
    """Whether somebody stored the same bytes again after they were let go."""
    try:
        return path.stat().st_mtime > since.timestamp() + 1
    except FileNotFoundError:
        return False


def _remove_old(store: FileStore, kept: set[str], before: datetime, now: datetime) -> int:
    """Files that nothing keeps and nobody touched since ``before``, and half-written ones of yesterday."""
    removed = 0
    for path in store.folder.glob("[0-9a-f][0-9a-f]/*"):
        limit = now - ORPHANS_KEPT if path.name.startswith(".tmp-") else before
        if path.name not in kept and _touched_before(path, limit):
            removed += _unlink(path)
    for path in store.folder.glob(".tmp-*"):
        if _touched_before(path, now - ORPHANS_KEPT):
            removed += _unlink(path)
    return removed


def _touched_before(path: Path, moment: datetime) -> bool:
    try:
        return path.stat().st_mtime < moment.timestamp()
    except FileNotFoundError:
        return False


def _unlink(path: Path) -> int:
    try:
        path.unlink()
    except FileNotFoundError:
        return 0
    log.info("removed %s", path.name)
    return 1
