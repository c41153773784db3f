"""Fetching a finished file, the account of it, and forgetting it when it is over."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pikepdf
from sqlalchemy import delete, select

from klik.db import rows_changed
from klik.models import Export
from klik.services import access, auditing, deleting, house_package, packing
from klik.services.errors import NotFoundError
from klik.services.exports.kinds import HOUSE, KINDS
from klik.services.exports.states import DONE, RUNNING, WAITING
from klik.services.work import Work

# An account of what was taken home outlasts the file.
RECEIPT_KEPT = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a finished package says of itself: ``taken`` is the hash of each task's PDF by the task's id."""

    code: str = ""
    files: int = 0
    missing: tuple[str, ...] = ()
    taken: Mapping[int, str] = field(default_factory=dict)


def folder_in(data: Path) -> Path:
    """Where finished files lie in an installation's data folder; no backup holds them."""
    return data / "exports"


def path_of(folder: Path, export_id: int) -> Path:
    """Where the file of an export lies."""
    return folder / str(export_id)


def fetch(work: Work, folder: Path, export_id: int) -> tuple[Export, Path]:
    """A finished file of the actor's own; raises NotFoundError when it is not there (any more)."""
    export = access.export(work, export_id)
    if not is_there(work, folder, export):
        raise NotFoundError
    return export, path_of(folder, export_id)


def inventory(path: Path, kind: str) -> Inventory:
    """What a finished package holds and lacks; an empty one of tables."""
    if kind not in KINDS or not KINDS[kind].package:
        return Inventory()
    said = json.loads(manifest(path, kind))
    tasks = said.get("tasks", ())
    return Inventory(
        said.get("code", ""),
        sum(task["files"] for task in tasks),
        tuple(said["missing"]),
        {task["id"]: task["sha256"] for task in tasks},
    )


def manifest(path: Path, kind: str) -> bytes:
    """A finished package's manifest as JSON."""
    if KINDS[kind].extension == "zip":
        with zipfile.ZipFile(path) as package:
            return package.read(packing.MANIFEST)
    with pikepdf.open(path) as document:
        return document.attachments[packing.MANIFEST].get_file().read_bytes()


def note_fetched(work: Work, folder: Path, export_id: int) -> None:
    """Write down that the actor has the file now, and what that means for deletions. Raises NotFoundError.

    A package counts for each task in it; the first time is the one that is told.
    """
    export, path = fetch(work, folder, export_id)
    taken = inventory(path, export.kind).taken
    export.fetched_at = export.fetched_at or work.now
    work.session.flush()
    facts = {"sha256": export.sha256, "størrelse": export.size, "opgaver": len(taken) or export.total}
    auditing.record(work, "hent-udtræk", f"eksport/{export.id}", facts, export.municipality_id)
    if taken:
        deleting.note_fetched_all(work, taken)


def receipts(work: Work, folder: Path) -> Sequence[tuple[Export, bool]]:
    """What the actor has ordered, the newest first, and whether the file can be fetched now."""
    rows = work.session.scalars(
        select(Export).where(access.exports(work)).order_by(Export.id.desc()).limit(100)
    )
    return [(export, is_there(work, folder, export)) for export in rows]


def is_there(work: Work, folder: Path, export: Export) -> bool:
    """Whether a finished file has not gone yet, and is the actor's to take: a whole house is its administrator's."""
    if export.kind == HOUSE and not (
        house_package.may_take(work.actor)
        and work.actor is not None
        and work.actor.municipality_id == export.municipality_id
    ):
        return False
    over = export.expires_at is not None and export.expires_at <= work.now
    return export.state == DONE and not over and path_of(folder, export.id).is_file()


def sweep(work: Work, folder: Path) -> int:
    """Remove the files that are over, and after a year the account of them; how many of both."""
    settled = Export.state.not_in((WAITING, RUNNING))
    gone = 0
    for export_id in work.session.scalars(select(Export.id).where(Export.expires_at < work.now, settled)):
        path = path_of(folder, export_id)
        if path.exists():
            path.unlink(missing_ok=True)
            gone += 1
    old = delete(Export).where(Export.expires_at < work.now - RECEIPT_KEPT, settled)
    return gone + rows_changed(work.session, old)
