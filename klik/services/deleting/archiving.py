"""The archive file of a task that is to be deleted: drawn, packed, stored durably, read again, and read back later.

Each step is a transaction of its own, so that a run that dies goes on where it was. What waits says why.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from klik.db import Database
from klik.models import Deletion, DeletionItem, DiscardedFile, Municipality, MunicipalTask
from klik.services import auditing, packing
from klik.services.deleting.progress import held
from klik.services.filestore import FileStore, MissingFileError
from klik.services.packing import Folder, Member
from klik.services.people import acting
from klik.services.rendering import RenderingError
from klik.services.tasks import drawn, exporting
from klik.services.work import Actor, Work

Clock = Callable[[], datetime]
# What the same content says otherwise on another day.
OF_THE_DAY = ("exported_on", "identifier")


class House(drawn.House):
    """What archiving and erasing need of an installation."""

    database: Database


class WaitingError(Exception):
    """A task that is due cannot be deleted now; the message is a Danish sentence that says why."""


@dataclass(frozen=True, slots=True)
class Proven:
    """An archive file that was just read again: whose content it holds, whatever the day."""

    content: str
    at: datetime


def due(work: Work, item_id: int | None = None) -> list[int]:
    """Items past their last day in Denmark that may go: told of, not held; those begun first.

    With an id only that one, when it is among them.
    """
    statement = (
        select(DeletionItem.id)
        .join(Deletion, Deletion.id == DeletionItem.deletion_id)
        .where(
            Deletion.state == "varslet",
            Deletion.last_day < work.today,
            DeletionItem.notified_at.is_not(None),
            DeletionItem.state != "slettet",
            ~held(work),
        )
        .order_by(DeletionItem.state != "arkiveret", Deletion.last_day, DeletionItem.id)
    )
    if item_id is not None:
        statement = statement.where(DeletionItem.id == item_id)
    return list(work.session.scalars(statement))


def locked(work: Work, item_id: int) -> DeletionItem | None:
    """The item with its deletion and its task, locked for a step; None when it is not due (any more)."""
    item = work.session.get_one(DeletionItem, item_id, with_for_update=True)
    work.session.get_one(Deletion, item.deletion_id, with_for_update=True)
    work.session.get_one(MunicipalTask, item.municipal_task_id, with_for_update=True)
    return item if due(work, item_id) else None


def administrator_of(work: Work, municipality_id: int) -> Actor:
    """Who the archive file is drawn for: one that sees what the municipality's administrator sees."""
    return acting.administrator_of(work.session.get_one(Municipality, municipality_id), "klik")


def content_of(embedded: bytes) -> str:
    """The hash of what a task holds, the same on whichever day it was exported."""
    values = json.loads(embedded)
    kept = {name: value for name, value in values.items() if name not in OF_THE_DAY}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def archive(house: House, clock: Clock, item_id: int) -> None:
    """Draw the task, pack it and store the file durably, then note it: the item is arkiveret.

    Raises WaitingError when the task cannot be drawn whole, or was changed meanwhile.
    """
    now = clock()
    with house.reading(now) as work:
        item = work.session.get_one(DeletionItem, item_id)
        actor, task_id = administrator_of(work, item.municipality_id), item.municipal_task_id
    try:
        drawing = drawn.task(house, actor, now, task_id)
        folder = packing.folder(house, drawing)
    except RenderingError as error:
        raise WaitingError(f"Opgavens PDF kunne ikke laves: {error}") from error
    except MissingFileError as error:
        raise WaitingError("Opgavens PDF mangler i arkivet.") from error
    if folder.missing:
        raise WaitingError(" ".join(folder.missing))
    sha256, size = _stored(house.archive, folder)
    with house.writing(clock()) as work:
        found = locked(work, item_id)
        if found is None:
            return
        if current_content(house, work, found) != content_of(drawing.export.embedded):
            raise WaitingError("Opgaven blev ændret, mens den blev arkiveret.")
        if found.archive_sha256 not in (None, sha256):
            discard(work, "arkiv", [found.archive_sha256])
        found.state, found.archive_sha256, found.archive_size = "arkiveret", sha256, size
        found.archived_at, found.verified_at, found.problem = work.now, None, None
        work.session.flush()
        facts = {"sha256": sha256, "size": size}
        auditing.record(work, "deletion-archived", f"deletion-item/{item_id}", facts, found.municipality_id)


def _stored(store: FileStore, folder: Folder) -> tuple[str, int]:
    temporary = store.temporary()
    try:
        packing.write(temporary, [folder])
        size = temporary.stat().st_size
        return store.take(temporary), size
    except OSError as error:
        raise WaitingError("Arkivfilen kunne ikke gemmes på serveren.") from error
    finally:
        temporary.unlink(missing_ok=True)


def current_content(house: House, work: Work, item: DeletionItem) -> str:
    """The hash of what the task holds in this transaction."""
    reader = replace(work, actor=administrator_of(work, item.municipality_id))
    base_url = house.settings.base_url
    return content_of(exporting.collect(reader, house.files, item.municipal_task_id, base_url).embedded)


def verify(house: House, clock: Clock, item_id: int) -> Proven:
    """Read the archive file from disk again, hash it whole and part by part, and note it.

    Raises WaitingError when it is not the file that was stored.
    """
    with house.reading(clock()) as work:
        item = work.session.get_one(DeletionItem, item_id)
        sha256, size = item.archive_sha256 or "", item.archive_size
    folder = _read(house.archive, sha256, size)
    data = next(member for member in folder.members if member.path.endswith(f"/{packing.DATA_NAME}"))
    content = content_of(data.content)
    with house.writing(clock()) as work:
        found = locked(work, item_id)
        if found is None or found.state != "arkiveret" or found.archive_sha256 != sha256:
            raise WaitingError("Opgaven skal ikke slettes længere.")
        found.verified_at = work.now
        return Proven(content, work.now)


def _read(store: FileStore, sha256: str, size: int | None = None) -> Folder:
    """The folder of an archive file, every byte of it checked; raises WaitingError."""
    path = store.path(sha256)
    try:
        if store.digest(path) != sha256 or (size is not None and path.stat().st_size != size):
            raise WaitingError("Arkivfilen er ikke den, der blev gemt.")
        with zipfile.ZipFile(path) as package:
            lines = json.loads(package.read(packing.MANIFEST))["files"]
            members = tuple(Member(line["path"], package.read(line["path"])) for line in lines)
    except OSError as error:
        raise WaitingError("Arkivfilen mangler på serveren.") from error
    except (zipfile.BadZipFile, KeyError, ValueError) as error:
        raise WaitingError("Arkivfilen kan ikke læses.") from error
    for member, line in zip(members, lines, strict=True):
        if hashlib.sha256(member.content).hexdigest() != line["sha256"]:
            raise WaitingError("Arkivfilen er ikke den, der blev gemt.")
    if not any(member.path.endswith(f"/{packing.DATA_NAME}") for member in members):
        raise WaitingError("Arkivfilen kan ikke læses.")
    return Folder(members[0].path.partition("/")[0], members)


def folder_of(work: Work, store: FileStore, item: DeletionItem) -> Folder:
    """A task's folder read back out of its archive file; raises MissingFileError when it is gone or damaged.

    ``work`` is not asked anything: whose item it is was decided by whoever read it.
    """
    if item.archive_sha256 is None or item.archive_removed_at is not None:
        raise MissingFileError(item.archive_sha256)
    try:
        return _read(store, item.archive_sha256)
    except WaitingError as error:
        raise MissingFileError(item.archive_sha256) from error


def discard(work: Work, store: str, hashes: Iterable[str]) -> None:
    """Let files go: they are removed from disk after this transaction, when nothing else refers to them."""
    rows = [{"store": store, "sha256": sha256, "since": work.now} for sha256 in sorted(set(hashes))]
    if rows:
        dialect = sqlite if work.session.get_bind().dialect.name == "sqlite" else postgresql
        work.session.execute(dialect.insert(DiscardedFile).on_conflict_do_nothing(), rows)
